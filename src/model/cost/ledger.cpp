#include "model/cost/ledger.h"

#include <algorithm>
#include <cstddef>
#include <string>

namespace labelprobe::model::cost {
namespace {

constexpr std::array<std::string_view, 5> kPhases = {"load", "prompts", "answers", "readouts",
                                                     "log"};
constexpr std::array<std::string_view, 9> kWorks = {"start-up",  "weights",   "products",
                                                    "unpacking", "attention", "other rows",
                                                    "logits",    "host",      "records"};
constexpr std::array<std::string_view, 5> kBounds = {"arithmetic", "memory", "starts of kernels",
                                                     "host", "disk"};

}  // namespace

Ledger::Line& Ledger::line(Phase phase, Work work) {
  return lines_[static_cast<std::size_t>(phase)][static_cast<std::size_t>(work)];
}

void Ledger::add(Phase phase, Work work, const Item& item) {
  Line& of_work = line(phase, work);
  of_work.sums.flop += item.flop;
  of_work.sums.bytes += item.bytes;
  of_work.sums.n_launches += item.n_launches;
  of_work.sums.seconds += item.seconds;
  of_work.seconds_by_bound[static_cast<std::size_t>(item.bound)] += item.seconds;
}

void Ledger::add_rows(Phase phase, Work work, std::int64_t n_rows) {
  line(phase, work).sums.n_rows += n_rows;
}

double Ledger::seconds(Phase phase) const {
  double sum = 0;
  for (const Line& of_work : lines_[static_cast<std::size_t>(phase)]) sum += of_work.sums.seconds;
  return sum;
}

std::vector<CostLine> Ledger::lines() const {
  std::vector<CostLine> lines;
  for (std::size_t phase = 0; phase < lines_.size(); ++phase) {
    for (std::size_t work = 0; work < lines_[phase].size(); ++work) {
      const Line& of_work = lines_[phase][work];
      if (of_work.sums.seconds == 0 && of_work.sums.n_rows == 0) continue;
      CostLine line = of_work.sums;
      line.phase = kPhases[phase];
      line.work = kWorks[work];
      const auto& by_bound = of_work.seconds_by_bound;
      line.bound = kBounds[static_cast<std::size_t>(
          std::max_element(by_bound.begin(), by_bound.end()) - by_bound.begin())];
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

}  // namespace labelprobe::model::cost
