// How a run comes to its folder and its experiment, and what it takes up there.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/mapped_file.h"
#include "labelprobe/record/logged_run.h"

#include "record/folder/folder_choice.h"
#include "record/folder/journal.h"
#include "record/folder/params.h"
#include "record/log/aggregates.h"
#include "record/log/finished.h"
#include "record/replacement.h"
#include "record/run_folder.h"

namespace labelprobe::record {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

// Throws DataError if files that another experiment needs have lost bytes: those that an
// interrupted process was writing, and the numbers of finished experiments. Others may be writing
// meanwhile, so nothing beyond these is looked at.
void check_usable(const fs::path& folder, const Manifest& manifest) {
  const auto is_replacing = [](const Experiment& e) {
    return e.state == ExperimentState::Replacing;
  };
  if (std::any_of(manifest.experiments.begin(), manifest.experiments.end(), is_replacing)) {
    return;  // some files are the new ones, some the old ones
  }
  for (std::size_t i = 0; i < manifest.experiments.size(); ++i) {
    const Experiment& experiment = manifest.experiments[i];
    if (experiment.state == ExperimentState::Writing) {
      for (const auto& [name, n_bytes] : experiment.sizes) {
        files::check_longer(folder / name, n_bytes.value_or(0));
      }
    }
    if (const auto part = experiment.parts.find(kNumbersName); part != experiment.parts.end()) {
      const std::string text = files::size_of(folder / kNumbersName)
                                   ? std::string(files::MappedFile(folder / kNumbersName).text())
                                   : "";
      check_part(text, folder / kNumbersName, i, experiment, part->second);
    }
  }
}

}  // namespace

FolderChoice choose_folder(const RunRequest& request, const json& params) {
  return choose_folder(request, params, check_usable);
}

std::optional<fs::path> RunFolder::take_folder() {
  const fs::path category = request_.log_root / request_.category;
  disk_.make_folders(category);
  // Two processes that start together choose one after the other.
  const files::FileLock choosing(category / kLockName, patience("chooses its log folder"));
  const FolderChoice choice = choose_folder(request_, params_);
  notes_ = choice.notes;
  folder_ = choice.folder;
  if (!choice.found) {
    make_folder(category / ".making");
    return std::nullopt;
  }
  if (choice.folder == *choice.found && find_finished(*choice.found)) {
    return std::nullopt;
  }
  folder_ = *choice.found;
  const files::FileLock writing = lock_folder();
  if (choice.folder != folder_) {
    disk_.make_folders(choice.folder.parent_path());
    disk_.rename(folder_, choice.folder);
    notes_.push_back(fmt::format("moved the folder of equal runs from {} to {}", folder_.string(),
                                 choice.folder.string()));
    folder_ = choice.folder;
  }
  manifest_ = Manifest::load(file(kManifestName));
  finish_replacements();
  const ExperimentChoice experiment = choose_experiment(manifest_, folder_, request_, params_);
  recover();
  return take_up(experiment);
}

// Whether the run is over in this folder, journal and all: then nothing is changed there.
bool RunFolder::find_finished(const fs::path& folder) {
  const Manifest manifest = Manifest::load(folder / kManifestName);
  const ExperimentChoice choice = choose_experiment(manifest, folder, request_, params_);
  if (choice.state != ExperimentChoice::State::Finished ||
      files::size_of(journal_path(folder, choice.index)) || is_to_be_retried(choice, manifest)) {
    return false;
  }
  folder_ = folder;
  index_ = choice.index;
  was_finished_ = true;
  n_failed_ = manifest.experiments[index_].n_failed;
  return true;
}

// A folder appears under its name only when its experiment's lock is in it and its manifest says
// whose it is.
void RunFolder::make_folder(const fs::path& making) {
  manifest_.experiments.emplace_back();
  describe_experiment();
  if (fs::exists(making)) {
    disk_.remove_folder(making);
  }
  disk_.make_folders(making);
  disk_.replace(making / kManifestName, manifest_.encode());
  disk_.make_folders(folder_.parent_path());
  lock_ = files::FileLock::try_take(lock_path(making, index_));
  LABELPROBE_CHECK(lock_.has_value());
  disk_.rename(making, folder_);
  lock_->moved_to(lock_path(folder_, index_));
  open_journal(journal_path(folder_, index_));
}

void RunFolder::finish_replacements() {
  for (std::size_t i = 0; i < manifest_.experiments.size(); ++i) {
    Experiment& experiment = manifest_.experiments[i];
    if (experiment.state != ExperimentState::Replacing) continue;
    take_places(disk_, folder_, i);
    experiment.state = ExperimentState::Finished;
    save_manifest();
    notes_.push_back(fmt::format(
        "put those files of experiment_{} in place that an interrupted process had written anew",
        i));
  }
}

