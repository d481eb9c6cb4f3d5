#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/files/disk.h"
#include "labelprobe/files/mapped_file.h"
#include "labelprobe/record/shards.h"

#include "record/folder/folder_name.h"
#include "record/folder/journal.h"
#include "record/log/finished.h"
#include "record/shards/shard_plan.h"

namespace labelprobe::record {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char* kTargetName = "merging.json";
constexpr const char* kMergingName = ".merging";

}  // namespace

std::string describe_left(std::span<const ShardView> shards) {
  constexpr int kMostNamed = 10;
  std::string text;
  int n_left = 0;
  for (const ShardView& shard : shards) {
    if (shard.state == ShardState::Finished || ++n_left > kMostNamed) continue;
    const std::string items = fmt::format("{} of {} items", shard.n_items, shard.n_wanted);
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", shard.index,
                        shard.state == ShardState::NotBegun ? "not begun"
                        : shard.state == ShardState::Running
                            ? fmt::format("{}, {}, is at it", items, shard.holder)
                            : items);
  }
  return n_left > kMostNamed ? fmt::format("{} and {} more", text, n_left - kMostNamed) : text;
}

ShardSet::ShardSet(fs::path folder, ShardPlan plan)
    : folder_(std::move(folder)), plan_(std::move(plan)) {}

ShardSet ShardSet::open(const fs::path& folder) {
  fs::path named = folder;
  if (named.filename().empty() && named.has_parent_path()) named = named.parent_path();
  if (!is_shards_folder(named)) {
    throw DataError(fmt::format("{}: expected the shards of a run, found no {} in it",
                                named.string(), kPlanName));
  }
  return {named, load_plan(named)};
}

fs::path ShardSet::folder_of(int shard) const {
  return folder_of_shard(folder_, shard, plan_.n_shards);
}

std::vector<ShardView> ShardSet::shards() const {
  std::vector<ShardView> views(static_cast<std::size_t>(plan_.n_shards));
  for (int i = 1; i <= plan_.n_shards; ++i) views[static_cast<std::size_t>(i) - 1].index = i;
  for (const int shard : plan_.shard_of) ++views[static_cast<std::size_t>(shard) - 1].n_wanted;
  for (ShardView& view : views) {
    const fs::path folder = folder_of(view.index);
    if (!fs::is_directory(folder)) continue;
    view.state = ShardState::Unfinished;
    if (is_finished_shard(folder)) {
      view.state = ShardState::Finished;
    } else if (const auto holder = files::Claim::holder(folder / kShardClaimName)) {
      view.state = ShardState::Running;
      view.holder = *holder;
    }
    view.n_items =
        view.state == ShardState::Finished ? view.n_wanted : stored_items(view.index).size();
  }
  return views;
}

std::map<std::string, ItemRecord> ShardSet::items_of(int shard) const {
  return load_journal(folder_of(shard) / kShardJournalName).items;
}

ItemStore ShardSet::stored_items(int shard) const {
  return read_journal(folder_of(shard) / kShardJournalName);
}

void ShardSet::check_complete() const {
  const std::vector<ShardView> views = shards();
  const auto n_finished = std::count_if(views.begin(), views.end(), [](const ShardView& view) {
    return view.state == ShardState::Finished;
  });
  if (n_finished < plan_.n_shards) {
    const std::string finding =
        fmt::format("{}: {} of {} shards are finished; left: {}", folder_.string(), n_finished,
                    plan_.n_shards, describe_left(views));
    const bool is_busy = std::any_of(views.begin(), views.end(), [](const ShardView& view) {
      return view.state == ShardState::Running;
    });
    if (is_busy) throw files::LockedError(finding);
    throw DataError(finding + fmt::format("; give the run's command with --shard i/{} of each",
                                          plan_.n_shards));
  }
  for (const ShardView& view : views) {
    const ItemStore items = stored_items(view.index);
    for (const std::string& key : plan_.keys_of(view.index)) {
      if (!items.contains(key)) {
        throw DataError(fmt::format(
            "{}: item '{}' of shard {} is not there; give the run's command with --shard {}/{}",
            folder_of(view.index).string(), key, view.index, view.index, plan_.n_shards));
      }
    }
  }
}

std::optional<fs::path> ShardSet::merged_into() const {
  const fs::path file = folder_ / kTargetName;
  if (!files::size_of(file)) return std::nullopt;
  const json noted = json::parse(files::MappedFile(file).text(), nullptr, false);
  const auto place = noted.is_object() ? noted.find("folder") : noted.end();
  const auto index = noted.is_object() ? noted.find("experiment") : noted.end();
  if (place == noted.end() || !place->is_string() || index == noted.end() ||
      !index->is_number_unsigned()) {
    return std::nullopt;
  }
  check_relative(place->get<std::string>(), file.string());
  const fs::path folder = plan_.request.log_root / place->get<std::string>();
  const auto experiment = find_noted(folder, index->get<int>());
  const bool is_over = experiment && experiment->state == ExperimentState::Finished &&
                       experiment->contents == plan_.request.contents;
  return is_over ? std::optional(folder) : std::nullopt;
}

void ShardSet::note_target(const Run& run) const {
  const json noted = {{"folder", run.folder().lexically_relative(plan_.request.log_root).string()},
                      {"experiment", run.experiment_index()}};
  files::Disk().replace(folder_ / kTargetName, noted.dump() + "\n");
}

// The plan goes last: as long as it is there, another process can go on with the removal.
void ShardSet::remove() const {
  files::Disk disk;
  for (int shard = 1; shard <= plan_.n_shards; ++shard) disk.remove_folder(folder_of(shard));
  disk.remove(folder_ / kPlanName);
  disk.remove_folder(folder_);
}

void check_joins(const ShardSet& set, const ShardPlan& plan) {
  check_same(set.plan(), plan, set.folder());
}

bool is_shards_folder(const fs::path& folder) {
  return files::size_of(folder / kPlanName).has_value();
}

std::vector<fs::path> find_shards(const fs::path& folder) {
  if (is_shards_folder(folder)) return {folder};
  std::vector<fs::path> found;
  std::error_code error;
  auto entry = fs::recursive_directory_iterator(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry->symlink_status(error).type() != fs::file_type::directory) continue;
    const std::string name = entry->path().filename().string();
    if (name.starts_with(".") || is_shards_folder(entry->path())) {
      entry.disable_recursion_pending();
      if (!name.starts_with(".")) found.push_back(entry->path());
    }
  }
  if (error) {
    throw ConfigError(
        fmt::format("{}: cannot be searched for shards: {}", folder.string(), error.message()));
  }
  std::sort(found.begin(), found.end());
  return found;
}

fs::path merging_path(const fs::path& shards_folder) {
  return shards_folder / kMergingName;
}

}  // namespace labelprobe::record
