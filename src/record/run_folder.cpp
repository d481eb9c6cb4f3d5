#include "record/run_folder.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "record/folder/folder_choice.h"
#include "record/folder/journal.h"
#include "record/folder/params.h"
#include "record/log/experiment_files.h"
#include "record/replacement.h"
#include "record/request_checks.h"

namespace labelprobe::record {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

RunRequest checked(RunRequest request) {
  check_names(request);
  return request;
}

}  // namespace

RunFolder::RunFolder(RunRequest request, files::Disk::BeforeStep before_step)
    : disk_(std::move(before_step)),
      request_(checked(std::move(request))),
      params_(comparable_form(request_.params)) {
  // The other process needs the folder's lock to finish, so none is held while it is waited for.
  while (const auto busy = take_folder()) {
    files::FileLock::wait_until_free(*busy, patience("does this run"));
  }
}

files::FileLock RunFolder::lock_folder() const {
  return {file(kLockName), patience(fmt::format("writes {}", folder_.string()))};
}

// What is said of the process that is waited for.
files::Patience RunFolder::patience(const std::string& what) const {
  files::Patience patience = request_.patience;
  if (patience.on_wait) {
    patience.on_wait = [tell = request_.patience.on_wait, what](const std::string& holder) {
      tell(fmt::format("waiting for {}, which {}", holder, what));
    };
  }
  return patience;
}

void RunFolder::check_in_place() const {
  if (!lock_->is_in_place()) {
    if (const auto holder = files::FileLock::holder(lock_path(folder_, index_))) {
      throw files::LockedError(fmt::format(
          "{}: {}, has taken this run over, and this process leaves it; what it finished is kept",
          folder_.string(), *holder));
    }
    throw ConfigError(
        fmt::format("{}: was moved, deleted or replaced while this run wrote its log there; put it "
                    "back and give the same command again, which goes on with what is in {}",
                    folder_.string(), journal_path(folder_, index_).filename().string()));
  }
}

void RunFolder::save_manifest() {
  disk_.replace(file(kManifestName), manifest_.encode());
}

void RunFolder::add_provenance(const Provenance& provenance) {
  check_in_place();
  const files::FileLock writing = lock_folder();
  manifest_ = Manifest::load(file(kManifestName));
  std::vector<Provenance>& known = manifest_.experiments.at(index_).provenance;
  if (std::find(known.begin(), known.end(), provenance) == known.end()) {
    known.push_back(provenance);
    save_manifest();
  }
}

void RunFolder::append(std::span<const ItemRecord> items) {
  LABELPROBE_CHECK(journal_.has_value());
  if (items.empty()) {
    return;
  }
  for (const ItemRecord& item : items) check_item(item, request_.layout);
  const JournalLines lines(items);
  check_in_place();
  lines.append_to(*journal_, items_);
  if (is_retry_) {
    for (const ItemRecord& item : items) retried_.insert(item.key);
  }
}

void RunFolder::finish(std::span<const std::string> keys,
                       const std::optional<Metrics>& metrics,
                       const std::map<std::string, Metrics>& annotator_metrics) {
  LABELPROBE_CHECK(journal_.has_value());
  std::size_t n_failed = 0;
  for (const std::string& key : keys) {
    LABELPROBE_CHECK(items_.contains(key));
    n_failed += items_.is_failed(key) ? 1 : 0;
  }
  const auto write = [&](ExperimentFiles& files) {
    files.write(items_, keys, metrics, annotator_metrics);
  };
  if (is_retry_) {
    close_again(n_failed, write);
  } else {
    close(keys.size(), n_failed, write);
  }
}

void RunFolder::finish(const TrainingLog& log) {
  LABELPROBE_CHECK(journal_.has_value());
  for (const ScoredItem& item : log.items) {
    check_loggable(item.key, item.annotator);
  }
  close(log.items.size(), 0, [&](ExperimentFiles& files) { files.write(log); });
}

void RunFolder::close(std::size_t n_items,
                      std::size_t n_failed,
                      const std::function<void(ExperimentFiles&)>& write) {
  check_in_place();
  const files::FileLock writing = lock_folder();
  manifest_ = Manifest::load(file(kManifestName));
  recover();
  ExperimentFiles files(disk_, request_, folder_, index_, repetitions());
  Experiment& experiment = manifest_.experiments.at(index_);
  for (const std::string& name : files.appended_names()) {
    experiment.sizes[name] = files::size_of(file(name));
  }
  experiment.state = ExperimentState::Writing;
  save_manifest();
  write(files);
  experiment.parts = parts_of(folder_, experiment.sizes);
  experiment.state = ExperimentState::Finished;
  experiment.n_items = n_items;
  experiment.n_failed = n_failed;
  save_manifest();
  journal_.reset();
  disk_.remove(lock_path(folder_, index_));
  disk_.remove(journal_path(folder_, index_));
}

void RunFolder::close_again(std::size_t n_failed,
                            const std::function<void(ExperimentFiles&)>& write) {
  check_in_place();
  const files::FileLock writing = lock_folder();
  manifest_ = Manifest::load(file(kManifestName));
  recover();
  Replacement replacement(disk_, folder_, manifest_, index_);
  ExperimentFiles files(disk_, request_, replacement.drafts(), index_, repetitions());
  write(files);
  replacement.arrange(files.appended_names(), retried_);
  replacement.note_parts(manifest_);
  Experiment& experiment = manifest_.experiments.at(index_);
  experiment.state = ExperimentState::Replacing;
  experiment.n_failed = n_failed;
  save_manifest();
  journal_.reset();
  take_places(disk_, folder_, index_);
  experiment.state = ExperimentState::Finished;
  save_manifest();
}

std::vector<std::string> RunFolder::repetitions() const {
  const std::set<std::string> names = names_with(request_.params, Bearing::Repetition);
  std::vector<std::string> repetitions;
  for (const Experiment& experiment : manifest_.experiments) {
    json values = json::object();
    for (const std::string& name : names) {
      values[name] = experiment.params.value(name, json());
    }
    repetitions.push_back(values.dump());
  }
  return repetitions;
}

}  // namespace labelprobe::record
