#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/files/disk.h"
#include "labelprobe/files/mapped_file.h"
#include "labelprobe/record/shards.h"

#include "record/folder/journal.h"
#include "record/shards/shard_plan.h"

namespace labelprobe::record {

namespace fs = std::filesystem;
using nlohmann::json;

struct ShardLog::State {
  explicit State(files::Disk::BeforeStep before_step) : disk(std::move(before_step)) {}

  fs::path file(const char* of) const { return folder / of; }
  void open_journal(std::span<const std::string> keys);

  files::Disk disk;
  fs::path folder;
  std::string title;  // "shard 2 of 4"
  std::optional<files::Claim> claim;
  std::optional<files::AppendFile> journal;
  bool was_finished = false;
  std::size_t n_items = 0;
  std::vector<std::string> notes;
  ItemStore finished;
  std::vector<Provenance> provenance;
};

namespace {

std::vector<Provenance> load_provenance(const fs::path& file) {
  std::vector<Provenance> made;
  if (!files::size_of(file)) return made;
  try {
    for (const json& node : json::parse(files::MappedFile(file).text())) {
      visit_fields(made.emplace_back(),
                   [&](const char* name, auto& value) { node.at(name).get_to(value); });
    }
  } catch (const json::exception& error) {
    throw DataError(fmt::format("{}: {}; remove the file and give the shard's command again",
                                file.string(), error.what()));
  }
  return made;
}

}  // namespace

// Takes up what an interrupted process has left; of damaged lines the items are computed again.
void ShardLog::State::open_journal(std::span<const std::string> keys) {
  const fs::path path = file(kShardJournalName);
  std::vector<std::string> repairs;
  const bool was_whole = is_finished_shard(folder);
  take_up_journal(disk, path, finished,
                  [&](std::string repair) { repairs.push_back(std::move(repair)); });
  was_finished = was_whole && std::all_of(keys.begin(), keys.end(), [&](const std::string& key) {
                   return finished.contains(key);
                 });
  if (!was_finished && files::size_of(file(kShardFinishedName))) {
    disk.remove(file(kShardFinishedName));
    notes.push_back(
        fmt::format("{} was changed since {} was finished: what it lacks is computed again",
                    path.string(), title));
  }
  notes.insert(notes.end(), repairs.begin(), repairs.end());
  if (!finished.empty() && !was_finished) {
    notes.push_back(fmt::format("took up {} with {} finished items", title, finished.size()));
  }
  if (was_finished) return;
  journal.emplace(disk.open_append(path));
  finished.open(path);
}

std::optional<ShardLog> ShardLog::open(const ShardPlan& plan,
                                       int shard,
                                       files::Disk::BeforeStep before_step) {
  LABELPROBE_CHECK(shard >= 1 && shard <= plan.n_shards);
  const fs::path shards = shards_folder(plan.request);
  auto state = std::make_unique<State>(std::move(before_step));
  state->disk.make_folders(shards);
  if (!files::size_of(shards / kPlanName)) {
    files::put_new_file(shards / kPlanName, encode_plan(plan));
  }
  check_same(load_plan(shards), plan, shards);
  state->folder = folder_of_shard(shards, shard, plan.n_shards);
  state->title = fmt::format("shard {} of {}", shard, plan.n_shards);
  state->disk.make_folders(state->folder);
  state->claim = files::Claim::take(state->folder / kShardClaimName, plan.request.patience,
                                    fmt::format("does {}", state->title));
  if (!state->claim || !files::size_of(shards / kPlanName)) return std::nullopt;
  // The lock names this folder's owner, who is another now.
  state->disk.remove(state->folder / ".lock");
  const std::vector<std::string> keys = plan.keys_of(shard);
  state->n_items = keys.size();
  state->open_journal(keys);
  state->provenance = load_provenance(state->file(kShardProvenanceName));
  return ShardLog(std::move(state));
}

ShardLog::ShardLog(std::unique_ptr<State> state) : state_(std::move(state)) {}

ShardLog::~ShardLog() = default;
ShardLog::ShardLog(ShardLog&&) noexcept = default;
ShardLog& ShardLog::operator=(ShardLog&&) noexcept = default;

const fs::path& ShardLog::folder() const {
  return state_->folder;
}

const std::vector<std::string>& ShardLog::notes() const {
  return state_->notes;
}

const ItemStore& ShardLog::finished() const {
  return state_->finished;
}

bool ShardLog::was_finished() const {
  return state_->was_finished;
}

void ShardLog::add_provenance(const Provenance& provenance) {
  std::vector<Provenance>& known = state_->provenance;
  if (std::find(known.begin(), known.end(), provenance) != known.end()) return;
  known.push_back(provenance);
  json list = json::array();
  for (const Provenance& made : known) {
    json& node = list.emplace_back(json::object());
    visit_fields(made, [&](const char* name, const auto& value) { node[name] = value; });
  }
  state_->disk.replace(state_->file(kShardProvenanceName), list.dump(1) + "\n");
}

void ShardLog::append(std::span<const ItemRecord> items) {
  LABELPROBE_CHECK(state_->journal.has_value());
  if (items.empty()) return;
  for (const ItemRecord& item : items) check_loggable(item.key, item.annotator);
  const JournalLines lines(items);
  if (!state_->claim->is_in_place()) {
    throw ConfigError(
        fmt::format("{}: was moved, deleted or taken over while this process wrote {} there; give "
                    "the same command again, which goes on with what is there",
                    state_->folder.string(), state_->title));
  }
  lines.append_to(*state_->journal, state_->finished);
}

void ShardLog::finish() {
  LABELPROBE_CHECK(state_->journal.has_value());
  state_->journal.reset();
  const json noted = {{"n_items", state_->n_items},
                      {"xxh3", fingerprint_of_journal(state_->folder)}};
  state_->disk.replace(state_->file(kShardFinishedName), noted.dump() + "\n");
}

std::vector<Provenance> ShardSet::provenance_of(int shard) const {
  return load_provenance(folder_of(shard) / kShardProvenanceName);
}

}  // namespace labelprobe::record
