#include "record/folder/folder_choice.h"

#include <algorithm>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/disk.h"
#include "labelprobe/files/unreadable.h"

#include "record/folder/folder_name.h"
#include "record/folder/params.h"

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
    throw ConfigError(
        fmt::format("{}: cannot be searched for earlier runs: {}", top.string(), error.message()));
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

fs::path first_free(const fs::path& category, const std::string& name) {
  for (int k = 0;; ++k) {
    fs::path folder = category / fmt::format("{}_{}", name, k);
    if (!fs::exists(fs::symlink_status(folder))) {
      return folder;
    }
  }
}

bool lies_inside(const fs::path& path, const fs::path& folder) {
  return path.string().starts_with(fmt::format("{}/", folder.string()));
}

// A folder of experiments that can be read.
struct Candidate {
  fs::path folder;
  bool has_wanted_name = false;
  Manifest manifest;
};

std::vector<Candidate> load_candidates(const std::vector<fs::path>& folders,
                                       const RunRequest& request,
                                       std::vector<std::string>& notes) {
  const fs::path category = request.log_root / request.category;
  const std::string name = wanted_name(request);
  std::vector<Candidate> candidates;
  for (const fs::path& folder : folders) {
    const std::string found = folder.lexically_relative(category).string();
    try {
      candidates.push_back({folder, request.alternative_name.empty() || found.starts_with(name),
                            Manifest::load(folder / kManifestName)});
    } catch (const files::UnreadableError&) {
      throw;  // it may hold this very run
    } catch (const DataError& error) {
      notes.push_back(fmt::format("passed over {}: {}", folder.string(), error.what()));
    }
  }
  return candidates;
}

bool has_equal(const Candidate& candidate,
               const RunRequest& request,
               const nlohmann::json& params) {
  const std::set<std::string> ignored = names_with(request.params, Bearing::Process);
  const auto& experiments = candidate.manifest.experiments;
  return std::any_of(experiments.begin(), experiments.end(),
                     [&](const Experiment& e) { return are_equal(e.params, params, ignored); });
}

bool has_equivalent(const Candidate& candidate,
                    const RunRequest& request,
                    const nlohmann::json& params) {
  std::set<std::string> ignored = names_not_comparable(request.params);
  for (const std::string& stored : candidate.manifest.not_comparable) {
    // What the request knows, it judges itself.
    if (!params.contains(stored)) {
      ignored.insert(stored);
    }
  }
  const auto& experiments = candidate.manifest.experiments;
  return !experiments.empty() && are_equivalent(experiments.back().params, params, ignored);
}

// The folder of the same run or of the only equivalent ones; null: none.
const Candidate* find_folder(const std::vector<Candidate>& candidates,
                             const RunRequest& request,
                             const nlohmann::json& params) {
  using State = ExperimentChoice::State;
  const Candidate* best = nullptr;
  std::pair<bool, State> rank;  // without the wanted name, then by state: the least is the best
  std::vector<const Candidate*> equivalent;
  for (const Candidate& candidate : candidates) {
    const bool may_take = candidate.has_wanted_name || request.moves_equal;
    if (may_take && has_equivalent(candidate, request, params)) {
      equivalent.push_back(&candidate);
    }
    if (!has_equal(candidate, request, params)) continue;
    const State state =
        choose_experiment(candidate.manifest, candidate.folder, request, params).state;
    const std::pair<bool, State> found{
        state != State::GoesOn && state != State::Finished && !candidate.has_wanted_name, state};
    const bool is_the_run = state == State::GoesOn || state == State::Finished;
    if ((may_take || is_the_run) && (!best || found < rank)) {
      best = &candidate;
      rank = found;
    }
  }
  return best ? best : equivalent.size() == 1 ? equivalent.front() : nullptr;
}

// Whether a move would take other folders along, or pull a folder away from under a process.
bool is_bound(const Candidate& candidate,
              const fs::path& target,
              const std::vector<fs::path>& folders) {
  for (std::size_t i = 0; i < candidate.manifest.experiments.size(); ++i) {
    if (files::FileLock::holder(lock_path(candidate.folder, i))) return true;
  }
  return lies_inside(target, candidate.folder) ||
         std::any_of(folders.begin(), folders.end(),
                     [&](const fs::path& other) { return lies_inside(other, candidate.folder); });
}

}  // namespace

