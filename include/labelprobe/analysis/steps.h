// What the distributions at the label steps of an answer say of each other: the last step against
// those before it, and the second-ranked label against what was predicted next. Rows for figures,
// and the numbers made of them. Source: the paper's Table 4 and Figures 2, 3, 8, 9 and 10, and the
// published scripts that draw them.
//
// Ranks are those of probabilities, not of the generated tokens; equal probabilities rank in
// alphabetical order. `none` is a label here, as at the step itself.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/record/logged_run.h"

namespace labelprobe::analysis {

struct StepOptions {
  // Stops at the first step whose likeliest label is `none` or `nothing`. The step before it stays
  // an intermediate one, as published.
  bool removes_none = false;
};

// What the step after an intermediate one adds.
struct NextStep {
  std::string label;         // the likeliest there
  double prob = 0.0;         // of `label` there
  double second_prob = 0.0;  // there, of the label that was second here
  // The probability of `label` here; unset where it is the likeliest here too.
  std::optional<double> prob_before;
  bool is_second_ever = false;  // the second label here is one of the item's predictions
  // How many steps later the second label here is first the likeliest; unset = at none of them.
  std::optional<int> n_steps_to_second;
};

// One label step of an item.
struct StepRow {
  std::string item;
  int experiment = 0;
  int index = 0;  // among the item's label steps, from 0
  std::string top_label;
  std::string second_label;
  double top = 0.0;              // probability of top_label
  double second = 0.0;           // of second_label
  double entropy = 0.0;          // of all labels, in bits
  std::optional<NextStep> next;  // unset: the last step

  bool is_next_second() const { return next && next->label == second_label; }
};

// The label steps of the items, in their order; items without one have no row. Throws DataError if
// the run's answers list no labels (unary, binary), or a step has fewer than two labels.
std::vector<StepRow> measure_steps(const record::LoggedRun& run, const StepOptions& options);

enum class StepPlace { Last, Intermediate };
inline constexpr auto kStepPlaces = enum_names<StepPlace>(
    "place of a step", {{StepPlace::Last, "last"}, {StepPlace::Intermediate, "intermediate"}});

StepPlace place_of(const StepRow& row);

// A number of a step. Names are the published ones.
struct StepStatistic {
  std::string_view name;
  std::string_view title;  // in tables
  std::string_view summary;
  std::optional<StepPlace> place;               // unset: of both
  std::optional<double> (*of)(const StepRow&);  // unset: the step has none
};

std::span<const StepStatistic> step_statistics();

struct StepMoments {
  StepPlace place = StepPlace::Last;
  int index = 0;  // of the step
  const StepStatistic* statistic = nullptr;
  double mean = 0.0;
  double deviation = 0.0;  // standard deviation of the population
  std::size_t n = 0;
};

// The steps of one or several experiments taken together.
struct StepSummary {
  std::size_t n_items = 0;           // with at least one step
  std::vector<StepMoments> moments;  // by place, then by step, then as step_statistics()
  // How many intermediate steps have a second label that is not the likeliest next, and in how many
  // of them it is no prediction of the item at all.
  std::size_t n_not_next = 0;
  std::size_t n_never = 0;

  // Table 4: a share from 0 to 1; unset without such a step.
  std::optional<double> never_share() const;
  const StepMoments* find(StepPlace place, int index, std::string_view statistic) const;
};

StepSummary summarize_steps(std::span<const StepRow> rows);

enum class StepRange {
  Common,  // steps that occur both as last and as intermediate ones
  All,
};

// The steps that figures and tables show, from 0, smallest first: below `n_most` where it is set.
std::vector<int> shown_steps(const StepSummary& summary,
                             StepRange range,
                             std::optional<int> n_most);

}  // namespace labelprobe::analysis
