#include "data/tasks/task_loading.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/data/task_draft.h"
#include "labelprobe/files/text_file.h"
#include "labelprobe/python/text.h"

#include "data/forms/task_text.h"
#include "data/reading/votes.h"
#include "data/tasks/label_cells.h"
#include "data/tasks/row_splits.h"
#include "data/tasks/task_tables.h"
#include "data/tasks/task_votes.h"

namespace labelprobe::data {

namespace {

namespace fs = std::filesystem;

// An item of a split while its rows come in.
struct Item {
  Record record;  // without votes
  std::string place;
  std::optional<Labels> labels;
  LabelShareList shares = {};
  ItemVotes voted = {};
};

struct SplitItems {
  std::vector<Item> items;
  std::unordered_map<std::string, std::size_t> position_of;
  std::unordered_map<std::string, std::vector<std::size_t>> positions_of_text = {};
};

class Loader {
 public:
  Loader(const TaskFile& task, const DatasetOptions& options)
      : task_(task), options_(options), reader_(task, options, warnings_), names_(task) {}

  LoadedSplits load(LabelShares* shares) {
    check_splits();
    read_items();
    const bool has_vote_files = task_.votes && !task_.votes->files.empty();
    if (has_vote_files && reads_votes()) read_vote_files();
    if (shares != nullptr) collect(*shares);
    LoadedSplits loaded;
    for (std::size_t i = 0; i < wanted_.size(); ++i) loaded.splits.push_back(finish(i));
    loaded.label_set = names_.label_set();
    if (names_.are_as_met()) {
      warnings_.push_back(
          fmt::format("{}: the labels are those of the data, in the order of their rows: {} "
                      "(label_names sets them)",
                      task_.path.string(), fmt::join(loaded.label_set.names(), ", ")));
    }
    if (const std::vector<std::string>& unknown = names_.left_out(); !unknown.empty()) {
      warnings_.push_back(
          fmt::format("{}: {} labels that are not among the task's are left out: {}",
                      task_.path.string(), unknown.size(), files::some_of(unknown)));
    }
    for (std::string& sentence : counts_.describe(task_.path.string())) {
      warnings_.push_back(std::move(sentence));
    }
    loaded.warnings = task_.notes;
    loaded.warnings.insert(loaded.warnings.end(), warnings_.begin(), warnings_.end());
    return loaded;
  }

 private:
  // Votes beside the labels are wanted with their annotators, and where they may name labels.
  bool reads_votes() const {
    return !task_.labels || names_.are_as_met() ||
           options_.annotation_mode != AnnotationMode::Aggregate;
  }

  // Which labels and which items there are, all splits say together.
  bool reads_all() const {
    const bool has_vote_files = task_.votes && !task_.votes->files.empty();
    return names_.are_as_met() || (has_vote_files && reads_votes());
  }

  void check_splits() {
    const std::vector<std::string> known = task_.splits();
    for (const std::string& split : options_.splits) {
      if (!known.empty()) check_split(task_.name, split, known);
      if (std::find(wanted_.begin(), wanted_.end(), split) != wanted_.end()) {
        throw ConfigError(
            fmt::format("{}: expected every split once, found '{}' again", task_.name, split));
      }
      wanted_.push_back(split);
    }
    splits_.resize(wanted_.size());
  }

  std::vector<SourceTable> read_tables() {
    std::vector<SourceTable> tables;
    for (const auto& [split, patterns] : task_.files) {
      const bool is_wanted =
          split.empty() || std::find(wanted_.begin(), wanted_.end(), split) != wanted_.end();
      if (!is_wanted && !reads_all()) continue;
      for (const std::string& pattern : patterns) {
        for (const fs::path& path : reader_.expand(pattern, task_.files_place)) {
          tables.push_back({split, reader_.read_items(path)});
        }
      }
    }
    return tables;
  }

