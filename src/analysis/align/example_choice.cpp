// Which examples a table of alignments is about.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "labelprobe/analysis/alignment_builder.h"
#include "labelprobe/core/error.h"

#include "analysis/align/counted.h"

namespace labelprobe::analysis {

namespace {

// Throws DataError if all of them are unknown; a warning if some are.
void check_known(const std::string& source,
                 const LabelNumbers& probs,
                 const VotedSet& set,
                 const std::string& task,
                 std::vector<std::string>& warnings) {
  const Counted unknown =
      count_ids(probs, [&](const std::string& id) { return !set.example_ids.contains(id); });
  if (unknown.n == 0) return;
  if (unknown.n == probs.size()) {
    throw DataError(fmt::format(
        "{}: expected examples of {}'s test splits (and id lists), found none: all {} are unknown, "
        "the first '{}'; check --test-splits and --test-ids-filename",
        source, task, unknown.n, unknown.first));
  }
  warnings.push_back(
      fmt::format("{}: {} examples are not in the test splits, the first '{}'; they are left out",
                  source, n_of(unknown.n, probs.size()), unknown.first));
}

void add_ids(const LabelNumbers& probs, std::set<std::string>& ids) {
  for (const auto& [id, of_example] : probs) ids.insert(id);
}

}  // namespace

void AlignmentBuilder::choose_examples(std::span<const EstimatedRow> rows,
                                       std::span<const NamedScores> scores) {
  std::set<std::string> chosen;
  std::set<const RunLog*> seen;
  for (const EstimatedRow& row : rows) {
    if (!row.run || !seen.insert(row.run).second) continue;
    check_known(describe(*row.run), row.estimates.probs, set_, table_.task, table_.warnings);
    add_ids(row.estimates.probs, chosen);
  }
  for (const NamedScores& file : scores) {
    check_known(file.path.string(), file.estimates.probs, set_, table_.task, table_.warnings);
    if (seen.empty()) add_ids(file.estimates.probs, chosen);
  }
  if (chosen.empty()) {
    throw DataError(table_.task +
                    ": expected estimates, found none: every item of the runs failed");
  }
  const auto n_known = static_cast<std::size_t>(
      std::count_if(chosen.begin(), chosen.end(),
                    [&](const std::string& id) { return set_.example_ids.contains(id); }));
  std::erase_if(set_.votes, [&](const auto& entry) { return !chosen.contains(entry.first); });
  table_.n_examples_with_votes = set_.votes.size();
  if (set_.votes.empty()) {
    throw DataError(
        fmt::format("{}: none of the {} examples has an annotator's vote to compare with",
                    table_.task, n_known));
  }
  if (set_.votes.size() < n_known) {
    table_.warnings.push_back(n_of(n_known - set_.votes.size(), n_known) +
                              " examples have no annotator's vote and are left out");
  }
}

}  // namespace labelprobe::analysis
