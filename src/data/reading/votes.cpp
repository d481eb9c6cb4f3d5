#include "data/reading/votes.h"

#include <map>
#include <optional>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/text_file.h"

namespace labelprobe::data {

namespace {

std::vector<bool> labels_found(const SplitRecords& split, std::size_t n_labels) {
  std::vector<bool> is_found(n_labels, false);
  for (const Record& record : split.records()) {
    for (const Vote& vote : record.votes) {
      for (const LabelIndex label : vote.labels) {
        is_found[static_cast<std::size_t>(label)] = true;
      }
    }
  }
  return is_found;
}

}  // namespace

void check_annotator(const std::string& annotator, const std::string& place) {
  if (annotator.empty() || annotator == kAggregate) {
    throw DataError(fmt::format("{}: expected an annotator's own name, found {}", place,
                                files::shown(annotator)));
  }
}

LabelIndex majority_of(std::span<const LabelIndex> votes) {
  std::map<LabelIndex, int> counts;
  for (const LabelIndex vote : votes) {
    ++counts[vote];
  }
  LabelIndex majority = votes.front();
  for (const LabelIndex vote : votes) {
    if (counts[vote] > counts[majority]) {
      majority = vote;
    }
  }
  return majority;
}

Labels labels_of_half(const std::vector<Vote>& votes) {
  std::map<LabelIndex, std::size_t> counts;
  for (const Vote& vote : votes) {
    for (const LabelIndex label : vote.labels) {
      ++counts[label];
    }
  }
  Labels labels;
  for (const auto& [label, count] : counts) {
    if (2 * count >= votes.size()) {
      labels.push_back(label);
    }
  }
  return labels;
}

LabelSet keep_labels_found(std::string_view dataset,
                           const std::vector<std::string>& names,
                           LabelKind kind,
                           std::vector<SplitRecords>& splits) {
  const std::string& last = splits.back().split();
  const std::vector<bool> is_kept = labels_found(splits.back(), names.size());
  std::vector<LabelIndex> new_index(names.size(), 0);
  std::vector<std::string> kept_names;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (is_kept[i]) {
      new_index[i] = static_cast<LabelIndex>(kept_names.size());
      kept_names.push_back(names[i]);
    }
  }
  if (kept_names.empty()) {
    throw DataError(fmt::format(
        "{}, split {}: expected examples with labels, found no label at all", dataset, last));
  }
  for (SplitRecords& split : splits) {
    const std::vector<bool> is_found = labels_found(split, names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (is_found[i] && !is_kept[i]) {
        throw DataError(
            fmt::format("{}: expected the same labels in all splits, found '{}' in split {} and "
                        "not in split {}",
                        dataset, names[i], split.split(), last));
      }
    }
    split.renumber_labels(new_index);
  }
  return LabelSet(kept_names, kind);
}

}  // namespace labelprobe::data
