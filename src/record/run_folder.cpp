#include "record/run_folder.h"

#include <algorithm>
#include <utility>

#include "labelprobe/core/error.h"
#include "labelprobe/core/example.h"
#include "labelprobe/core/utf8.h"

#include "record/folder/folder_choice.h"
#include "record/folder/folder_name.h"
#include "record/folder/journal.h"
#include "record/log/experiment_files.h"

namespace labelprobe::record {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char* kLockName = ".lock";

RunRequest checked(RunRequest request) {
  check_relative(request.category, "log category");
  if (!is_utf8(request.description)) {
    throw ConfigError("description: expected UTF-8 text");
  }
  if (!request.description.empty()) {
    check_relative(encode_in_name(request.description), "description");
  }
  return request;
}

// What finish() could no longer write is refused while nothing is lost yet.
void check_item(const ItemRecord& item, LogLayout layout) {
  check_loggable(item.key, item.annotator);
  if (layout.sets_annotators_apart && item.annotator != kAggregate) {
    example_of(item);
  }
  if (item.kind == LabelKind::SingleLabel) {
    LABELPROBE_CHECK(item.gold.size() == 1);
    LABELPROBE_CHECK(item.predictions.size() <= 1);  // none: a word answer that never came
  }
}

}  // namespace

void check_loggable(const std::string& key, const std::string& annotator) {
  if (key.empty() || key == kDescriptionKey) {
    throw DataError("item id '" + key + "' cannot be logged: the log keeps it for itself");
  }
  if (annotator == kDescriptionKey) {
    throw DataError("annotator '" + annotator + "' of item id '" + key +
                    "' cannot be logged: the log keeps that name for itself");
  }
}

RunFolder::RunFolder(RunRequest request, files::Disk::BeforeStep before_step)
    : disk_(std::move(before_step)),
      request_(checked(std::move(request))),
      params_(comparable_form(request_.params)) {
  take_folder();
  if (was_finished_) {
    return;
  }
  const ExperimentChoice choice = choose_experiment(manifest_, folder_, request_, params_);
  recover();
  take_up(choice);
}

void RunFolder::take_folder() {
  const fs::path category = request_.log_root / request_.category;
  disk_.make_folders(category);
  // Two processes that start together choose one after the other.
  const files::FileLock choosing(category / kLockName, files::FileLock::IfHeld::Wait);
  const FolderChoice choice = choose_folder(request_, params_);
  folder_ = choice.folder;
  if (!choice.found) {
    make_folder(category / ".making");
    return;
  }
  if (find_finished(*choice.found)) {
    return;
  }
  lock_.emplace(*choice.found / kLockName, files::FileLock::IfHeld::Fail);
  if (choice.is_kept_in_place) {
    notes_.push_back(folder_.string() +
                     " has equal runs and stays where it is: other experiments lie inside it");
  } else if (folder_ != *choice.found) {
    disk_.make_folders(folder_.parent_path());
    disk_.rename(*choice.found, folder_);
    notes_.push_back("moved the folder of equal runs from " + choice.found->string() + " to " +
                     folder_.string());
  }
  manifest_ = Manifest::load(file(kManifestName));
}

// Whether the run is over in this folder, journal and all: then nothing is changed there.
bool RunFolder::find_finished(const fs::path& folder) {
  const Manifest manifest = Manifest::load(folder / kManifestName);
  const ExperimentChoice choice = choose_experiment(manifest, folder, request_, params_);
  if (choice.state != ExperimentChoice::State::Finished ||
      files::size_of(journal_path(folder, choice.index))) {
    return false;
  }
  folder_ = folder;
  index_ = choice.index;
  was_finished_ = true;
  n_failed_ = manifest.experiments[index_].n_failed;
  return true;
}

// A folder appears under its name only when its lock is in it and its manifest says whose it is.
void RunFolder::make_folder(const fs::path& making) {
  manifest_.experiments.emplace_back();
  describe_experiment();
  if (fs::exists(making)) {
    disk_.remove_folder(making);
  }
  disk_.make_folders(making);
  lock_.emplace(making / kLockName, files::FileLock::IfHeld::Fail);
  disk_.replace(making / kManifestName, manifest_.encode());
  disk_.make_folders(folder_.parent_path());
  disk_.rename(making, folder_);
}

