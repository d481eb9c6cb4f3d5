// The work behind record::Run, with the disk's steps open to tests.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/files/disk.h"
#include "labelprobe/record/run.h"

#include "record/folder/folder_choice.h"
#include "record/folder/manifest.h"
#include "record/log/experiment_files.h"

namespace labelprobe::record {

// The lock's file in a category, and in a folder.
inline constexpr const char* kLockName = ".lock";

// Choose as RunFolder would, without taking anything.
FolderChoice choose_folder(const RunRequest& request, const nlohmann::json& params);

// Several processes may write one folder, each an experiment of its own. Three kinds of locks keep
// them apart, always taken in this order: the category's while a folder is chosen, the folder's
// while its manifest or YAML files are written, and the experiment's as long as a process is at it.
class RunFolder {
 public:
  explicit RunFolder(RunRequest request, files::Disk::BeforeStep before_step = {});
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  std::size_t index() const { return index_; }
  bool was_finished() const { return was_finished_; }
  bool is_retry() const { return is_retry_; }
  std::size_t n_failed() const { return n_failed_; }
  const std::vector<std::string>& notes() const { return notes_; }
  const ItemStore& finished() const { return items_; }

  void add_provenance(const Provenance& provenance);
  void append(std::span<const ItemRecord> items);
  void finish(std::span<const std::string> keys,
              const std::optional<Metrics>& metrics,
              const std::map<std::string, Metrics>& annotator_metrics);
  void finish(const TrainingLog& log);

 private:
  // Closes the experiment with the files that `write` writes.
  void close(std::size_t n_items,
             std::size_t n_failed,
             const std::function<void(ExperimentFiles&)>& write);
  // Likewise, of a finished experiment: its files take the place of the earlier ones.
  void close_again(std::size_t n_failed, const std::function<void(ExperimentFiles&)>& write);
  // Chooses the folder and takes up or adds the experiment. Returns the lock of the process that is
  // at this very run, if one is; then nothing is taken.
  std::optional<std::filesystem::path> take_folder();
  bool find_finished(const std::filesystem::path& folder);
  void make_folder(const std::filesystem::path& making);
  // With the folder's lock held, so that what is half written is of a process that died: brings
  // every experiment of the manifest at hand to a state that can be gone on from.
  void recover();
  // Those whose files were being replaced.
  void finish_replacements();
  std::optional<std::filesystem::path> take_up(const ExperimentChoice& choice);
  bool is_to_be_retried(const ExperimentChoice& choice, const Manifest& manifest) const;
  // Takes up what did not fail in a finished experiment, and what was computed again so far.
  void take_up_finished();
  void describe_experiment();
  // Takes up what it holds.
  void open_journal(const std::filesystem::path& path);
  // What each experiment of the folder repeats its setting with, as a text.
  std::vector<std::string> repetitions() const;
  void set_aside(const std::filesystem::path& journal, const Experiment& experiment);
  void save_manifest();
  files::FileLock lock_folder() const;
  files::Patience patience(const std::string& what) const;
  void check_in_place() const;

  std::filesystem::path file(const std::string& name) const { return folder_ / name; }
  std::string experiment_key() const { return fmt::format("experiment_{}", index_); }

  files::Disk disk_;
  const RunRequest request_;
  const nlohmann::json params_;
  std::filesystem::path folder_;
  std::optional<files::FileLock> lock_;  // of the experiment
  Manifest manifest_;
  std::size_t index_ = 0;
  bool was_finished_ = false;
  bool is_retry_ = false;
  std::size_t n_failed_ = 0;
  std::optional<files::AppendFile> journal_;  // empty once the experiment is finished
  std::vector<std::string> notes_;
  ItemStore items_;
  std::set<std::string> retried_;  // of a retry, the items that had failed and are there now
};

}  // namespace labelprobe::record
