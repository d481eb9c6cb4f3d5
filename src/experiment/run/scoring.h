// The metrics that a finished run ends with, by the rules of its program and plan.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/experiment/preparation.h"
#include "labelprobe/experiment/settings.h"
#include "labelprobe/record/run.h"

#include "experiment/run/item_notes.h"

namespace labelprobe::experiment {

struct RunMetrics {
  // Metrics of the annotator `aggregate`; unset if it has no items: unary, binary and
  // multilabel_ICL items belong to pseudo annotators such as `aggregate_unary_joy`.
  std::optional<record::Metrics> aggregate;
  std::map<std::string, record::Metrics> annotators;  // the others, by name
};

// What is right of each query, as labels of Questions::answer_set; unset where nothing is.
std::vector<std::optional<Labels>> right_answers(const Settings& settings,
                                                 const Questions& questions);

//   right, items  [n_queries], in the order of the queries; failed items are left out
RunMetrics score(const Plan& plan,
                 const LabelSet& answer_set,
                 std::span<const std::optional<Labels>> right,
                 const ItemNotes& items);

}  // namespace labelprobe::experiment
