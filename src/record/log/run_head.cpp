#include "record/log/run_head.h"

#include <string>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "record/log/finished.h"
#include "record/log/log_reader.h"
#include "record/log/params_reader.h"

namespace labelprobe::record {

namespace fs = std::filesystem;

namespace {

std::string text_param(const LoggedParams& params, const std::string& name) {
  const auto found = params.find(name);
  return found == params.end() || found->second == "null" ? "" : found->second;
}

// The experiment that a reader asks for, which is the last one if nothing is said.
int choose(const fs::path& folder, std::optional<int> index, Unfinished unfinished) {
  const std::vector<bool> finished = finished_by_manifest(folder);
  if (finished.empty()) {
    return choose_logged(folder, index);
  }
  const int last = static_cast<int>(finished.size()) - 1;
  const int chosen = index.value_or(last);
  std::string known;
  for (int i = 0; i <= last; ++i) {
    if (unfinished == Unfinished::Taken || finished[static_cast<std::size_t>(i)]) {
      known += fmt::format("{}{}", known.empty() ? "" : ", ", i);
    }
  }
  if (chosen < 0 || chosen > last) {
    throw ConfigError(
        fmt::format("{}: no experiment {} (there are: {})", folder.string(), chosen, known));
  }
  if (unfinished == Unfinished::Refused && !finished[static_cast<std::size_t>(chosen)]) {
    throw DataError(fmt::format("{}: experiment_{} is unfinished: run the same command again{}",
                                folder.string(), chosen,
                                known.empty() ? "" : fmt::format(" (finished: {})", known)));
  }
  return chosen;
}

}  // namespace

LoggedRun read_head(const fs::path& folder, std::optional<int> index, Unfinished unfinished) {
  check_run_folder(folder);
  LoggedRun run;
  run.folder = folder;
  run.index = choose(folder, index, unfinished);
  run.params = read_params(folder, run.index);
  run.model = text_param(run.params, "model_name_or_path");
  run.plan = text_param(run.params, "distribution");
  return run;
}

FinishedExperiments find_finished(const fs::path& folder) {
  FinishedExperiments found;
  const std::vector<bool> finished = finished_by_manifest(folder);
  for (std::size_t i = 0; i < finished.size(); ++i) {
    if (finished[i]) found.indices.push_back(static_cast<int>(i));
  }
  found.have_params = !finished.empty();
  if (finished.empty() && has_items(folder)) found.indices = logged_experiments(folder);
  return found;
}

}  // namespace labelprobe::record
