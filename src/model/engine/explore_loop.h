// Computes the places that an explorer asks for behind the prompts of a chunk.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "labelprobe/model/language_model.h"

#include "model/decoder/decoder.h"
#include "model/engine/inner_view.h"
#include "model/engine/kv_arena.h"
#include "model/engine/place_tree.h"
#include "model/engine/prefix_cache.h"
#include "model/engine/prefix_tree.h"
#include "model/engine/request.h"
#include "model/engine/step_inputs.h"

namespace labelprobe::model {

// The end of a prompt's exploration.
struct Explored {
  std::size_t prompt = 0;
  std::optional<std::string> failure;
};

class ExploreLoop {
 public:
  // All must outlive it. A step has at most `n_rows_per_step` rows; on_begin() is told of every
  // prompt, and the number of its sequence, right after the explorer's begin(), on_step() after
  // every step of the places computed so far.
  ExploreLoop(const Decoder& decoder,
              const PrefixTree& tree,
              const Request& request,
              const ExploreOptions& options,
              Explorer& explorer,
              KvArena& arena,
              StepInputs& inputs,
              int n_rows_per_step,
              std::function<void(std::size_t prompt, int sequence)> on_begin,
              std::function<void(std::int64_t n_places)> on_step);

  // Explores the open prompts of the sequences first to end, whose last tokens' hidden states
  // [n, C] are given. Throws std::bad_alloc where the arena is full.
  std::vector<Explored> run(const at::Tensor& hidden, const PrefixCache& cache, int first, int end);

  // Places computed by run().
  std::int64_t n_places() const { return n_places_; }

 private:
  class Rows;
  class PathFrontier;
  // Who explores along a path of the place tree.
  struct Traveller {
    std::size_t prompt = 0;
    std::optional<std::string> failure;
    bool is_done = false;
  };
  void grow(PlaceTree& places, std::vector<PlaceRow>& rows);
  void compute(PlaceTree& places, std::span<const PlaceRow> rows);
  std::optional<InnerView> view_of(const PlaceTree& places, std::span<const PlaceRow> rows);
  void tell(const at::Tensor& hidden,
            std::span<const std::vector<PlaceRow>> places_of_rows,
            std::span<const Inside> inside = {});

  const Decoder& decoder_;
  const PrefixTree& tree_;
  const Request& request_;
  const ExploreOptions& options_;
  Explorer& explorer_;
  KvArena& arena_;
  StepInputs& inputs_;
  int n_rows_per_step_;
  std::function<void(std::size_t, int)> on_begin_;
  std::function<void(std::int64_t)> on_step_;
  std::vector<Traveller> travellers_;  // by path
  std::map<PlaceRow, Look> looks_;     // of places that are still to be computed
  std::optional<Linear> label_head_;   // once somebody looks inside
  std::int64_t n_places_ = 0;
};

}  // namespace labelprobe::model
