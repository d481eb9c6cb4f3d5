#include "record/folder/folder_choice.h"

#include <algorithm>
#include <system_error>
#include <vector>

#include "labelprobe/core/error.h"
#include "labelprobe/files/disk.h"

#include "record/folder/folder_name.h"

namespace labelprobe::record {

namespace fs = std::filesystem;

namespace {

// The folders with a manifest below `top`, sorted. Hidden folders are passed over.
std::vector<fs::path> experiment_folders(const fs::path& top) {
  std::vector<fs::path> folders;
  std::error_code error;
  auto entry = fs::recursive_directory_iterator(top, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry->is_directory(error) && entry->path().filename().string().starts_with(".")) {
      entry.disable_recursion_pending();
    } else if (entry->path().filename() == kManifestName && entry->is_regular_file(error)) {
      folders.push_back(entry->path().parent_path());
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw ConfigError(top.string() + ": cannot be searched for earlier runs: " + error.message());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

fs::path first_free(const fs::path& category, const std::string& name) {
  for (int k = 0;; ++k) {
    fs::path folder = category / (name + "_" + std::to_string(k));
    if (!fs::exists(fs::symlink_status(folder))) {
      return folder;
    }
  }
}

bool lies_inside(const fs::path& path, const fs::path& folder) {
  return path.string().starts_with(folder.string() + "/");
}

}  // namespace

FolderChoice choose_folder(const RunRequest& request, const nlohmann::json& params) {
  const fs::path category = request.log_root / request.category;
  const std::string name = wanted_name(request);
  const std::vector<fs::path> folders = experiment_folders(category);
  const std::set<std::string> of_process = names_with(request.params, Bearing::Process);
  std::optional<fs::path> exact;
  std::vector<fs::path> equivalent;
  for (const fs::path& folder : folders) {
    const Manifest manifest = Manifest::load(folder / kManifestName);
    std::set<std::string> ignored = names_not_comparable(request.params);
    for (const std::string& stored : manifest.not_comparable) {
      // What the request knows, it judges itself.
      if (!params.contains(stored)) {
        ignored.insert(stored);
      }
    }
    const auto& experiments = manifest.experiments;
    if (!exact && std::any_of(experiments.begin(), experiments.end(), [&](const Experiment& e) {
          return are_equal(e.params, params, of_process);
        })) {
      exact = folder;
    }
    if (!experiments.empty() && are_equivalent(experiments.back().params, params, ignored)) {
      equivalent.push_back(folder);
    }
  }
  FolderChoice choice;
  choice.found = exact                    ? exact
                 : equivalent.size() == 1 ? std::optional(equivalent[0])
                                          : std::nullopt;
  if (!choice.found) {
    choice.folder = first_free(category, name);
    return choice;
  }
  choice.folder = *choice.found;
  const std::string found_name = choice.found->lexically_relative(category).string();
  if (request.alternative_name.empty() || found_name.starts_with(name)) {
    return choice;
  }
  const fs::path target = first_free(category, name);
  choice.is_kept_in_place = lies_inside(target, *choice.found) ||
                            std::any_of(folders.begin(), folders.end(), [&](const fs::path& other) {
                              return lies_inside(other, *choice.found);
                            });
  if (!choice.is_kept_in_place) {
    choice.folder = target;
  }
  return choice;
}

fs::path journal_path(const fs::path& folder, std::size_t index) {
  return folder / ("journal_" + std::to_string(index) + ".jsonl");
}

ExperimentChoice choose_experiment(const Manifest& manifest,
                                   const fs::path& folder,
                                   const RunRequest& request,
                                   const nlohmann::json& params) {
  using State = ExperimentChoice::State;
  const std::set<std::string> ignored = names_with(request.params, Bearing::Process);
  std::optional<std::size_t> finished;
  std::optional<std::size_t> starts_over;
  for (std::size_t i = 0; i < manifest.experiments.size(); ++i) {
    const Experiment& experiment = manifest.experiments[i];
    if (!are_equal(experiment.params, params, ignored)) {
      continue;
    }
    const bool is_about_the_same = experiment.contents_fingerprint == request.contents_fingerprint;
    if (experiment.state != ExperimentState::Finished) {
      if (is_about_the_same && experiment.record_version == kRecordVersion) {
        return {i, State::GoesOn};
      }
      starts_over = starts_over.value_or(i);
    } else if (is_about_the_same && (request.if_finished == IfFinished::Keep ||
                                     files::size_of(journal_path(folder, i)))) {
      finished = finished.value_or(i);
    }
  }
  if (finished) {
    return {*finished, State::Finished};
  }
  return starts_over ? ExperimentChoice{*starts_over, State::StartsOver}
                     : ExperimentChoice{manifest.experiments.size(), State::New};
}

}  // namespace labelprobe::record
