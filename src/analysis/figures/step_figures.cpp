#include <map>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "analysis/figures/figure_rows.h"

namespace labelprobe::analysis {

namespace {

// A number of a step under the name that the legend has for it.
struct Series {
  std::string_view name;
  std::string_view statistic;
  StepPlace place;
};

constexpr Series kTopSeries[] = {{"last", "top", StepPlace::Last},
                                 {"intermediate", "top", StepPlace::Intermediate}};
constexpr Series kSecond[] = {
    {"last", "second", StepPlace::Last},
    {"intermediate", "expected_next_label_scores", StepPlace::Intermediate},
    {"next", "actual_next_label_scores", StepPlace::Intermediate},
    {"intermediate @ next", "expected_next_label_scores_p1", StepPlace::Intermediate},
    {"next @ next", "actual_next_label_scores_p1", StepPlace::Intermediate}};
constexpr Series kEntropy[] = {{"last", "entropy", StepPlace::Last},
                               {"intermediate", "entropy", StepPlace::Intermediate}};

const StepStatistic& statistic_of(const Series& series) {
  for (const StepStatistic& statistic : step_statistics()) {
    if (statistic.name == series.statistic) return statistic;
  }
  throw InternalError("a series of no statistic");
}

// The steps of a run's experiments, and which of them are shown.
struct RunSteps {
  std::string name;
  std::vector<StepRow> rows;
  StepSummary summary;
  std::vector<int> shown;
};

std::optional<int> n_most(const FigureOptions& options, std::size_t run, std::size_t n_runs) {
  const std::vector<int>& given = options.n_most_steps;
  if (given.empty()) return std::nullopt;
  if (given.size() != 1 && given.size() != n_runs) {
    throw ConfigError(
        fmt::format("--max-rank: expected one number, or one for each of the {} runs, "
                    "found {}",
                    n_runs, given.size()));
  }
  return given.size() == 1 ? given.front() : given[run];
}

std::vector<RunSteps> measure(std::span<const NamedRuns> runs, const FigureOptions& options) {
  std::vector<RunSteps> all;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    RunSteps& steps = all.emplace_back();
    steps.name = runs[i].name();
    for (const record::LoggedRun& run : runs[i].experiments) {
      const auto more = measure_steps(run, options.steps);
      steps.rows.insert(steps.rows.end(), more.begin(), more.end());
    }
    steps.summary = summarize_steps(steps.rows);
    steps.shown = shown_steps(steps.summary, options.range, n_most(options, i, runs.size()));
    if (steps.shown.empty()) {
      throw DataError(fmt::format(
          "{}: no step to show: expected answers with one label and with several, found {} items "
          "with label steps; --union shows every step",
          describe(runs[i].experiments.front()), steps.summary.n_items));
    }
  }
  return all;
}

void add_series(const RunSteps& steps,
                std::string_view panel,
                std::span<const Series> all,
                FigureRows& rows) {
  for (const Series& series : all) {
    const StepStatistic& statistic = statistic_of(series);
    for (const int index : steps.shown) {
      for (const StepRow& row : steps.rows) {
        if (row.index != index || place_of(row) != series.place) continue;
        const std::optional<double> value = statistic.of(row);
        if (!value) continue;
        rows.push_back({{"name", steps.name},
                        {"panel", panel},
                        {"step", index + 1},
                        {"series", series.name},
                        {"experiment", row.experiment},
                        {"item", row.item},
                        {"value", *value}});
      }
    }
  }
}

void add_same(const RunSteps& steps, std::string_view panel, FigureRows& rows) {
  for (const int index : steps.shown) {
    const StepMoments* same =
        steps.summary.find(StepPlace::Intermediate, index, "is_next_pred_correct");
    if (!same) continue;
    rows.push_back({{"name", steps.name},
                    {"panel", panel},
                    {"step", index + 1},
                    {"series", "same"},
                    {"experiment", nullptr},
                    {"item", nullptr},
                    {"value", same->mean}});
  }
}

}  // namespace

FigureRows top_rows(std::span<const NamedRuns> runs, const FigureOptions& options) {
  FigureRows rows = FigureRows::array();
  for (const RunSteps& steps : measure(runs, options)) add_series(steps, "top", kTopSeries, rows);
  return rows;
}

FigureRows second_rows(std::span<const NamedRuns> runs, const FigureOptions& options) {
  FigureRows rows = FigureRows::array();
  for (const RunSteps& steps : measure(runs, options)) {
    add_series(steps, "second", kSecond, rows);
    add_same(steps, "second", rows);
  }
  return rows;
}

FigureRows probability_rows(std::span<const NamedRuns> runs, const FigureOptions& options) {
  FigureRows rows = second_rows(runs, options);
  for (const auto& row : top_rows(runs, options)) rows.push_back(row);
  return rows;
}

FigureRows entropy_rows(std::span<const NamedRuns> runs, const FigureOptions& options) {
  FigureRows rows = FigureRows::array();
  for (const RunSteps& steps : measure(runs, options)) {
    add_series(steps, "entropy", kEntropy, rows);
  }
  return rows;
}

FigureRows later_rows(std::span<const NamedRuns> runs, const FigureOptions& options) {
  FigureRows rows = FigureRows::array();
  for (const NamedRuns& named : runs) {
    std::map<std::pair<int, int>, int> counts;  // by step and how much later, both from 1
    std::map<int, int> n_later;                 // by step
    for (const record::LoggedRun& run : named.experiments) {
      for (const StepRow& row : measure_steps(run, options.steps)) {
        if (!row.next || !row.next->n_steps_to_second) continue;
        ++counts[{row.index + 1, *row.next->n_steps_to_second}];
        ++n_later[row.index + 1];
      }
    }
    for (const auto& [at, n] : counts) {
      rows.push_back({{"name", named.name()},
                      {"step", at.first},
                      {"predicted_at", at.first + at.second},
                      {"n", n},
                      {"share", static_cast<double>(n) / n_later[at.first]}});
    }
  }
  return rows;
}

}  // namespace labelprobe::analysis
