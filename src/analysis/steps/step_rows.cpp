#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "labelprobe/analysis/run_items.h"
#include "labelprobe/analysis/steps.h"
#include "labelprobe/core/error.h"

namespace labelprobe::analysis {

namespace {

using record::ItemRecord;
using record::LabelValues;

// The labels of a step, the likeliest first; of equal ones the first in alphabetical order.
LabelValues ranked(LabelValues probs) {
  std::sort(probs.begin(), probs.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  return probs;
}

double prob_of(const LabelValues& probs, const std::string& label) {
  for (const auto& [name, prob] : probs) {
    if (name == label) return prob;
  }
  throw DataError(
      fmt::format("expected the same labels at all steps, found '{}' at one only", label));
}

double entropy_bits(const LabelValues& probs) {
  double bits = 0.0;
  for (const auto& [name, prob] : probs) {
    if (prob > 0.0F) bits -= double{prob} * std::log2(double{prob});
  }
  return bits;
}

bool is_none_likeliest(const LabelValues& step) {
  return std::any_of(step.begin(), step.end(), [&](const auto& value) {
    return (value.first == "none" || value.first == "nothing") &&
           value.second == step.front().second;
  });
}

NextStep look_ahead(const std::vector<LabelValues>& steps,
                    std::size_t index,
                    const ItemRecord& item) {
  const LabelValues& here = steps[index];
  const LabelValues& there = steps[index + 1];
  const std::string& second = here[1].first;
  NextStep next;
  next.label = there.front().first;
  next.prob = there.front().second;
  next.second_prob = prob_of(there, second);
  if (next.label != here.front().first) next.prob_before = prob_of(here, next.label);
  next.is_second_ever =
      std::find(item.predictions.begin(), item.predictions.end(), second) != item.predictions.end();
  for (std::size_t later = index + 1; later < steps.size(); ++later) {
    if (steps[later].front().first == second) {
      next.n_steps_to_second = static_cast<int>(later - index);
      break;
    }
  }
  return next;
}

void add_rows(const ItemRecord& item, const StepOptions& options, std::vector<StepRow>& rows) {
  std::vector<LabelValues> steps;
  for (const record::LabelStep& step : item.label_steps) {
    steps.push_back(ranked(record::label_probs(step)));
    if (steps.back().size() < 2) {
      throw DataError(
          fmt::format("expected at least two labels at a step, found {}", steps.back().size()));
    }
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (options.removes_none && is_none_likeliest(steps[i])) return;
    StepRow& row = rows.emplace_back();
    row.item = item.key;
    row.index = static_cast<int>(i);
    row.top_label = steps[i][0].first;
    row.second_label = steps[i][1].first;
    row.top = steps[i][0].second;
    row.second = steps[i][1].second;
    row.entropy = entropy_bits(steps[i]);
    if (i + 1 < steps.size()) row.next = look_ahead(steps, i, item);
  }
}

}  // namespace

std::vector<StepRow> measure_steps(const record::LoggedRun& run, const StepOptions& options) {
  if (!item_form_of(run).words.front().empty()) {
    throw DataError(fmt::format(
        "{}: expected answers that list labels (baseline, classify), found those of {}: they are "
        "one word each, and have no steps to compare",
        describe(run), run.plan));
  }
  std::vector<StepRow> rows;
  for (const ItemRecord& item : run.items) {
    try {
      add_rows(item, options, rows);
    } catch (const DataError& error) {
      throw DataError(fmt::format("{}: item '{}': {}", describe(run), item.key, error.what()));
    }
  }
  for (StepRow& row : rows) row.experiment = run.index;
  return rows;
}

}  // namespace labelprobe::analysis