// Brings every experiment of the folder to a state that can be gone on from.
void RunFolder::recover() {
  bool is_changed = false;
  for (std::size_t i = 0; i < manifest_.experiments.size(); ++i) {
    Experiment& experiment = manifest_.experiments[i];
    if (experiment.state == ExperimentState::Finished && files::size_of(journal_path(folder_, i))) {
      disk_.remove(journal_path(folder_, i));
    }
    if (experiment.state != ExperimentState::Writing) {
      continue;
    }
    for (const auto& [name, n_bytes] : experiment.sizes) {
      disk_.cut_to(file(name), n_bytes);
    }
    notes_.push_back("removed what an interrupted process had written of experiment_" +
                     std::to_string(i) + " to the YAML files");
    experiment.state = ExperimentState::Running;
    experiment.sizes.clear();
    is_changed = true;
  }
  if (is_changed) {
    save_manifest();
  }
}

void RunFolder::take_up(const ExperimentChoice& choice) {
  using State = ExperimentChoice::State;
  index_ = choice.index;
  was_finished_ = choice.state == State::Finished;
  if (was_finished_) {
    n_failed_ = manifest_.experiments[index_].n_failed;
    return;
  }
  if (choice.state != State::GoesOn && files::size_of(journal_path(folder_, index_))) {
    set_aside(journal_path(folder_, index_));
  }
  const std::string before = manifest_.encode();
  if (choice.state == State::New) {
    manifest_.experiments.emplace_back();
  } else if (choice.state == State::StartsOver) {
    manifest_.experiments[index_] = Experiment{};
  }
  describe_experiment();
  if (manifest_.encode() != before) {
    save_manifest();
  }
  open_journal();
}

void RunFolder::describe_experiment() {
  Experiment& experiment = manifest_.experiments[index_];
  experiment.params = params_;
  experiment.contents_fingerprint = request_.contents_fingerprint;
  manifest_.not_comparable.merge(names_not_comparable(request_.params));
}

void RunFolder::set_aside(const fs::path& journal) {
  int n = 0;
  fs::path aside;
  do {
    aside = journal.string() + ".stale-" + std::to_string(n++);
  } while (fs::exists(aside));
  disk_.rename(journal, aside);
  const bool is_of_this_version = index_ >= manifest_.experiments.size() ||
                                  manifest_.experiments[index_].record_version == kRecordVersion;
  notes_.push_back(
      experiment_key() + " starts over: " +
      (is_of_this_version
           ? "the model, data, prompts or program have changed since it was interrupted"
           : "an earlier version of the program, which kept less of each item, was "
             "interrupted in it") +
      "; its items so far are kept in " + aside.string());
}

void RunFolder::open_journal() {
  const fs::path path = journal_path(folder_, index_);
  Journal journal = load_journal(path);
  if (journal.n_torn_bytes > 0) {
    disk_.cut_to(path, journal.n_whole_bytes);
    notes_.push_back("cut off the unfinished last line of " + path.string());
  }
  finished_ = std::move(journal.items);
  if (!finished_.empty()) {
    notes_.push_back("took up " + experiment_key() + " with " + std::to_string(finished_.size()) +
                     " finished items");
  }
  journal_.emplace(disk_.open_append(path));
}

void RunFolder::save_manifest() {
  disk_.replace(file(kManifestName), manifest_.encode());
}

void RunFolder::add_provenance(const Provenance& provenance) {
  std::vector<Provenance>& known = manifest_.experiments[index_].provenance;
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
  std::string lines;
  for (const ItemRecord& item : items) {
    check_item(item, request_.layout);
    lines += encode_item(item);
  }
  journal_->append(lines);
  journal_->sync();
  for (const ItemRecord& item : items) {
    fresh_.insert_or_assign(item.key, item);
  }
}

void RunFolder::finish(std::span<const std::string> keys,
                       const std::optional<Metrics>& metrics,
                       const std::map<std::string, Metrics>& annotator_metrics) {
  LABELPROBE_CHECK(journal_.has_value());
  ItemsByKey items;
  for (const std::string& key : keys) {
    const auto fresh = fresh_.find(key);
    const auto earlier = finished_.find(key);
    LABELPROBE_CHECK(fresh != fresh_.end() || earlier != finished_.end());
    items[key] = fresh != fresh_.end() ? &fresh->second : &earlier->second;
  }
  LABELPROBE_CHECK(items.size() == keys.size());

  ExperimentFiles files(disk_, request_, folder_, index_, repetitions());
  Experiment& experiment = manifest_.experiments[index_];
  for (const std::string& name : files.appended_names()) {
    experiment.sizes[name] = files::size_of(file(name));
  }
  experiment.state = ExperimentState::Writing;
  save_manifest();
  files.write(items, metrics, annotator_metrics);
  experiment.state = ExperimentState::Finished;
  experiment.n_failed =
      static_cast<std::size_t>(std::count_if(items.begin(), items.end(), [](const auto& item) {
        return item.second->failure.has_value();
      }));
  save_manifest();
  journal_.reset();
  disk_.remove(journal_path(folder_, index_));
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
