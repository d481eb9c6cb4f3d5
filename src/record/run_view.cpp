#include "labelprobe/record/run_view.h"

#include <map>
#include <variant>

#include <fmt/format.h>

#include "labelprobe/core/example.h"
#include "labelprobe/core/item_id.h"
#include "labelprobe/files/disk.h"
#include "labelprobe/files/mapped_file.h"
#include "labelprobe/record/shards.h"

#include "record/folder/folder_choice.h"
#include "record/folder/journal.h"
#include "record/log/entry_reader.h"
#include "record/log/finished.h"
#include "record/log/log_reader.h"
#include "record/log/run_head.h"

namespace labelprobe::record {

struct RunView::State {
  LoggedRun run;
  std::string unfinished;
  bool are_shards = false;
  std::optional<std::size_t> n_wanted;
  std::optional<std::size_t> n_failed;
  std::string damage;
  std::vector<std::string> keys;
  // A finished run has the file and its entries, another one the items of its journal.
  std::optional<files::MappedFile> file;
  std::optional<LogEntries> entries;
  std::map<std::string, ItemRecord> items;
};

namespace {

LoggedRun head_of(const ShardSet& set) {
  LoggedRun run;
  run.folder = set.folder();
  for (const Param& param : set.plan().request.params) {
    const auto* text = std::get_if<std::string>(&param.value);
    if (text == nullptr) continue;
    run.params[param.name] = *text;
    if (param.name == "model_name_or_path") run.model = *text;
    if (param.name == "distribution") run.plan = *text;
  }
  return run;
}

}  // namespace

RunView RunView::open(const std::filesystem::path& folder, std::optional<int> index) {
  auto state = std::make_unique<State>();
  if (is_shards_folder(folder)) {
    const ShardSet set = ShardSet::open(folder);
    state->run = head_of(set);
    const std::vector<ShardView> shards = set.shards();
    const std::string left = describe_left(shards);
    state->unfinished =
        left.empty() ? "shards to be merged" : fmt::format("unfinished shards: {}", left);
    state->n_wanted = set.plan().keys.size();
    state->are_shards = true;
    for (const ShardView& shard : shards) state->items.merge(set.items_of(shard.index));
    for (const auto& [key, item] : state->items) state->keys.push_back(key);
    return RunView(std::move(state));
  }
  state->run = read_head(folder, index, Unfinished::Taken);
  const int chosen = state->run.index;
  const std::optional<Experiment> noted = find_noted(folder, chosen);
  if (noted && noted->state != ExperimentState::Finished) {
    const auto place = static_cast<std::size_t>(chosen);
    if (!files::size_of(journal_path(folder, place))) {
      read_head(folder, chosen, Unfinished::Refused);  // nothing to look at
    }
    const auto holder = files::FileLock::holder(lock_path(folder, place));
    state->unfinished = holder ? fmt::format("unfinished, {}, is at it", *holder) : "unfinished";
    state->n_wanted = noted->n_items;
    Journal journal = load_journal(journal_path(folder, place));
    state->n_failed = count_failed(journal);
    if (!journal.damaged_lines.empty()) state->damage = describe_damage(journal);
    state->items = std::move(journal.items);
    for (const auto& [key, item] : state->items) state->keys.push_back(key);
    return RunView(std::move(state));
  }
  if (noted) state->n_failed = noted->n_failed;
  state->file.emplace(open_items_file(folder));
  state->entries.emplace(open_items(folder, *state->file, chosen));
  for (std::size_t i = 0; i < state->entries->size(); ++i) {
    state->keys.push_back(state->entries->key(i));
  }
  return RunView(std::move(state));
}

RunView::RunView(std::unique_ptr<State> state) : state_(std::move(state)) {}

RunView::~RunView() = default;
RunView::RunView(RunView&&) noexcept = default;
RunView& RunView::operator=(RunView&&) noexcept = default;

const LoggedRun& RunView::run() const {
  return state_->run;
}

std::string RunView::title() const {
  return state_->are_shards ? state_->run.folder.string() : describe(state_->run);
}

const std::string& RunView::unfinished() const {
  return state_->unfinished;
}

std::optional<std::size_t> RunView::n_wanted() const {
  return state_->n_wanted;
}

std::optional<std::size_t> RunView::n_failed() const {
  return state_->n_failed;
}

const std::string& RunView::damage() const {
  return state_->damage;
}

const std::vector<std::string>& RunView::keys() const {
  return state_->keys;
}

ItemRecord RunView::read(std::size_t place) const {
  const std::string& key = state_->keys.at(place);
  if (!state_->entries) return state_->items.at(key);
  ItemRecord item = read_entry(key, state_->entries->parse(place));
  if (!state_->run.plan.empty()) {
    const ItemForm* named = named_form_of_plan(state_->run.plan);
    item.known_form = named ? named : &kPlainItems;
  }
  item.annotator = ItemId::parse(key, item.form()).pseudo_annotator();
  return item;
}

std::vector<std::pair<std::string, std::vector<std::string>>> RunView::votes(
    const std::string& example_id) const {
  std::vector<std::pair<std::string, std::vector<std::string>>> votes;
  const std::string prefix = fmt::format("{}{}", example_id, kIdSeparator);
  for (std::size_t i = 0; i < state_->keys.size(); ++i) {
    const std::string& key = state_->keys[i];
    if (key.starts_with(prefix) && &item_form_of(key) == &kPlainItems) {
      votes.emplace_back(key.substr(prefix.size()), read(i).gold);
    }
  }
  if (state_->entries) {
    for (const ItemRecord& item :
         read_annotator_items(state_->run.folder, state_->run.index,
                              [&](const std::string& id) { return id == example_id; })) {
      votes.emplace_back(item.annotator, item.gold);
    }
  }
  return votes;
}

}  // namespace labelprobe::record
