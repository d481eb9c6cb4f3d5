#include "labelprobe/record/run_list.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <variant>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/disk.h"
#include "labelprobe/files/mapped_file.h"
#include "labelprobe/record/logged_run.h"
#include "labelprobe/record/shards.h"

#include "record/folder/folder_choice.h"
#include "record/folder/journal.h"
#include "record/log/finished.h"
#include "record/log/log_lines.h"
#include "record/log/log_reader.h"
#include "record/log/run_head.h"

namespace labelprobe::record {

namespace fs = std::filesystem;

namespace {

constexpr const char* kLogName = "indexed_metrics.yml";

std::string date_of(const fs::path& file) {
  std::error_code error;
  const auto written = fs::last_write_time(file, error);
  if (error) return "";
  const auto age = fs::file_time_type::clock::now() - written;
  const auto at = std::chrono::system_clock::now() -
                  std::chrono::duration_cast<std::chrono::system_clock::duration>(age);
  return fmt::format("{:%Y-%m-%d %H:%M}", fmt::localtime(std::chrono::system_clock::to_time_t(at)));
}

// Throws DataError if a file of the finished experiment is not as it was.
void check_files(const fs::path& folder,
                 std::size_t index,
                 const Experiment& experiment,
                 Verify verify) {
  for (const auto& [name, part] : experiment.parts) {
    const std::uint64_t n_bytes = files::size_of(folder / name).value_or(0);
    if (n_bytes < part.end) {
      check_part(std::string_view(), folder / name, index, experiment, part);
    } else if (verify == Verify::Bytes) {
      const files::MappedFile file(folder / name);
      check_part(file.text(), folder / name, index, experiment, part);
    }
  }
}

void describe_experiment(ListedRun& listed,
                         std::size_t index,
                         const Experiment& experiment,
                         Verify verify) {
  if (experiment.state == ExperimentState::Finished) {
    listed.date = date_of(listed.folder / kLogName);
    listed.n_items = experiment.n_items;
    listed.n_failed = experiment.n_failed;
    check_files(listed.folder, index, experiment, verify);
    return;
  }
  if (experiment.state == ExperimentState::Replacing) {
    throw DataError(fmt::format(
        "{}: a process ended while it replaced the files of experiment_{}; the same command again "
        "puts the rest in place",
        listed.folder.string(), index));
  }
  const fs::path journal = journal_path(listed.folder, index);
  listed.state = RunState::Unfinished;
  listed.date = date_of(files::size_of(journal) ? journal : listed.folder / kManifestName);
  if (const auto holder = files::FileLock::holder(lock_path(listed.folder, index))) {
    listed.state = RunState::Running;
    listed.finding = *holder;
  }
  listed.n_wanted = experiment.n_items;
  const Journal so_far = load_journal(journal);
  listed.n_items = so_far.items.size();
  listed.n_failed = count_failed(so_far);
  if (!so_far.damaged_lines.empty()) {
    listed.damage = fmt::format("{}: {}", journal.string(), describe_damage(so_far));
  }
}

// The experiment of this index of a folder; what is wrong with it is its finding.
ListedRun list_experiment(const fs::path& folder, int index, Verify verify) {
  ListedRun listed;
  listed.folder = folder;
  listed.index = index;
  try {
    const LoggedRun head = read_head(folder, index, Unfinished::Taken);
    listed.model = head.model;
    listed.plan = head.plan;
    if (const std::optional<Experiment> noted = find_noted(folder, index)) {
      describe_experiment(listed, static_cast<std::size_t>(index), *noted, verify);
    } else {
      listed.date = date_of(folder / kLogName);
    }
    if (!listed.n_items) {
      const files::MappedFile file = open_items_file(folder);
      listed.n_items = open_items(folder, file, index).size();
    }
  } catch (const Error& error) {
    listed.state = RunState::Damaged;
    listed.finding = error.what();
  }
  return listed;
}

std::vector<int> experiments_of(const fs::path& folder) {
  std::vector<int> indices;
  const std::size_t n = finished_by_manifest(folder).size();
  for (std::size_t i = 0; i < n; ++i) indices.push_back(static_cast<int>(i));
  if (n == 0) {
    const files::MappedFile file = open_items_file(folder);
    for (const Block& block : find_blocks(file.text())) indices.push_back(block.index);
  }
  return indices;
}

void list_folder(const fs::path& folder, Verify verify, std::vector<ListedRun>& runs) {
  try {
    for (const int index : experiments_of(folder)) {
      runs.push_back(list_experiment(folder, index, verify));
    }
  } catch (const Error& error) {
    runs.push_back({.folder = folder,
                    .index = {},
                    .state = RunState::Damaged,
                    .n_items = {},
                    .n_wanted = {},
                    .n_failed = {},
                    .model = {},
                    .plan = {},
                    .date = date_of(folder / kManifestName),
                    .finding = error.what(),
                    .damage = {},
                    .shards = {}});
  }
}

std::string text_param(const RunRequest& request, const char* name) {
  for (const Param& param : request.params) {
    const auto* text = std::get_if<std::string>(&param.value);
    if (param.name == name && text != nullptr) return *text;
  }
  return "";
}

void list_shards(const fs::path& folder, std::vector<ListedRun>& runs) {
  ListedRun& listed = runs.emplace_back();
  listed.folder = folder;
  listed.state = RunState::Unfinished;
  try {
    const ShardSet set = ShardSet::open(folder);
    listed.model = text_param(set.plan().request, "model_name_or_path");
    listed.plan = text_param(set.plan().request, "distribution");
    listed.n_wanted = set.plan().keys.size();
    listed.n_items = 0;
    std::size_t n_finished = 0;
    const std::vector<ShardView> shards = set.shards();
    for (const ShardView& shard : shards) {
      *listed.n_items += shard.n_items;
      n_finished += shard.state == ShardState::Finished ? 1 : 0;
      if (shard.state == ShardState::Running) listed.state = RunState::Running;
      listed.date = std::max(listed.date, date_of(set.folder_of(shard.index)));
    }
    const std::string left = describe_left(shards);
    listed.shards = fmt::format("{} of {} finished{}", n_finished, shards.size(),
                                left.empty() ? ", to be merged" : "; left: " + left);
  } catch (const Error& error) {
    listed.state = RunState::Damaged;
    listed.finding = error.what();
  }
}

// Looks into `folder` and all below it but hidden ones; links are not followed.
void search(const fs::path& folder,
            Verify verify,
            std::vector<ListedRun>& runs,
            std::vector<std::string>& notes) {
  if (is_shards_folder(folder)) {
    list_shards(folder, runs);
    return;
  }
  std::error_code error;
  std::vector<fs::path> below;
  bool is_log = false;
  auto entry = fs::directory_iterator(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code unknown;
    if (entry->symlink_status(unknown).type() == fs::file_type::directory) {
      if (!name.starts_with(".")) below.push_back(entry->path());
    } else {
      is_log = is_log || name == kManifestName || name == kLogName;
    }
  }
  if (error) {
    notes.push_back(fmt::format("{}: cannot be looked into: {}", folder.string(), error.message()));
    return;
  }
  if (is_log) list_folder(folder, verify, runs);
  std::sort(below.begin(), below.end());
  for (const fs::path& path : below) search(path, verify, runs, notes);
}

}  // namespace

const char* name_of(RunState state) {
  switch (state) {
    case RunState::Finished:
      return "finished";
    case RunState::Unfinished:
      return "unfinished";
    case RunState::Running:
      return "running";
    case RunState::Damaged:
      return "damaged";
  }
  return "";
}

std::vector<ListedRun> list_runs(const fs::path& root,
                                 Verify verify,
                                 std::vector<std::string>& notes) {
  std::error_code error;
  if (!fs::is_directory(root, error)) {
    throw ConfigError(fmt::format("{}: expected a folder of logs, found {}", root.string(),
                                  error ? error.message() : "none"));
  }
  std::vector<ListedRun> runs;
  search(root, verify, runs, notes);
  return runs;
}

}  // namespace labelprobe::record
