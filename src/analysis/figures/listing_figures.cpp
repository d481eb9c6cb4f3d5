#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>

#include <fmt/format.h>

#include "labelprobe/analysis/run_items.h"
#include "labelprobe/core/error.h"

#include "analysis/figures/figure_rows.h"

namespace labelprobe::analysis {

namespace {

using record::ItemRecord;

// Below it a first label says little; published.
constexpr float kSpike = 0.3F;
// A position of the answer counts if more examples than these have it; published.
constexpr int kFewExamples = 10;
constexpr std::size_t kShownPositions = 2;
// The ratio nearest to the baseline's half stands for a run over ratios; published.
constexpr std::string_view kUsualRatio = "0.4";

void check_lists_labels(const record::LoggedRun& run) {
  if (item_form_of(run).words.front().empty()) return;
  throw DataError(
      fmt::format("{}: expected answers that list labels (baseline, multilabel_ICL), "
                  "found those of {}",
                  describe(run), run.plan));
}

std::string ratio_of(const ItemRecord& item) {
  return &item.form() == &kRatioItems ? ItemId::parse(item.key, item.form()).parts.front() : "";
}

// Mean and standard deviation of the population over experiments; of those that have a number.
struct OverExperiments {
  double mean = 0.0;
  double deviation = 0.0;
};

OverExperiments over_experiments(const std::vector<double>& numbers) {
  OverExperiments over;
  const double n = static_cast<double>(numbers.size());
  for (const double number : numbers) over.mean += number / n;
  double squares = 0.0;
  for (const double number : numbers) squares += (number - over.mean) * (number - over.mean);
  over.deviation = std::sqrt(squares / n);
  return over;
}

// --- Spikiness ---

// Probabilities of the first step without `none`, largest first; empty if the item does not count.
std::vector<float> spikes_of(const ItemRecord& item) {
  const std::string ratio = ratio_of(item);
  if (!ratio.empty() && ratio != kUsualRatio) return {};
  if (!item.is_label_found() || item.predictions.empty()) return {};
  std::vector<float> probs;
  for (const auto& [label, prob] : item.first_probs()) {
    if (label != "none") probs.push_back(prob);
  }
  std::sort(probs.begin(), probs.end(), std::greater<>());
  return probs.empty() || probs.front() < kSpike ? std::vector<float>() : probs;
}

// --- Label order ---

// Whether each of the predicted labels is a gold one, in the order in which they occur in the
// answer; those that do not occur stand last.
std::vector<bool> hits_in_order(const ItemRecord& item) {
  std::vector<std::pair<std::size_t, std::string>> order;
  for (const std::string& label : item.predictions)
    order.emplace_back(item.outs.find(label), label);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<bool> hits;
  for (const auto& [place, label] : order) {
    hits.push_back(std::find(item.gold.begin(), item.gold.end(), label) != item.gold.end());
  }
  return hits;
}

struct PositionAccuracy {
  double accuracy = 0.0;
  int n_examples = 0;
};

std::vector<PositionAccuracy> order_accuracies(const record::LoggedRun& run) {
  std::array<int, kShownPositions> n_hits{};
  std::array<int, kShownPositions> n_examples{};
  for (const ItemRecord& item : run.items) {
    if (item.predictions.size() < 2 || item.first_probs().empty()) continue;
    const std::vector<bool> hits = hits_in_order(item);
    for (std::size_t i = 0; i < kShownPositions; ++i) {
      ++n_examples[i];
      if (hits[i]) ++n_hits[i];
    }
  }
  std::vector<PositionAccuracy> accuracies;
  for (std::size_t i = 0; i < kShownPositions; ++i) {
    if (n_examples[i] <= kFewExamples) break;
    accuracies.push_back({static_cast<double>(n_hits[i]) / n_examples[i], n_examples[i]});
  }
  return accuracies;
}

// --- Shares of demonstrations ---

bool has_several_labels(const ItemRecord& item) {
  return std::max(item.label_steps.size(), item.predictions.size()) > 1;
}

struct Sweep {
  std::vector<std::string> ratios;  // smallest first
  std::vector<double> shares;       // of their items
};

Sweep sweep_of(const record::LoggedRun& run) {
  std::map<std::string, std::pair<int, int>> counts;  // ratio -> with several labels, all
  for (const ItemRecord& item : run.items) {
    const std::string ratio = ratio_of(item);
    if (ratio.empty()) {
      throw DataError(
          fmt::format("{}: expected a run of --distribution multilabel_ICL, found the item '{}'",
                      describe(run), item.key));
    }
    if (item.failure) continue;
    auto& [n_several, n] = counts[ratio];
    if (has_several_labels(item)) ++n_several;
    ++n;
  }
  Sweep sweep;
  for (const auto& [ratio, n] : counts) {
    sweep.ratios.push_back(ratio);
    sweep.shares.push_back(static_cast<double>(n.first) / n.second);
  }
  return sweep;
}

}  // namespace

FigureRows spikiness_rows(std::span<const NamedRuns> runs, const FigureOptions&) {
  FigureRows rows = FigureRows::array();
  for (const NamedRuns& named : runs) {
    for (const record::LoggedRun& run : named.experiments) {
      check_lists_labels(run);
      for (const ItemRecord& item : run.items) {
        const std::vector<float> probs = spikes_of(item);
        for (std::size_t i = 0; i < probs.size(); ++i) {
          rows.push_back({{"set", named.set},
                          {"model", named.model},
                          {"experiment", run.index},
                          {"item", item.key},
                          {"index", i},
                          {"prob", double{probs[i]}}});
        }
      }
    }
  }
  return rows;
}

FigureRows label_order_rows(std::span<const NamedRuns> runs, const FigureOptions&) {
  FigureRows rows = FigureRows::array();
  for (const NamedRuns& named : runs) {
    std::array<std::vector<double>, kShownPositions> accuracies;
    std::array<int, kShownPositions> n_examples{};
    for (const record::LoggedRun& run : named.experiments) {
      check_lists_labels(run);
      const std::vector<PositionAccuracy> of_run = order_accuracies(run);
      for (std::size_t i = 0; i < of_run.size(); ++i) {
        accuracies[i].push_back(of_run[i].accuracy);
        n_examples[i] += of_run[i].n_examples;
      }
    }
    for (std::size_t i = 0; i < kShownPositions; ++i) {
      if (accuracies[i].empty()) continue;
      const OverExperiments over = over_experiments(accuracies[i]);
      rows.push_back({{"set", named.set},
                      {"model", named.model},
                      {"position", i + 1},
                      {"accuracy", over.mean},
                      {"deviation", over.deviation},
                      {"n_experiments", accuracies[i].size()},
                      {"n_examples", n_examples[i]}});
    }
  }
  return rows;
}

FigureRows multilabel_icl_rows(std::span<const NamedRuns> runs, const FigureOptions&) {
  FigureRows rows = FigureRows::array();
  for (const NamedRuns& named : runs) {
    std::map<std::string, std::vector<double>> shares;
    for (const record::LoggedRun& run : named.experiments) {
      const Sweep sweep = sweep_of(run);
      for (std::size_t i = 0; i < sweep.ratios.size(); ++i) {
        shares[sweep.ratios[i]].push_back(sweep.shares[i]);
      }
    }
    for (const auto& [ratio, of_ratio] : shares) {
      const OverExperiments over = over_experiments(of_ratio);
      rows.push_back({{"set", named.set},
                      {"model", named.model},
                      {"ratio", std::stod(ratio)},
                      {"share", over.mean},
                      {"deviation", over.deviation},
                      {"n_experiments", of_ratio.size()}});
    }
  }
  return rows;
}

}  // namespace labelprobe::analysis
