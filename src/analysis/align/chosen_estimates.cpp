#include "labelprobe/analysis/chosen_estimates.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/analysis/estimated_rows.h"
#include "labelprobe/analysis/scores_file.h"
#include "labelprobe/core/error.h"

namespace labelprobe::analysis {

ChosenEstimates choose_estimates(std::span<const RunLog> runs,
                                 std::span<const AnswerPosition> answers,
                                 const LabelSet& label_set,
                                 const std::string& estimator) {
  std::vector<std::string> names;
  if (!estimator.empty()) names.push_back(estimator);
  ChosenEstimates chosen;
  std::vector<EstimatedRow> rows = estimate_rows(runs, answers, label_set, names, chosen.warnings);
  std::erase_if(rows, [](const EstimatedRow& row) { return row.run == nullptr; });
  if (rows.size() != 1) {
    std::vector<std::string> found;
    found.reserve(rows.size());
    for (const EstimatedRow& row : rows) {
      found.push_back(fmt::format("{}{} of {}", row.estimator->name,
                                  row.answer ? " (" + describe(row.answer) + ")" : "",
                                  describe(*row.run)));
    }
    throw ConfigError(fmt::format(
        "expected one estimate, found {}{}; name one run, --estimator NAME and one --answer",
        rows.empty() ? "none" : std::to_string(rows.size()) + ": ", fmt::join(found, "; ")));
  }
  const EstimatedRow& row = rows.front();
  chosen.estimates = row.estimates;
  chosen.place = describe(*row.run);
  chosen.model = row.run->model;
  chosen.answer = describe(row.answer);
  return chosen;
}

ChosenEstimates choose_scores(const std::filesystem::path& path, const LabelSet& label_set) {
  return {read_scores(path, label_set), path.string(), "", "", {}};
}

}  // namespace labelprobe::analysis