  void read_items() {
    const std::vector<SourceTable> tables = read_tables();
    row_splits_ = assign_rows(task_, reader_.folder(), wanted_, tables, warnings_);
    const bool are_votes_here = task_.votes && task_.votes->files.empty();
    for (std::size_t t = 0; t < tables.size(); ++t) {
      const files::Table& table = tables[t].table;
      const TextColumn texts(table, task_.text);
      if (task_.votes && task_.votes->names_texts) note_texts(table, texts);
      std::optional<LabelReader> labels;
      if (task_.labels) labels.emplace(table, *task_.labels, names_);
      std::optional<VoteReader> votes;
      if (are_votes_here) votes.emplace(table, *task_.votes, names_, counts_);
      for (std::size_t row = 0; row < table.rows.size(); ++row) {
        const std::vector<Membership>& members = row_splits_.of[t][row];
        if (members.empty() && !names_.are_as_met()) continue;
        read_row(table.places[row], row, members, texts, labels, votes);
      }
    }
  }

  void note_texts(const files::Table& table, const TextColumn& texts) {
    for (std::size_t row = 0; row < table.rows.size(); ++row) texts_.insert(texts.at(row));
  }

  void read_row(const std::string& place,
                std::size_t row,
                const std::vector<Membership>& members,
                const TextColumn& texts,
                const std::optional<LabelReader>& labels,
                std::optional<VoteReader>& votes) {
    std::optional<Labels> found;
    CellLabels cell;
    if (labels) {
      cell = labels->at(row);
      if (cell.is_empty) throw DataError(place + ": expected a label, found none");
      found = std::move(cell.labels);
    }
    VoteReader::RowVotes voted;
    if (votes) voted = votes->at(row);
    if (members.empty() || (voted.is_left_out && !found)) return;
    const std::string text = texts.at(row);
    if (python::strip(text).empty()) {
      throw DataError(place + ": expected a text, found an empty one");
    }
    for (const Membership& member : members) {
      if (Item* const item = item_of(member, text, place, found)) {
        item->voted.add(voted, counts_);
        item->shares = cell.shares;
      }
    }
  }

  // Rows of one vote each make one item where their ids are the same. Null for a row that does not
  // count.
  Item* item_of(const Membership& member,
                const std::string& text,
                const std::string& place,
                const std::optional<Labels>& labels) {
    SplitItems& split = splits_[member.split];
    const auto [position, is_new] =
        split.position_of.emplace(member.example_id, split.items.size());
    if (is_new) {
      // Throws what is wrong with them, before votes on the item are looked for.
      SplitRecords(wanted_[member.split]).add({member.example_id, text, {}}, place);
      split.items.push_back({{member.example_id, text, {}}, place, labels});
      return &split.items.back();
    }
    Item& item = split.items[position->second];
    if (task_.repeated_ids == RepeatedIds::First) return nullptr;
    if (task_.repeated_ids == RepeatedIds::Last) {
      item = {{member.example_id, text, {}}, place, labels};
      return &item;
    }
    const auto fail = [&](std::string_view what, std::string_view next_step = "") {
      throw DataError(fmt::format("{}: expected {}, found '{}' again, which is at {}{}", place,
                                  what, files::printable(member.example_id), item.place,
                                  next_step));
    };
    const bool is_one_vote =
        task_.votes && task_.votes->files.empty() && task_.votes->columns.empty();
    if (!is_one_vote) {
      fail("distinct ids within a split", " (repeated_ids: first or last takes one of the rows)");
    }
    if (item.record.text != text) fail("the same text in all rows of an id");
    if (item.labels != labels) fail("the same labels in all rows of an id");
    return &item;
  }

  // Sheet by sheet where there are several.
  void read_vote_files() {
    const VoteForm& form = *task_.votes;
    if (form.names_texts) find_texts();
    for (const std::string& sheet :
         form.sheets.empty() ? std::vector{std::string()} : form.sheets) {
      for (const std::string& pattern : form.files) {
        for (const fs::path& path : reader_.expand(pattern, form.place)) {
          read_vote_table(reader_.read_votes(path, sheet));
        }
      }
    }
  }

  void read_vote_table(const files::Table& table) {
    const VoteForm& form = *task_.votes;
    const TextColumn items(table, form.item.is_given() ? form.item : task_.id);
    VoteReader votes(table, form, names_, counts_);
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
      read_vote(table.places[row], items.at(row), row, votes);
    }
  }

  // By text the items that have it, which votes name.
  void find_texts() {
    for (SplitItems& split : splits_) {
      for (std::size_t i = 0; i < split.items.size(); ++i) {
        split.positions_of_text[split.items[i].record.text].push_back(i);
      }
    }
  }

