// Draws the examples that runs are compared on, balanced by the number of labels and by whether the
// annotators agree, as the evaluation lists of *Large Language Models Do Multi-Label
// Classification Differently* are described: equal thirds of examples with no, one and several
// labels, half of each disputed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/data/dataset.h"

namespace labelprobe::data {

enum class ListRule {
  Main,       // thirds by number of labels, or equal shares of the classes; halves by disagreement
  MultiLabel  // examples with several labels only, nothing else balanced
};

// "main" or "multilabel"; ConfigError naming them otherwise.
ListRule parse_list_rule(std::string_view name);

// One kind of examples, drawn from by itself.
struct ListCell {
  std::string group;  // "no label", "one label", "several labels", or a class
  std::string votes;  // "disputed" or "agreed"; "" where annotators do not count
  std::size_t n_available = 0;
  std::size_t n_wanted = 0;  // an equal share of the list
  std::size_t n_drawn = 0;   // differs where this cell or another one is too small
};

struct EvaluationList {
  std::vector<std::string> example_ids;  // in the order of the data set
  std::vector<ListCell> cells;           // in the order they were drawn from
  std::size_t n_left_out = 0;  // examples with fewer than two annotators, where those count
};

// Draws `n` examples. Annotators count if the set was read with any (AnnotationMode::Both) and the
// rule asks for them. What a cell lacks comes from the other half of its group, what a group lacks
// from the other groups, so that all are as equal as can be.
// The draws are CPython's: random.seed(seed), then for each cell in turn random.sample(positions,
// n_drawn).
// Throws ConfigError if n < 1, for items of AnnotationMode::Annotator, and for ListRule::MultiLabel
// of a single-label set; DataError if fewer than n examples are there.
EvaluationList draw_evaluation_list(const Dataset& dataset,
                                    ListRule rule,
                                    int n,
                                    std::int64_t seed);

}  // namespace labelprobe::data