void RunFolder::recover() {
  finish_replacements();
  bool is_changed = false;
  for (std::size_t i = 0; i < manifest_.experiments.size(); ++i) {
    Experiment& experiment = manifest_.experiments[i];
    if (experiment.state == ExperimentState::Finished && files::size_of(journal_path(folder_, i))) {
      disk_.remove(lock_path(folder_, i));
      disk_.remove(journal_path(folder_, i));
    }
    if (experiment.state != ExperimentState::Writing) {
      continue;
    }
    for (const auto& [name, n_bytes] : experiment.sizes) {
      disk_.cut_to(file(name), n_bytes);
    }
    notes_.push_back(fmt::format(
        "removed what an interrupted process had written of experiment_{} to the YAML files", i));
    experiment.state = ExperimentState::Running;
    experiment.sizes.clear();
    is_changed = true;
  }
  if (is_changed) {
    save_manifest();
  }
}

std::optional<fs::path> RunFolder::take_up(const ExperimentChoice& choice) {
  using State = ExperimentChoice::State;
  index_ = choice.index;
  is_retry_ = is_to_be_retried(choice, manifest_);
  was_finished_ = choice.state == State::Finished && !is_retry_;
  n_failed_ = choice.state == State::Finished ? manifest_.experiments[index_].n_failed : 0;
  if (was_finished_) {
    return std::nullopt;
  }
  lock_ = files::FileLock::try_take(lock_path(folder_, index_), request_.patience.takes_over);
  if (!lock_) {
    return lock_path(folder_, index_);
  }
  if (is_retry_) {
    take_up_finished();
    return std::nullopt;
  }
  const std::vector<std::string> reasons = explain(manifest_, choice, request_, params_);
  notes_.insert(notes_.end(), reasons.begin(), reasons.end());
  const std::string before = manifest_.encode();
  if (choice.state == State::New) {
    manifest_.experiments.emplace_back();
  }
  Experiment& experiment = manifest_.experiments[index_];
  if (choice.state != State::GoesOn && files::size_of(journal_path(folder_, index_))) {
    set_aside(journal_path(folder_, index_), experiment);
  }
  if (choice.state == State::StartsOver) {
    experiment = Experiment{};
  }
  describe_experiment();
  if (manifest_.encode() != before) {
    save_manifest();
  }
  open_journal(journal_path(folder_, index_));
  return std::nullopt;
}

bool RunFolder::is_to_be_retried(const ExperimentChoice& choice, const Manifest& manifest) const {
  return choice.state == ExperimentChoice::State::Finished && request_.retries_failed &&
         manifest.experiments[choice.index].n_failed > 0;
}

void RunFolder::take_up_finished() {
  remove_drafts(disk_, folder_, index_);
  const std::vector<ItemRecord> logged =
      read_run(folder_, static_cast<int>(index_), Annotators::All).items;
  notes_.push_back(fmt::format("{} was finished with {} failed items, which are computed again",
                               experiment_key(), n_failed_));
  open_journal(retried_path(folder_, index_));
  retried_ = items_.keys();
  for (const ItemRecord& item : logged) {
    if (!item.failure && !items_.contains(item.key)) items_.hold(item);
  }
}

void RunFolder::describe_experiment() {
  Experiment& experiment = manifest_.experiments[index_];
  experiment.params = params_;
  experiment.contents = request_.contents;
  experiment.n_items = request_.n_items;
  manifest_.not_comparable.merge(names_not_comparable(request_.params));
}

void RunFolder::set_aside(const fs::path& journal, const Experiment& experiment) {
  int n = 0;
  fs::path aside;
  do {
    aside = fmt::format("{}.stale-{}", journal.string(), n++);
  } while (fs::exists(aside));
  disk_.rename(journal, aside);
  const std::string changed = changed_contents(experiment, request_);
  notes_.push_back(
      fmt::format("{} starts over: {}; its items so far are kept in {}", experiment_key(),
                  experiment.record_version != kRecordVersion
                      ? "another version of the program, which kept other things of each item, "
                        "was interrupted in it"
                  : changed.empty() ? "no experiment of the manifest has its journal"
                                    : fmt::format("changed since it was interrupted: {}", changed),
                  aside.string()));
}

void RunFolder::open_journal(const fs::path& path) {
  const JournalState state = take_up_journal(
      disk_, path, items_, [&](std::string repair) { notes_.push_back(std::move(repair)); });
  // A damaged line may have been that of an item computed again: then its failure is out of date.
  if (request_.retries_failed || !state.damaged_lines.empty()) {
    const std::size_t n = items_.erase_failed();
    if (n > 0) notes_.push_back(fmt::format("{} failed items are computed again", n));
  }
  if (!items_.empty()) {
    notes_.push_back(
        fmt::format("took up {} with {} finished items", experiment_key(), items_.size()));
  }
  journal_.emplace(disk_.open_append(path));
  items_.open(path);
}

}  // namespace labelprobe::record
