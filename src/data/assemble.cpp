#include "data/assemble.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/text_file.h"
#include "labelprobe/python/text.h"

#include "data/reading/id_lists.h"

namespace labelprobe::data {

namespace {

struct AssembledItem {
  std::size_t record;  // position in the list of kept records
  const Labels* labels;
};

// One annotator's examples, in the order of the data.
struct AnnotatorItems {
  std::string annotator;
  std::vector<AssembledItem> items;
};

using Annotations = std::vector<AnnotatorItems>;

// All splits in one list. An example that a later split repeats keeps its first place and takes the
// later content.
std::vector<const Record*> unite(const std::vector<SplitRecords>& splits) {
  std::vector<const Record*> records;
  std::unordered_map<std::string, std::size_t> position_of;
  for (const SplitRecords& split : splits) {
    for (const Record& record : split.records()) {
      const auto [found, is_new] = position_of.emplace(record.example_id, records.size());
      if (is_new) {
        records.push_back(&record);
      } else {
        records[found->second] = &record;
      }
    }
  }
  return records;
}

bool has_only_aggregate(const Record& record) {
  return record.votes.size() == 1 && record.votes.front().annotator == kAggregate;
}

Annotations annotations_of(const std::vector<const Record*>& records,
                           const std::optional<std::vector<std::string>>& annotator_ids) {
  std::unordered_set<std::string> wanted;
  if (annotator_ids) {
    wanted.insert(annotator_ids->begin(), annotator_ids->end());
  }
  Annotations annotations;
  std::unordered_map<std::string, std::size_t> position_of;
  for (std::size_t i = 0; i < records.size(); ++i) {
    for (const Vote& vote : records[i]->votes) {
      const bool is_kept =
          !annotator_ids || has_only_aggregate(*records[i]) || wanted.contains(vote.annotator);
      if (!is_kept) {
        continue;
      }
      const auto [found, is_new] = position_of.emplace(vote.annotator, annotations.size());
      if (is_new) {
        annotations.push_back({vote.annotator, {}});
      }
      annotations[found->second].items.push_back({i, &vote.labels});
    }
  }
  return annotations;
}

void drop_aggregate(Annotations& annotations) {
  std::erase_if(annotations, [](const AnnotatorItems& a) { return a.annotator == kAggregate; });
}

template <typename T>
void keep_positions(std::vector<T>& list, const PositionRange& range) {
  const auto size = static_cast<std::int64_t>(list.size());
  list.erase(list.begin() + std::min(range.end, size), list.end());
  list.erase(list.begin(),
             list.begin() + std::min(range.begin, static_cast<std::int64_t>(list.size())));
}

void keep_productive_annotators(Annotations& annotations, const PositionRange& range) {
  drop_aggregate(annotations);
  std::stable_sort(annotations.begin(), annotations.end(),
                   [](const auto& a, const auto& b) { return a.items.size() > b.items.size(); });
  keep_positions(annotations, range);
}

// How many of the annotators left have each record.
std::vector<std::size_t> n_annotators_of(const Annotations& annotations, std::size_t n_records) {
  std::vector<std::size_t> counts(n_records, 0);
  for (const AnnotatorItems& a : annotations) {
    for (const AssembledItem& item : a.items) {
      ++counts[item.record];
    }
  }
  return counts;
}

void keep_common_examples(Annotations& annotations, std::size_t n_records) {
  const std::vector<std::size_t> counts = n_annotators_of(annotations, n_records);
  for (AnnotatorItems& a : annotations) {
    std::erase_if(a.items,
                  [&](const AssembledItem& i) { return counts[i.record] < annotations.size(); });
  }
}

void keep_most_annotated(Annotations& annotations,
                         const PositionRange& range,
                         std::size_t n_records) {
  const std::vector<std::size_t> counts = n_annotators_of(annotations, n_records);
  for (AnnotatorItems& a : annotations) {
    std::stable_sort(a.items.begin(), a.items.end(),
                     [&](const AssembledItem& left, const AssembledItem& right) {
                       return counts[left.record] > counts[right.record];
                     });
    keep_positions(a.items, range);
  }
}

// One copy of each of the first annotator's examples, with the aggregate label where there is one.
Annotations collapse(const Annotations& annotations, const std::vector<const Record*>& records) {
  AnnotatorItems collapsed{std::string(kAggregate), {}};
  if (!annotations.empty()) {
    collapsed.items = annotations.front().items;
  }
  for (AssembledItem& item : collapsed.items) {
    for (const Vote& vote : records[item.record]->votes) {
      if (vote.annotator == kAggregate) {
        item.labels = &vote.labels;
      }
    }
  }
  return {collapsed};
}

// Counts the examples that each step takes away.
class DropCounter {
 public:
  DropCounter(std::size_t n_read,
              const DatasetOptions& options,
              std::vector<DroppedExamples>& dropped)
      : n_left_(n_read), options_(options), dropped_(dropped) {}

  // From now on `n_examples` are left, for the reason given.
  void count(std::size_t n_examples, std::string_view reason) {
    if (n_examples < n_left_) {
      dropped_.push_back({std::string(reason), n_left_ - n_examples});
    }
    n_left_ = n_examples;
  }

