#include "app/commands/voted_set.h"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"

namespace labelprobe::app {

analysis::VotedSet load_votes(const std::string& task, data::DatasetOptions options) {
  if (!data::dataset_info(task).has_annotators) {
    std::vector<std::string_view> known;
    for (const data::DatasetInfo& info : data::datasets()) {
      if (info.has_annotators) {
        known.push_back(info.name);
      }
    }
    throw ConfigError(fmt::format(
        "{}: expected a data set with several annotators per example, whose votes are what "
        "estimates are compared with; found one without (with annotators: {})",
        task, fmt::join(known, ", ")));
  }
  options.annotation_mode = data::AnnotationMode::Both;
  // Which examples count is said by the runs; these would drop votes on them.
  options.debug_len.reset();
  options.keep_same_examples = false;
  options.keep_one_after_filtering = false;
  const data::Dataset dataset = data::load(task, options);
  analysis::VotedSet set;
  set.label_set = dataset.label_set;
  for (const Example& example : dataset.examples) {
    set.example_ids.insert(example.example_id);
  }
  set.votes = analysis::count_votes(dataset.examples, dataset.label_set);
  set.warnings = dataset.notes.warnings;
  return set;
}

}  // namespace labelprobe::app
