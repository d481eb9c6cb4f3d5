#include "labelprobe/analysis/estimated_rows.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"

namespace labelprobe::analysis {

namespace {

// A readout's row is of the runs that have it.
bool has_readout(const RunLog& run, std::string_view name) {
  return std::any_of(run.items.begin(), run.items.end(), [&](const record::ItemRecord& item) {
    return std::any_of(item.readouts.begin(), item.readouts.end(),
                       [&](const record::ReadoutValues& readout) { return readout.name == name; });
  });
}

bool suits(const Estimator& estimator, const RunLog& run) {
  return run.plan == estimator.plan() && run.model_state == estimator.model_state &&
         (estimator.readout.empty() || has_readout(run, estimator.readout));
}

bool is_wanted(const Estimator& estimator, const std::vector<std::string>& names) {
  return names.empty() || std::find(names.begin(), names.end(), estimator.name) != names.end();
}

// Those of the table, and one for each readout that some run has.
std::vector<const Estimator*> estimators_of(std::span<const RunLog> runs) {
  std::vector<const Estimator*> all;
  for (const Estimator& estimator : estimators()) all.push_back(&estimator);
  for (const RunLog& run : runs) {
    for (const record::ItemRecord& item : run.items) {
      for (const record::ReadoutValues& readout : item.readouts) {
        const Estimator* estimator = &readout_estimator(readout.name, item.form());
        if (std::find(all.begin(), all.end(), estimator) == all.end()) all.push_back(estimator);
      }
    }
  }
  return all;
}

void check_names(const std::vector<std::string>& names,
                 std::span<const RunLog> runs,
                 const LabelSet& label_set) {
  std::vector<std::string> known;
  std::vector<std::string> possible;
  for (const Estimator* estimator : estimators_of(runs)) {
    known.emplace_back(estimator->name);
    const bool has_run = std::any_of(runs.begin(), runs.end(),
                                     [&](const RunLog& run) { return suits(*estimator, run); });
    if (has_run && estimator->fits(label_set.kind())) possible.emplace_back(estimator->name);
  }
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw ConfigError("--estimator: " + unknown_choice("estimator", name, known));
    }
    if (std::find(possible.begin(), possible.end(), name) == possible.end()) {
      throw ConfigError(fmt::format(
          "--estimator: the runs given and the data set's labels do not allow '{}' (they allow: "
          "{})",
          name, fmt::join(possible, ", ")));
    }
  }
}

// Readouts begin where the answer does: the generated answer's own place is none of theirs.
std::vector<std::optional<AnswerPosition>> positions_of(const Estimator& estimator,
                                                        std::span<const AnswerPosition> answers) {
  std::vector<std::optional<AnswerPosition>> positions;
  for (AnswerPosition answer : answers) {
    if (!estimator.readout.empty() && answer == AnswerPosition::Greedy) {
      answer = AnswerPosition::First;
    }
    if (std::find(positions.begin(), positions.end(), answer) == positions.end()) {
      positions.emplace_back(answer);
    }
  }
  return positions;
}

// One row per position that the estimator has.
std::vector<EstimatedRow> estimate_positions(const Estimator& estimator,
                                             const RunLog& run,
                                             std::span<const AnswerPosition> answers,
                                             const LabelSet& label_set) {
  std::vector<std::optional<AnswerPosition>> positions = {std::nullopt};
  if (estimator.has_positions()) positions = positions_of(estimator, answers);
  std::vector<EstimatedRow> rows;
  for (const std::optional<AnswerPosition>& position : positions) {
    EstimatorOptions options;
    options.answer = position.value_or(options.answer);
    rows.push_back({&estimator, &run, position, estimate_run(estimator, run, label_set, options)});
  }
  return rows;
}

}  // namespace

std::string EstimatedRow::name() const {
  return std::string(estimator->title) + (answer ? " (" + describe(answer) + ")" : "");
}

std::vector<AnswerPosition> parse_answers(const std::vector<std::string>& names) {
  std::vector<AnswerPosition> answers;
  for (const std::string& name : names) {
    const AnswerPosition answer = parse_answer_position(name);
    if (std::find(answers.begin(), answers.end(), answer) == answers.end()) {
      answers.push_back(answer);
    }
  }
  return answers;
}

std::vector<EstimatedRow> estimate_rows(std::span<const RunLog> runs,
                                        std::span<const AnswerPosition> answers,
                                        const LabelSet& label_set,
                                        const std::vector<std::string>& names,
                                        std::vector<std::string>& warnings) {
  check_names(names, runs, label_set);
  std::vector<EstimatedRow> rows;
  std::set<std::pair<const RunLog*, std::string>> seen;
  for (const Estimator* each : estimators_of(runs)) {
    const Estimator& estimator = *each;
    if (!is_wanted(estimator, names)) continue;
    bool is_named = false;  // as not applicable, once
    for (const RunLog& run : runs) {
      if (!suits(estimator, run)) continue;
      if (!estimator.fits(label_set.kind())) {
        if (estimator.label_sets == LabelSets::MultiLabel && !std::exchange(is_named, true)) {
          rows.push_back({&estimator, nullptr, {}, {}});
        }
        continue;
      }
      for (EstimatedRow& row : estimate_positions(estimator, run, answers, label_set)) {
        for (const std::string& warning : row.estimates.warnings) {
          if (!seen.insert({&run, warning}).second) continue;
          warnings.push_back(fmt::format("{}: {}: {}", describe(run), row.name(), warning));
        }
        rows.push_back(std::move(row));
      }
    }
  }
  return rows;
}

Estimates estimate_run(const Estimator& estimator,
                       const RunLog& run,
                       const LabelSet& label_set,
                       const EstimatorOptions& options) {
  try {
    return estimate(estimator, run.items, label_set, options);
  } catch (const ConfigError& error) {
    throw ConfigError(describe(run) + ": " + error.what());
  } catch (const DataError& error) {
    throw DataError(describe(run) + ": " + error.what());
  }
}

std::string describe(const std::optional<AnswerPosition>& answer) {
  return answer ? std::string(name_of(*answer)) : "";
}

}  // namespace labelprobe::analysis
