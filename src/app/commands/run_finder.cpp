#include "app/commands/run_finder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "labelprobe/core/error.h"
#include "labelprobe/core/text.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

// The distributions that estimators are made from, in the order of the paper's tables.
constexpr std::array<std::string_view, 3> kDistributions = {"baseline", "unary", "binary"};

std::vector<fs::path> subfolders(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.is_directory(error)) {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string listed(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text.empty() ? "none" : text;
}

struct NumberedRun {
  int number = 0;
  fs::path folder;
};

// The last finished run of each model below the folder of a distribution, by the model's name in
// folder names.
std::map<std::string, NumberedRun> last_runs(const fs::path& folder) {
  std::map<std::string, NumberedRun> runs;
  for (const fs::path& path : subfolders(folder)) {
    const std::string name = path.filename().string();
    const std::size_t underscore = name.rfind('_');
    if (underscore == std::string::npos) {
      continue;
    }
    int number = 0;
    const char* last = name.data() + name.size();
    const auto [end, error] = std::from_chars(name.data() + underscore + 1, last, number);
    if (error != std::errc() || end != last || number < 0 || !is_finished_run(path)) {
      continue;
    }
    NumberedRun& run = runs[name.substr(0, underscore)];
    if (run.folder.empty() || run.number < number) {
      run = {number, path};
    }
  }
  return runs;
}

[[noreturn]] void fail_without_id_list(const RunQuery& query, const fs::path& category) {
  std::set<std::string> known;
  for (const fs::path& folder : subfolders(category)) {
    for (const std::string_view distribution : kDistributions) {
      if (fs::is_directory(folder / distribution)) {
        known.insert(folder.filename().string());
      }
    }
  }
  if (query.id_list.empty()) {
    throw ConfigError(
        "expected run folders, or --id-list and --model to find them by; id lists with runs in " +
        category.string() + ": " + listed(known));
  }
  throw ConfigError((category / query.id_list).string() +
                    ": no such folder; id lists with runs in " + category.string() + ": " +
                    listed(known));
}

std::string choose_model(const RunQuery& query,
                         const fs::path& folder,
                         const std::set<std::string>& models) {
  if (query.model.empty() && models.size() == 1) {
    return *models.begin();
  }
  std::string model = model_in_folder_name(query.model);
  if (query.model.empty() || !models.contains(model)) {
    const std::vector<std::string> known(models.begin(), models.end());
    const std::string near = nearest_choice(model, known);
    throw ConfigError(folder.string() + ": " +
                      (query.model.empty() ? "expected --model to choose one of several"
                                           : "no finished run of model '" + query.model + "'") +
                      " (there are: " + listed(models) + ")" +
                      (near.empty() ? "" : "; did you mean '" + near + "'?"));
  }
  return model;
}

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

}  // namespace

FoundRuns find_runs(const RunQuery& query) {
  const fs::path category = query.log_root / query.task;
  const fs::path folder = category / query.id_list;
  if (query.id_list.empty() || !fs::is_directory(folder)) {
    fail_without_id_list(query, category);
  }
  std::vector<std::map<std::string, NumberedRun>> runs;
  std::set<std::string> models;
  for (const std::string_view distribution : kDistributions) {
    runs.push_back(last_runs(folder / distribution));
    for (const auto& [name, run] : runs.back()) {
      models.insert(name);
    }
  }
  const std::string model = choose_model(query, folder, models);
  FoundRuns found;
  for (std::size_t i = 0; i < kDistributions.size(); ++i) {
    const auto run = runs[i].find(model);
    if (run != runs[i].end()) {
      found.folders.push_back(run->second.folder);
      found.notes.push_back("found " + run->second.folder.string());
    } else {
      found.notes.push_back("missing: no finished run " +
                            (folder / kDistributions[i] / (model + "_<k>")).string());
    }
  }
  return found;
}

bool is_finished_run(const fs::path& folder) {
  std::error_code error;
  const auto size = fs::file_size(folder / "indexed_metrics.yml", error);
  return !error && size > 0;
}

void check_finished_run(const fs::path& folder) {
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

std::string model_in_folder_name(std::string_view model) {
  return replace_all(replace_all(replace_all(model, "/", "--"), ",", "---"), "=", "--eq--");
}

}  // namespace labelprobe::app
