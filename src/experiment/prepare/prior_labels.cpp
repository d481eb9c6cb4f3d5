#include "labelprobe/experiment/prior_labels.h"

#include <algorithm>
#include <map>
#include <string>

#include "labelprobe/core/error.h"
#include "labelprobe/core/item_id.h"
#include "labelprobe/record/logged_run.h"

namespace labelprobe::experiment {

namespace {

Labels predicted_labels(const record::ItemRecord& item,
                        const LabelSet& label_set,
                        const PriorLog& log) {
  Labels labels;
  for (const std::string& name : item.predictions) {
    const auto label = label_set.index_of(name);
    if (!label) {
      throw DataError(log.folder.string() + ": item '" + item.key + "' predicts '" + name +
                      "': " + unknown_choice("label", name, label_set.names()));
    }
    labels.push_back(*label);
  }
  std::sort(labels.begin(), labels.end());
  return labels;
}

}  // namespace

void read_prior_labels(const PriorLog& log,
                       const LabelSet& label_set,
                       std::vector<Example>& examples) {
  if (log.folder.empty()) {
    return;
  }
  std::map<std::string, Labels> predictions;  // by log key
  const record::LoggedRun run =
      record::read_run(log.folder, log.experiment, record::Annotators::All);
  for (const record::ItemRecord& item : run.items) {
    if (!item.failure) {
      predictions[item.key] = predicted_labels(item, label_set, log);
    }
  }
  std::size_t n_known = 0;
  for (Example& example : examples) {
    const ItemId item = {.example_id = example.example_id, .annotator = example.annotator};
    const auto found = predictions.find(item.log_key());
    if (found != predictions.end()) {
      example.prior_labels = found->second;
      ++n_known;
    }
  }
  if (n_known == 0 && !examples.empty()) {
    throw DataError(log.folder.string() +
                    ": expected predictions for the examples of this run, "
                    "such as '" +
                    examples.front().example_id + "', found none of them");
  }
}

}  // namespace labelprobe::experiment
