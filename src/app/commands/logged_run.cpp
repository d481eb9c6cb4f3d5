#include "app/commands/logged_run.h"

#include <algorithm>

#include "labelprobe/analysis/run_items.h"
#include "labelprobe/core/error.h"
#include "labelprobe/core/text.h"
#include "labelprobe/record/log_reader.h"

#include "app/commands/run_finder.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

std::string text_param(const record::LoggedParams& params, const std::string& name) {
  const auto found = params.find(name);
  return found == params.end() || found->second == "null" ? "" : found->second;
}

// What all items ask, of the kinds that estimators use.
ItemId::Kind kind_of(const LoggedRun& run, const std::string& distribution) {
  const ItemId::Kind kind = analysis::kind_of({describe(run), run.items});
  if (kind == ItemId::Kind::Ratio) {
    throw ConfigError(describe(run) +
                      ": expected a baseline, unary or binary run, found one of demonstration "
                      "ratios (multilabel_ICL), which has no estimator");
  }
  const bool is_named = distribution == "unary" || distribution == "binary";
  if (is_named && distribution != distribution_name(kind)) {
    throw DataError(describe(run) + ": params.yml says distribution " + distribution +
                    ", but the items look like '" + run.items.front().key + "'");
  }
  return kind;
}

// The labels an item speaks of.
std::vector<std::string> labels_of(const record::ItemRecord& item, ItemId::Kind kind) {
  if (kind != ItemId::Kind::Example) {
    return ItemId::parse(item.key, kind).labels;
  }
  std::vector<std::string> names;
  for (const auto& [name, prob] : item.first_probs()) {
    names.push_back(name);
  }
  return names;
}

// A step's probabilities are those of all labels.
void check_complete(const LoggedRun& run,
                    const record::ItemRecord& item,
                    const std::vector<std::string>& found,
                    const std::string& task,
                    const LabelSet& label_set) {
  for (const std::string& label : label_set.names()) {
    const bool is_there = std::any_of(found.begin(), found.end(), [&](const std::string& name) {
      return ascii_lower(name) == label;
    });
    if (!is_there) {
      throw DataError(describe(run) + ": item '" + item.key + "' has no probability of '" + label +
                      "', which is a label of " + task +
                      " with these options. Is the log of another data set, or of another label "
                      "set of it?");
    }
  }
}

void check_labels(const LoggedRun& run, const std::string& task, const LabelSet& label_set) {
  const std::vector<std::string> known = label_set.names_with_none();
  for (const record::ItemRecord& item : run.items) {
    const std::vector<std::string> found = labels_of(item, run.kind);
    if (run.kind == ItemId::Kind::Example && item.is_label_found()) {
      check_complete(run, item, found, task, label_set);
    }
    for (const std::string& label : found) {
      if (std::find(known.begin(), known.end(), ascii_lower(label)) == known.end()) {
        throw DataError(
            describe(run) + ": item '" + item.key + "' has the label '" + label + "', which " +
            task + " does not have with these options: " + unknown_choice("label", label, known) +
            ". Is the log of another data set?");
      }
    }
  }
}

}  // namespace

LoggedRun load_run(const fs::path& folder,
                   std::optional<int> experiment,
                   ModelState state,
                   const std::string& task,
                   const LabelSet& label_set) {
  check_finished_run(folder);
  record::LoggedExperiment logged = record::read_experiment(folder, experiment);
  LoggedRun run;
  run.folder = folder;
  run.experiment = logged.index;
  run.items = std::move(logged.items);
  run.is_tuned = state == ModelState::Tuned;
  const record::LoggedParams params = record::read_params(folder, run.experiment);
  run.model = text_param(params, "model_name_or_path");
  run.kind = kind_of(run, text_param(params, "distribution"));
  if (run.is_tuned && run.kind != ItemId::Kind::Example) {
    throw ConfigError(describe(run) + ": expected a baseline run of the fine-tuned model, found " +
                      std::string(distribution_name(run.kind)));
  }
  check_labels(run, task, label_set);
  return run;
}

std::string describe(const LoggedRun& run) {
  std::string name = run.folder.string();
  while (name.size() > 1 && name.ends_with('/')) {
    name.pop_back();
  }
  return name + ", experiment " + std::to_string(run.experiment);
}

}  // namespace labelprobe::app