  std::vector<Item*> items_named(const std::string& name) {
    std::vector<Item*> items;
    for (SplitItems& split : splits_) {
      if (task_.votes->names_texts) {
        const auto found = split.positions_of_text.find(name);
        if (found == split.positions_of_text.end()) continue;
        for (const std::size_t position : found->second) items.push_back(&split.items[position]);
      } else if (const auto found = split.position_of.find(name);
                 found != split.position_of.end()) {
        items.push_back(&split.items[found->second]);
      }
    }
    return items;
  }

  void read_vote(const std::string& place,
                 const std::string& name,
                 std::size_t row,
                 VoteReader& votes) {
    const bool is_known =
        task_.votes->names_texts ? texts_.contains(name) : row_splits_.example_ids.contains(name);
    if (!is_known) {
      if (!task_.votes->skips_unknown_items) {
        throw DataError(
            fmt::format("{}: expected a vote on an item of the tables, found {}, which is in none "
                        "(unknown_items: skip leaves such votes out)",
                        place, files::shown(name)));
      }
      ++counts_.n_unknown;
      return;
    }
    const std::vector<Item*> items = items_named(name);
    if (items.empty() && !names_.are_as_met()) return;
    const VoteReader::RowVotes voted = votes.at(row);
    for (Item* item : items) item->voted.add(voted, counts_);
  }

  Labels aggregate_of(const ItemVotes& voted) const {
    if (task_.votes->takes_means) return labels_of_shares(voted.mean_shares(), task_.votes->labels);
    if (task_.kind() == LabelKind::MultiLabel) return labels_of_half(voted.votes);
    std::vector<LabelIndex> classes;
    for (const Vote& vote : voted.votes) classes.push_back(vote.labels.front());
    return {majority_of(classes)};
  }

  // Labels that several columns of the data stand for have the largest of their shares.
  void collect(LabelShares& shares) const {
    const auto n_labels = static_cast<std::size_t>(names_.label_set().size());
    for (const SplitItems& split : splits_) {
      for (const Item& item : split.items) {
        std::vector<double>& of_item = shares[item.record.example_id];
        of_item.assign(n_labels, 0.0);
        for (const auto& [label, share] : item.shares) {
          double& known = of_item[static_cast<std::size_t>(label)];
          known = std::max(known, share);
        }
      }
    }
  }

  SplitRecords finish(std::size_t split) {
    std::vector<Item>& items = splits_[split].items;
    if (const auto& ranks = row_splits_.ranks[split]; !ranks.empty()) {
      std::stable_sort(items.begin(), items.end(), [&](const Item& a, const Item& b) {
        return ranks.at(a.record.example_id) < ranks.at(b.record.example_id);
      });
    }
    SplitRecords records(wanted_[split]);
    std::vector<std::string> unlabelled;
    for (Item& item : items) {
      if (!item.labels && item.voted.votes.empty()) {
        unlabelled.push_back(item.record.example_id);
        continue;
      }
      Labels aggregate = item.labels ? *item.labels : aggregate_of(item.voted);
      item.record.votes = std::move(item.voted.votes);
      item.record.votes.push_back({std::string(kAggregate), std::move(aggregate)});
      records.add(std::move(item.record), item.place);
    }
    if (!unlabelled.empty()) {
      warnings_.push_back(
          fmt::format("{}, split {}: {} of {} items have no vote and are left out: {}", task_.name,
                      wanted_[split], unlabelled.size(), items.size(), files::some_of(unlabelled)));
    }
    return records;
  }

  const TaskFile& task_;
  const DatasetOptions& options_;
  std::vector<std::string> warnings_;
  TaskTables reader_;
  LabelNames names_;
  std::vector<std::string> wanted_;
  std::vector<SplitItems> splits_;  // [wanted_.size()]
  RowSplits row_splits_;
  std::unordered_set<std::string> texts_;  // of all rows, where votes name items by their text
  VoteCounts counts_;
};

}  // namespace

bool is_task_file(std::string_view name) {
  return is_yaml_file(name) || is_data_without_task(std::string(name));
}

LoadedSplits load_task(const TaskFile& task, const DatasetOptions& options, LabelShares* shares) {
  if (!task.label_file) return Loader(task, options).load(shares);
  TaskFile whole = task;
  whole.label_names = read_label_names(task, options);
  return Loader(whole, options).load(shares);
}

}  // namespace labelprobe::data
