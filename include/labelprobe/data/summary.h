// What a data set holds, in numbers: labels, annotators, and how far the annotators agree. Counts
// what is in the flat list, after every filter. Called by the commands that show data.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "labelprobe/data/dataset.h"

namespace labelprobe::data {

// The labels of some of the items.
struct LabelCounts {
  std::size_t n_items = 0;
  std::vector<std::size_t> n_with;  // per label of the set
  std::size_t n_without = 0;        // items that have no label
  std::size_t n_several = 0;        // items that have more than one
  double mean_labels = 0.0;         // per item: the label cardinality
};

struct AnnotatorCount {
  std::string annotator;
  std::size_t n_items = 0;
};

// Over the examples that at least two annotators labelled. A share of pairs is taken within each
// example and averaged over the examples, so that one with many annotators counts no more.
struct Agreement {
  std::size_t n_examples = 0;
  std::size_t n_disputed = 0;  // examples whose annotators did not all choose the same labels
  double same_labels = 0.0;    // share of pairs that chose exactly the same labels
  std::vector<double>
      same_on_label;  // per label: share of pairs that both chose it or both did not
};

struct Summary {
  std::size_t n_examples = 0;              // distinct
  LabelCounts aggregate;                   // the items of `aggregate`
  LabelCounts annotated;                   // all others
  std::vector<AnnotatorCount> annotators;  // without `aggregate`, most productive first
  std::optional<Agreement> agreement;      // unset if no example has two annotators
};

Summary summarize(const Dataset& dataset);

// The labels that annotators gave to one example, `aggregate` not among them.
struct ExampleVotes {
  std::string example_id;
  std::vector<const Labels*> votes;  // into the data set

  bool are_disputed() const;  // not all the same
};

// One element per distinct example, in the order of their first items; votes may be empty.
std::vector<ExampleVotes> votes_by_example(const Dataset& dataset);

}  // namespace labelprobe::data