  // The examples that the list would have, were this the last step.
  void count(const Annotations& annotations, std::size_t n_records, std::string_view reason) {
    const bool is_any_annotator =
        options_.annotation_mode != AnnotationMode::Aggregate || options_.keep_one_after_filtering;
    std::vector<bool> is_left(n_records, false);
    for (const AnnotatorItems& a : annotations) {
      for (const AssembledItem& item : a.items) {
        is_left[item.record] =
            is_left[item.record] || is_any_annotator || a.annotator == kAggregate;
      }
    }
    count(static_cast<std::size_t>(std::count(is_left.begin(), is_left.end(), true)), reason);
  }

 private:
  std::size_t n_left_;
  const DatasetOptions& options_;
  std::vector<DroppedExamples>& dropped_;
};

std::size_t n_records_of(const std::vector<SplitRecords>& splits) {
  std::size_t n_records = 0;
  for (const SplitRecords& split : splits) {
    n_records += split.records().size();
  }
  return n_records;
}

// How many examples of each split the files had and the list has.
std::vector<SplitCount> count_splits(const std::vector<SplitRecords>& splits,
                                     const std::vector<const Record*>& records,
                                     const std::vector<bool>& is_listed) {
  std::unordered_set<const Record*> listed;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (is_listed[i]) {
      listed.insert(records[i]);
    }
  }
  std::vector<SplitCount> counts;
  for (const SplitRecords& split : splits) {
    SplitCount count{split.split(), split.records().size(), 0};
    for (const Record& record : split.records()) {
      count.n_kept += listed.contains(&record) ? 1 : 0;
    }
    counts.push_back(std::move(count));
  }
  return counts;
}

// What was asked for, to name it where nothing fulfils it.
std::string describe_filters(const DatasetOptions& options, std::size_t n_before) {
  std::string filters;
  const auto add = [&](bool is_used, std::string_view name) {
    if (is_used) {
      filters += (filters.empty() ? "" : ", ") + std::string(name);
    }
  };
  add(options.annotation_mode != AnnotationMode::Aggregate, "annotation_mode");
  add(!options.ids_filenames.empty(), "ids_filename");
  add(options.annotator_ids.has_value(), "annotators of the training data");
  add(options.debug_ann.has_value(), "debug_ann");
  add(options.keep_same_examples, "keep_same_examples");
  add(options.debug_len.has_value(), "debug_len");
  return fmt::format("expected at least one example, found none of {} left after: {}", n_before,
                     filters.empty() ? "reading" : filters);
}

// Names are found in answers as they are written, and nobody sees blanks around them.
void check_names(const std::string& dataset, const LabelSet& label_set) {
  for (const std::string& name : label_set.names()) {
    if (python::strip(name) != name) {
      throw DataError(
          fmt::format("{}: expected names of labels without blanks around them, found "
                      "{}",
                      dataset, files::shown(name)));
    }
  }
}

}  // namespace

Dataset assemble(std::string name, LoadedSplits loaded, const DatasetOptions& options) {
  check_names(name, loaded.label_set);
  Dataset dataset{std::move(name), std::move(loaded.label_set), {}, {}, {}};
  dataset.notes.warnings = std::move(loaded.warnings);
  std::vector<const Record*> records = unite(loaded.splits);
  const std::size_t n_before = records.size();
  DropCounter drops(n_records_of(loaded.splits), options, dataset.notes.dropped);
  drops.count(n_before, "repeated by a later split");
  if (const auto allowed = allowed_ids(options, loaded.splits, dataset.notes.warnings)) {
    std::erase_if(records, [&](const Record* r) { return !allowed->contains(r->example_id); });
    drops.count(records.size(), "not in the id list");
  }
  Annotations annotations = annotations_of(records, options.annotator_ids);
  drops.count(annotations, records.size(), "no annotator of the training data");
  if (options.debug_ann) {
    keep_productive_annotators(annotations, *options.debug_ann);
    drops.count(annotations, records.size(), "debug_ann");
  }
  if (options.keep_same_examples) {
    keep_common_examples(annotations, records.size());
    drops.count(annotations, records.size(), "keep_same_examples");
  }
  if (options.debug_len) {
    keep_most_annotated(annotations, *options.debug_len, records.size());
    drops.count(annotations, records.size(), "debug_len");
  }
  if (options.annotation_mode == AnnotationMode::Annotator) {
    drop_aggregate(annotations);
    drops.count(annotations, records.size(), "no annotator");
  }
  for (const AnnotatorItems& a : annotations) {
    dataset.annotators.push_back(a.annotator);
  }
  if (options.keep_one_after_filtering) {
    annotations = collapse(annotations, records);
    drops.count(annotations, records.size(), "keep_one_after_filtering");
  }
  std::vector<bool> is_listed(records.size(), false);
  for (const AnnotatorItems& a : annotations) {
    if (options.annotation_mode == AnnotationMode::Aggregate && a.annotator != kAggregate) {
      continue;
    }
    for (const AssembledItem& item : a.items) {
      const Record& record = *records[item.record];
      dataset.examples.push_back({record.example_id, a.annotator, record.text, *item.labels});
      is_listed[item.record] = true;
    }
  }
  if (dataset.examples.empty()) {
    throw DataError(fmt::format("{}: {}", dataset.name, describe_filters(options, n_before)));
  }
  dataset.notes.splits = count_splits(loaded.splits, records, is_listed);
  return dataset;
}

}  // namespace labelprobe::data
