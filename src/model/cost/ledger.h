// Where the time of a run goes: work of one kind in one phase is one line.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "labelprobe/model/cost.h"

namespace labelprobe::model::cost {

enum class Phase { Load, Prompts, Answers, Readouts, Log };

enum class Work {
  Start,      // of the process
  Reading,    // of weights, and their way to the device
  Products,   // of the layers
  Unpacking,  // of quantised weights
  Attention,
  Rows,     // all else in the layers: norms, rotations, copies, gates
  Logits,   // the head, and what is read of it
  Host,     // waits for the host
  Records,  // of the answers
};

enum class Bound { Arithmetic, Memory, Starts, Host, Disk };

// Kernels, or what else takes time.
struct Item {
  double flop = 0;
  double bytes = 0;
  std::int64_t n_launches = 0;
  double seconds = 0;
  Bound bound = Bound::Arithmetic;
};

class Ledger {
 public:
  void add(Phase phase, Work work, const Item& item);
  // Rows that a line is about.
  void add_rows(Phase phase, Work work, std::int64_t n_rows);
  double seconds(Phase phase) const;
  // In the order of phases and works; those without time and rows are left out.
  std::vector<CostLine> lines() const;

 private:
  struct Line {
    CostLine sums;
    std::array<double, 5> seconds_by_bound = {};
  };
  Line& line(Phase phase, Work work);
  std::array<std::array<Line, 9>, 5> lines_;
};

}  // namespace labelprobe::model::cost
