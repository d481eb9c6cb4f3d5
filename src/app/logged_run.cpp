#include "logged_run.h"

#include <algorithm>

#include <yaml-cpp/yaml.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/text.h"
#include "labelprobe/record/log_reader.h"

#include "run_finder.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

// Finished runs at most two folders below one that is none, to say what was meant; of huge folders
// only a part is looked at.
std::vector<std::string> runs_below(const fs::path& folder) {
  constexpr int kMostEntries = 10'000;
  int n_entries = 0;
  std::vector<std::string> runs;
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(
           folder, fs::directory_options::skip_permission_denied, error);
       !error && entry != fs::recursive_directory_iterator() && n_entries++ < kMostEntries;
       entry.increment(error)) {
    if (entry.depth() >= 2) {
      entry.disable_recursion_pending();
    }
    if (entry->is_directory(error) && is_finished_run(entry->path())) {
      runs.push_back(entry->path().string());
    }
  }
  std::sort(runs.begin(), runs.end());
  return runs;
}

void check_folder(const fs::path& folder) {
  if (is_finished_run(folder)) {
    return;
  }
  if (!fs::is_directory(folder)) {
    const std::vector<std::string> known =
        runs_below(folder.parent_path().empty() ? "." : folder.parent_path());
    const std::string near = nearest_choice(folder.string(), known);
    throw DataError(folder.string() + ": expected the log folder of a finished run, found no " +
                    "such folder" + (near.empty() ? "" : "; did you mean '" + near + "'?"));
  }
  constexpr std::size_t kMostNamed = 5;
  const std::vector<std::string> known = runs_below(folder);
  std::string below;
  for (std::size_t i = 0; i < std::min(known.size(), kMostNamed); ++i) {
    below += (i == 0 ? "; runs below it: " : ", ") + known[i];
  }
  throw DataError(folder.string() +
                  ": expected the log folder of a finished run, found no indexed_metrics.yml in "
                  "it" +
                  below + (known.size() > kMostNamed ? ", ..." : ""));
}

// The logged parameters of an experiment; an undefined node if they are not there.
YAML::Node read_params(const fs::path& folder, int experiment) {
  const fs::path path = folder / "params.yml";
  if (!fs::is_regular_file(path)) {
    return YAML::Node(YAML::NodeType::Undefined);
  }
  YAML::Node root;
  try {
    root = YAML::LoadFile(path.string());
  } catch (const YAML::Exception& error) {
    throw DataError(path.string() + ":" + std::to_string(error.mark.line + 1) +
                    ": not YAML: " + error.msg);
  }
  YAML::Node params;
  if (root.IsMap()) {
    for (const auto& entry : root) {
      if (!entry.first.IsScalar() || !entry.second.IsMap()) {
        continue;
      }
      params = entry.second;  // the published files keep the last experiment's only
      if (entry.first.Scalar() == "experiment_" + std::to_string(experiment)) {
        break;
      }
    }
  }
  return params.IsMap() ? params : YAML::Node(YAML::NodeType::Undefined);
}

std::string text_param(const YAML::Node& params, const std::string& name) {
  if (!params.IsDefined()) {
    return "";
  }
  const YAML::Node node = params[name];
  return node && node.IsScalar() ? node.Scalar() : "";
}

// What all items ask; published and own logs alike hold one kind each.
ItemId::Kind kind_of(const LoggedRun& run, const std::string& distribution) {
  if (run.items.empty()) {
    throw DataError(describe(run) + ": expected items, found none");
  }
  const ItemId::Kind kind = ItemId::kind_of(run.items.front().key);
  for (const record::ItemRecord& item : run.items) {
    if (ItemId::kind_of(item.key) != kind) {
      throw DataError(describe(run) + ": expected items of one kind, found '" +
                      run.items.front().key + "' and '" + item.key + "'");
    }
  }
  if (kind == ItemId::Kind::Ratio) {
    throw ConfigError(describe(run) +
                      ": expected a baseline, unary or binary run, found one of demonstration "
                      "ratios (multilabel_ICL), which has no estimator");
  }
  const bool is_named = distribution == "unary" || distribution == "binary";
  if (is_named && distribution != describe(kind)) {
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
  for (const auto& [name, prob] : item.scores) {
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
    if (run.kind == ItemId::Kind::Example && !item.all_scores.empty()) {
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
  check_folder(folder);
  record::LoggedExperiment logged = record::read_experiment(folder, experiment);
  LoggedRun run;
  run.folder = folder;
  run.experiment = logged.index;
  run.items = std::move(logged.items);
  run.is_tuned = state == ModelState::Tuned;
  const YAML::Node params = read_params(folder, run.experiment);
  run.model = text_param(params, "model_name_or_path");
  run.kind = kind_of(run, text_param(params, "distribution"));
  if (run.is_tuned && run.kind != ItemId::Kind::Example) {
    throw ConfigError(describe(run) + ": expected a baseline run of the fine-tuned model, found " +
                      std::string(describe(run.kind)));
  }
  check_labels(run, task, label_set);
  return run;
}

std::string_view describe(ItemId::Kind kind) {
  switch (kind) {
    case ItemId::Kind::Unary:
      return "unary";
    case ItemId::Kind::Binary:
      return "binary";
    case ItemId::Kind::Ratio:
      return "multilabel_ICL";
    case ItemId::Kind::Example:
      break;
  }
  return "baseline";
}

std::string describe(const LoggedRun& run) {
  std::string name = run.folder.string();
  while (name.size() > 1 && name.ends_with('/')) {
    name.pop_back();
  }
  return name + ", experiment " + std::to_string(run.experiment);
}

}  // namespace labelprobe::app
