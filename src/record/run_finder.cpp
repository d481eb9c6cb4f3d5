#include "labelprobe/record/run_finder.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "record/folder/folder_name.h"
#include "record/log/finished.h"

namespace labelprobe::record {

namespace {

namespace fs = std::filesystem;

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

// The last finished run of each model below the folder of a plan, by the model's name in
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
    if (error != std::errc() || end != last || number < 0 || !has_finished_run(path)) {
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
    for (const std::string& plan : query.plans) {
      if (fs::is_directory(folder / plan)) {
        known.insert(folder.filename().string());
      }
    }
  }
  if (query.id_list.empty()) {
    throw ConfigError(
        fmt::format("expected run folders, or --id-list and --model to find them by; id lists with "
                    "runs in {}: {}",
                    category.string(), listed(known)));
  }
  throw ConfigError(fmt::format("{}: no such folder; id lists with runs in {}: {}",
                                (category / query.id_list).string(), category.string(),
                                listed(known)));
}

std::string choose_model(const RunQuery& query,
                         const fs::path& folder,
                         const std::set<std::string>& models) {
  if (query.model.empty() && models.size() == 1) {
    return *models.begin();
  }
  std::string model = encode_in_name(query.model);
  if (query.model.empty() || !models.contains(model)) {
    const std::vector<std::string> known(models.begin(), models.end());
    const std::string near = nearest_choice(model, known);
    throw ConfigError(
        fmt::format("{}: {} (there are: {}){}", folder.string(),
                    query.model.empty() ? "expected --model to choose one of several"
                                        : fmt::format("no finished run of model '{}'", query.model),
                    listed(models), near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  }
  return model;
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
  for (const std::string& plan : query.plans) {
    runs.push_back(last_runs(folder / plan));
    for (const auto& [name, run] : runs.back()) {
      models.insert(name);
    }
  }
  const std::string model = choose_model(query, folder, models);
  FoundRuns found;
  for (std::size_t i = 0; i < query.plans.size(); ++i) {
    const auto run = runs[i].find(model);
    if (run != runs[i].end()) {
      found.folders.push_back(run->second.folder);
      found.notes.push_back(fmt::format("found {}", run->second.folder.string()));
    } else {
      found.notes.push_back(
          fmt::format("missing: no finished run {}",
                      (folder / query.plans[i] / fmt::format("{}_<k>", model)).string()));
    }
  }
  return found;
}

}  // namespace labelprobe::record
