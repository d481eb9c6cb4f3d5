#include "app/commands/estimated_rows.h"

#include <algorithm>
#include <set>
#include <utility>

#include "labelprobe/analysis/published.h"
#include "labelprobe/core/error.h"

namespace labelprobe::app {

namespace {

using analysis::AnswerPosition;
using analysis::EstimatorInfo;

// Estimators of fine-tuned models are the plain ones on other runs.
bool is_for_tuned(const EstimatorInfo& info) {
  return info.name.starts_with("SFT_");
}

bool suits(const EstimatorInfo& info, const LoggedRun& run) {
  return run.kind == info.items && run.is_tuned == is_for_tuned(info);
}

bool is_wanted(const EstimatorInfo& info, const std::vector<std::string>& names) {
  return names.empty() || std::find(names.begin(), names.end(), info.name) != names.end();
}

void check_names(const std::vector<std::string>& names,
                 std::span<const LoggedRun> runs,
                 const LabelSet& label_set) {
  std::vector<std::string> known;
  std::vector<std::string> possible;
  for (const EstimatorInfo& info : analysis::estimators()) {
    known.emplace_back(info.name);
    const bool has_run = std::any_of(runs.begin(), runs.end(),
                                     [&](const LoggedRun& run) { return suits(info, run); });
    if (has_run && info.fits(label_set.kind())) {
      possible.emplace_back(info.name);
    }
  }
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw ConfigError("--estimator: " + unknown_choice("estimator", name, known));
    }
    if (std::find(possible.begin(), possible.end(), name) == possible.end()) {
      std::string list;
      for (const std::string& other : possible) {
        list += (list.empty() ? "" : ", ") + other;
      }
      throw ConfigError("--estimator: the runs given and the data set's labels do not allow '" +
                        name + "' (they allow: " + list + ")");
    }
  }
}

}  // namespace

std::string EstimatedRow::name() const {
  return analysis::method_title(info->name) + (answer ? " (" + describe(answer) + ")" : "");
}

std::vector<AnswerPosition> parse_answers(const std::vector<std::string>& names) {
  std::vector<AnswerPosition> answers;
  for (const std::string& name : names) {
    const AnswerPosition answer = analysis::parse_answer_position(name);
    if (std::find(answers.begin(), answers.end(), answer) == answers.end()) {
      answers.push_back(answer);
    }
  }
  return answers;
}

std::vector<EstimatedRow> estimate_rows(std::span<const LoggedRun> runs,
                                        std::span<const AnswerPosition> answers,
                                        const LabelSet& label_set,
                                        const std::vector<std::string>& names,
                                        std::vector<std::string>& warnings) {
  check_names(names, runs, label_set);
  std::vector<EstimatedRow> rows;
  std::set<std::pair<const LoggedRun*, std::string>> seen;
  for (const EstimatorInfo& info : analysis::estimators()) {
    if (!is_wanted(info, names)) {
      continue;
    }
    bool is_named = false;  // as not applicable, once
    for (const LoggedRun& run : runs) {
      if (!suits(info, run)) {
        continue;
      }
      if (!info.fits(label_set.kind())) {
        if (info.is_multilabel_only && !std::exchange(is_named, true)) {
          rows.push_back({&info, nullptr, {}, {}});
        }
        continue;
      }
      std::vector<std::optional<AnswerPosition>> positions = {std::nullopt};
      if (run.kind != ItemId::Kind::Example) {
        positions.assign(answers.begin(), answers.end());
      }
      for (const auto& position : positions) {
        analysis::EstimatorOptions options;
        options.answer = position.value_or(options.answer);
        EstimatedRow row{&info, &run, position, estimate_run(info.name, run, label_set, options)};
        for (const std::string& warning : row.estimates.warnings) {
          if (seen.insert({&run, warning}).second) {
            warnings.push_back(describe(run) + ": " + row.name() + ": " + warning);
          }
        }
        rows.push_back(std::move(row));
      }
    }
  }
  return rows;
}

analysis::Estimates estimate_run(std::string_view estimator,
                                 const LoggedRun& run,
                                 const LabelSet& label_set,
                                 const analysis::EstimatorOptions& options) {
  try {
    return analysis::estimate(estimator, run.items, label_set, options);
  } catch (const ConfigError& error) {
    throw ConfigError(describe(run) + ": " + error.what());
  } catch (const DataError& error) {
    throw DataError(describe(run) + ": " + error.what());
  }
}

std::string describe(const std::optional<AnswerPosition>& answer) {
  return answer ? std::string(analysis::name_of(*answer)) : "";
}

}  // namespace labelprobe::app
