#include "record/run_folder.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/files/mapped_file.h"

#include "record/folder/folder_choice.h"
#include "record/folder/journal.h"
#include "record/folder/params.h"
#include "record/log/aggregates.h"
#include "record/log/experiment_files.h"
#include "record/log/finished.h"
#include "record/request_checks.h"

namespace labelprobe::record {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char* kLockName = ".lock";

RunRequest checked(RunRequest request) {
  check_names(request);
  return request;
}

// What files have grown by since they had these sizes.
std::map<std::string, FilePart> parts_of(const fs::path& folder, const FileSizes& sizes) {
  std::map<std::string, FilePart> parts;
  for (const auto& [name, size] : sizes) {
    const std::uint64_t begin = size.value_or(0);
    if (const std::uint64_t end = files::size_of(folder / name).value_or(0); end > begin) {
      const files::MappedFile file(folder / name);
      parts[name] = {begin, end, fingerprint(file.text().substr(begin, end - begin))};
    }
  }
  return parts;
}

// Throws DataError if files that another experiment needs have lost bytes: those that an
// interrupted process was writing, and the numbers of finished experiments. Others may be writing
// meanwhile, so nothing beyond these is looked at.
void check_usable(const fs::path& folder, const Manifest& manifest) {
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

RunFolder::RunFolder(RunRequest request, files::Disk::BeforeStep before_step)
    : disk_(std::move(before_step)),
      request_(checked(std::move(request))),
      params_(comparable_form(request_.params)) {
  // The other process needs the folder's lock to finish, so none is held while it is waited for.
  while (const auto busy = take_folder()) {
    files::FileLock::wait_until_free(*busy, patience("does this run"));
  }
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
  const ExperimentChoice experiment = choose_experiment(manifest_, folder_, request_, params_);
  recover();
  return take_up(experiment);
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
  open_journal();
}

void RunFolder::recover() {
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
  was_finished_ = choice.state == State::Finished;
  if (was_finished_) {
    n_failed_ = manifest_.experiments[index_].n_failed;
    return std::nullopt;
  }
  lock_ = files::FileLock::try_take(lock_path(folder_, index_), request_.patience.takes_over);
  if (!lock_) {
    return lock_path(folder_, index_);
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
  open_journal();
  return std::nullopt;
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

void RunFolder::open_journal() {
  const fs::path path = journal_path(folder_, index_);
  Journal journal = load_journal(path);
  if (!journal.damaged_lines.empty()) {
    std::string whole;
    for (const auto& [key, item] : journal.items) {
      whole += encode_item(item);
    }
    disk_.replace(path, whole);
    std::string lines;
    for (const std::size_t line : journal.damaged_lines) {
      lines += fmt::format("{}{}", lines.empty() ? "" : ", ", line);
    }
    notes_.push_back(fmt::format("{}: took out damaged lines ({}); their items are computed again",
                                 path.string(), lines));
  } else if (journal.n_torn_bytes > 0) {
    disk_.cut_to(path, journal.n_whole_bytes);
    notes_.push_back(fmt::format("cut off the unfinished last line of {}", path.string()));
  }
  finished_ = std::move(journal.items);
  if (!finished_.empty()) {
    notes_.push_back(
        fmt::format("took up {} with {} finished items", experiment_key(), finished_.size()));
  }
  journal_.emplace(disk_.open_append(path));
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
  std::string lines;
  for (const ItemRecord& item : items) {
    check_item(item, request_.layout);
    lines += encode_item(item);
  }
  check_in_place();
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
  const auto n_failed = std::count_if(items.begin(), items.end(), [](const auto& item) {
    return item.second->failure.has_value();
  });
  close(items.size(), static_cast<std::size_t>(n_failed),
        [&](ExperimentFiles& files) { files.write(items, metrics, annotator_metrics); });
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