FolderChoice choose_folder(const RunRequest& request,
                           const nlohmann::json& params,
                           const CheckUsable& check_usable) {
  const fs::path category = request.log_root / request.category;
  const std::vector<fs::path> folders = experiment_folders(category);
  FolderChoice choice;
  std::vector<Candidate> candidates = load_candidates(folders, request, choice.notes);
  const Candidate* found = nullptr;
  while ((found = find_folder(candidates, request, params))) {
    try {
      if (choose_experiment(found->manifest, found->folder, request, params).state !=
          ExperimentChoice::State::Finished) {
        check_usable(found->folder, found->manifest);
      }
      break;
    } catch (const files::UnreadableError&) {
      throw;
    } catch (const DataError& error) {
      choice.notes.push_back(fmt::format(
          "passed over {}: {}; restore the file, or move its folder out of the log folder",
          found->folder.string(), error.what()));
      candidates.erase(candidates.begin() + (found - candidates.data()));
    }
  }
  const fs::path free = first_free(category, wanted_name(request));
  if (!found) {
    choice.folder = free;
    for (const Candidate& candidate : candidates) {
      if (!candidate.has_wanted_name && has_equivalent(candidate, request, params)) {
        choice.notes.push_back(fmt::format(
            "runs of the same settings are in {} and stay there (--move-equal moves them)",
            candidate.folder.string()));
      }
    }
    return choice;
  }
  choice.found = choice.folder = found->folder;
  if (!found->has_wanted_name && !request.moves_equal) {
    choice.notes.push_back(fmt::format(
        "this run is in {}, where it was begun under another name (--move-equal moves it)",
        found->folder.string()));
  } else if (!found->has_wanted_name && is_bound(*found, free, folders)) {
    choice.notes.push_back(
        fmt::format("{} has equal runs and stays where it is: other experiments lie inside it, or "
                    "a process is writing there",
                    found->folder.string()));
  } else if (!found->has_wanted_name) {
    choice.folder = free;
  }
  return choice;
}

fs::path journal_path(const fs::path& folder, std::size_t index) {
  return folder / fmt::format("journal_{}.jsonl", index);
}

fs::path lock_path(const fs::path& folder, std::size_t index) {
  return folder / fmt::format(".lock_{}", index);
}

ExperimentChoice choose_experiment(const Manifest& manifest,
                                   const fs::path& folder,
                                   const RunRequest& request,
                                   const nlohmann::json& params) {
  using State = ExperimentChoice::State;
  const std::set<std::string> ignored = names_with(request.params, Bearing::Process);
  const bool keeps = request.if_finished == IfFinished::Keep;
  std::optional<std::size_t> finished;
  std::optional<std::size_t> starts_over;
  for (std::size_t i = 0; i < manifest.experiments.size(); ++i) {
    const Experiment& experiment = manifest.experiments[i];
    if (!are_equal(experiment.params, params, ignored)) {
      continue;
    }
    const bool is_about_the_same = experiment.contents == request.contents;
    if (experiment.state == ExperimentState::Finished) {
      if (is_about_the_same && (keeps || files::size_of(journal_path(folder, i)))) {
        finished = finished.value_or(i);
      }
      continue;
    }
    const bool goes_on = is_about_the_same && experiment.record_version == kRecordVersion;
    const bool is_busy =
        files::FileLock::holder(lock_path(folder, i), request.patience.takes_over).has_value();
    if (goes_on && (keeps || !is_busy)) {
      return {i, State::GoesOn};
    }
    if (!is_busy) {
      starts_over = starts_over.value_or(i);
    }
  }
  if (finished) {
    return {*finished, State::Finished};
  }
  return starts_over ? ExperimentChoice{*starts_over, State::StartsOver}
                     : ExperimentChoice{manifest.experiments.size(), State::New};
}

std::string changed_contents(const Experiment& experiment, const RunRequest& request) {
  std::map<std::string, std::string> all = experiment.contents;
  all.insert(request.contents.begin(), request.contents.end());
  std::string names;
  for (const auto& [name, value] : all) {
    const auto there = experiment.contents.find(name);
    const auto here = request.contents.find(name);
    const bool is_equal = there != experiment.contents.end() && here != request.contents.end() &&
                          there->second == here->second;
    // What an earlier version did not note is not known to have changed.
    if (!is_equal && (there != experiment.contents.end() || experiment.contents.size() > 1)) {
      names += (names.empty() ? "" : ", ") + name;
    }
  }
  return names;
}

std::vector<std::string> explain(const Manifest& manifest,
                                 const ExperimentChoice& choice,
                                 const RunRequest& request,
                                 const nlohmann::json& params) {
  using State = ExperimentChoice::State;
  std::vector<std::string> sentences;
  if (choice.state != State::New) {
    return sentences;
  }
  const std::set<std::string> of_process = names_with(request.params, Bearing::Process);
  const std::set<std::string> repetition = names_with(request.params, Bearing::Repetition);
  for (std::size_t i = 0; i < manifest.experiments.size(); ++i) {
    const Experiment& experiment = manifest.experiments[i];
    const bool is_finished = experiment.state == ExperimentState::Finished;
    const std::vector<std::string> differences =
        describe_differences(experiment.params, params, of_process);
    const bool is_another_seed =
        std::any_of(repetition.begin(), repetition.end(), [&](const std::string& name) {
          return experiment.params.value(name, nlohmann::json()) !=
                 params.value(name, nlohmann::json());
        });
    const std::string contents = changed_contents(experiment, request);
    if (is_another_seed || (differences.empty() && contents.empty())) {
      continue;
    }
    std::string reasons;
    for (const std::string& difference : differences) {
      reasons += (reasons.empty() ? "" : ", ") + difference;
    }
    if (!contents.empty()) {
      reasons += (reasons.empty() ? "" : ", ") + fmt::format("changed since: {}", contents);
    }
    sentences.push_back(fmt::format(
        "experiment_{}{}{}", i,
        is_finished ? " is finished, but not this run: " : " is unfinished and not gone on with: ",
        reasons));
  }
  return sentences;
}

}  // namespace labelprobe::record
