#include "data/tasks/row_splits.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/text_file.h"
#include "labelprobe/files/yaml.h"
#include "labelprobe/python/random.h"

#include "data/reading/text_ids_file.h"

namespace labelprobe::data {

namespace {

using Ids = std::vector<std::vector<std::string>>;  // [n_tables][n_rows]

// What the data call a split that is wanted.
std::vector<std::string> called_names(const TaskFile& task, const std::string& wanted) {
  if (task.split.names.empty()) return {wanted};
  std::vector<std::string> known;
  for (const auto& [name, called] : task.split.names) {
    if (name == wanted) return called;
    known.push_back(name);
  }
  throw ConfigError(
      fmt::format("{}: {}", task.split.place, unknown_choice("split", wanted, known)));
}

// Rows are numbered within a split that has files of its own, and from file to file.
Ids read_ids(const TaskFile& task, std::span<const SourceTable> tables) {
  Ids ids;
  std::unordered_map<std::string, std::size_t> n_rows;
  for (const SourceTable& source : tables) {
    const std::size_t size = source.table.rows.size();
    std::vector<std::string>& of_table = ids.emplace_back();
    of_table.reserve(size);
    std::optional<TextColumn> column;
    if (task.id.is_given()) column.emplace(source.table, task.id);
    for (std::size_t row = 0; row < size; ++row) {
      of_table.push_back(column ? column->at(row) : std::to_string(n_rows[source.split]++));
    }
  }
  return ids;
}

class Assigner {
 public:
  Assigner(const TaskFile& task,
           const std::filesystem::path& folder,
           std::span<const std::string> wanted,
           std::span<const SourceTable> tables,
           std::vector<std::string>& warnings)
      : task_(task),
        file_(folder / task.split.file),
        wanted_(wanted),
        tables_(tables),
        warnings_(warnings),
        ids_(read_ids(task, tables)) {}

  RowSplits assign() {
    splits_.ranks.resize(wanted_.size());
    for (const SourceTable& source : tables_) splits_.of.emplace_back(source.table.rows.size());
    for (const auto& ids : ids_) splits_.example_ids.insert(ids.begin(), ids.end());
    switch (task_.split.kind) {
      case SplitForm::Kind::None:
        by_files();
        break;
      case SplitForm::Kind::Column:
        by_column();
        break;
      case SplitForm::Kind::Shares:
        by_shares();
        break;
      case SplitForm::Kind::Ids:
        by_ids();
        break;
      case SplitForm::Kind::Texts:
        by_texts();
        break;
    }
    check_rows();
    return std::move(splits_);
  }

 private:
  void for_each_row(const std::function<void(std::size_t table, std::size_t row)>& take) const {
    for (std::size_t table = 0; table < tables_.size(); ++table) {
      for (std::size_t row = 0; row < ids_[table].size(); ++row) take(table, row);
    }
  }

  void add(std::size_t table, std::size_t row, std::size_t split) {
    splits_.of[table][row].push_back({split, ids_[table][row]});
  }

  void by_files() {
    for_each_row([&](std::size_t table, std::size_t row) {
      const std::string& split = tables_[table].split;
      for (std::size_t i = 0; i < wanted_.size(); ++i) {
        if (split.empty() || split == wanted_[i]) add(table, row, i);
      }
    });
  }

  void by_column() {
    std::vector<std::vector<std::string>> called;
    for (const std::string& split : wanted_) called.push_back(called_names(task_, split));
    for (std::size_t table = 0; table < tables_.size(); ++table) {
      const Column column(tables_[table].table, task_.split.column);
      for (std::size_t row = 0; row < ids_[table].size(); ++row) {
        const std::string value = text_of(column.at(row), tables_[table].table.places[row]);
        found_.insert(value);
        for (std::size_t i = 0; i < wanted_.size(); ++i) {
          if (std::find(called[i].begin(), called[i].end(), value) != called[i].end()) {
            add(table, row, i);
          }
        }
      }
    }
  }

  void by_shares() {
    std::vector<std::string> distinct;
    std::unordered_map<std::string, std::size_t> position_of;
    for_each_row([&](std::size_t table, std::size_t row) {
      const std::string& id = ids_[table][row];
      if (position_of.emplace(id, distinct.size()).second) distinct.push_back(id);
    });
    python::Random random(task_.split.seed);
    random.shuffle(distinct);
    std::unordered_map<std::string, std::size_t> share_of;
    double sum = 0.0;
    std::size_t begin = 0;
    for (std::size_t share = 0; share < task_.split.shares.size(); ++share) {
      constexpr double kRounding = 1e-9;
      sum += task_.split.shares[share].second;
      const auto end = std::min(
          distinct.size(), static_cast<std::size_t>(
                               std::floor(sum * static_cast<double>(distinct.size()) + kRounding)));
      for (std::size_t i = begin; i < end; ++i) share_of.emplace(distinct[i], share);
      begin = end;
    }
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      const std::size_t share = position_of_share(wanted_[i]);
      for_each_row([&](std::size_t table, std::size_t row) {
        const auto found = share_of.find(ids_[table][row]);
        if (found != share_of.end() && found->second == share) add(table, row, i);
      });
    }
  }

  std::size_t position_of_share(const std::string& split) const {
    std::vector<std::string> known;
    for (const auto& [name, share] : task_.split.shares) {
      if (name == split) return known.size();
      known.push_back(name);
    }
    throw ConfigError(
        fmt::format("{}: {}", task_.split.place, unknown_choice("split", split, known)));
  }

  void by_ids() {
    const files::YamlView root = files::load_yaml(file_, ErrorKind::Data);
    std::unordered_map<std::string, std::vector<std::size_t>> splits_of;
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      for (const std::string& called : called_names(task_, wanted_[i])) {
        for (const std::string& id : listed_ids(root, called)) {
          const std::size_t rank = splits_.ranks[i].size();
          if (splits_.ranks[i].emplace(id, rank).second) splits_of[id].push_back(i);
        }
      }
    }
    for_each_row([&](std::size_t table, std::size_t row) {
      const auto found = splits_of.find(ids_[table][row]);
      if (found == splits_of.end()) return;
      for (const std::size_t split : found->second) add(table, row, split);
    });
    for (std::size_t i = 0; i < wanted_.size(); ++i) warn_of_missing(i);
    if (task_.split.keeps_rows) splits_.ranks.assign(wanted_.size(), {});
  }

  std::vector<std::string> listed_ids(const files::YamlView& root, const std::string& split) {
    std::vector<std::string> ids;
    if (!root.is_map()) root.fail_expected("a map of splits to lists of ids");
    for (const auto& [name, list] : root.members()) {
      if (name.is_scalar()) found_.insert(name.text());
    }
    const auto list = root.find(split);
    if (!list) {
      root.fail(
          unknown_choice("split", split, std::vector<std::string>(found_.begin(), found_.end())));
    }
    if (!list->is_list()) list->fail_expected("a list of ids");
    for (const files::YamlView& id : list->items()) {
      if (!id.is_scalar()) id.fail_expected("an id");
      ids.push_back(id.text());
    }
    return ids;
  }

  void warn_of_missing(std::size_t split) {
    std::vector<std::string> missing(splits_.ranks[split].size());
    for (const auto& [id, rank] : splits_.ranks[split]) {
      if (!splits_.example_ids.contains(id)) missing[rank] = id;
    }
    std::erase(missing, "");
    if (missing.empty()) return;
    warnings_.push_back(fmt::format("{}, split {}: {} of {} ids have no row and are left out: {}",
                                    file_.string(), wanted_[split], missing.size(),
                                    splits_.ranks[split].size(), files::some_of(missing)));
  }

  void by_texts() {
    std::vector<std::string> called;
    for (const std::string& split : wanted_) {
      const std::vector<std::string> names = called_names(task_, split);
      if (names.size() != 1) {
        throw ConfigError(task_.split.place + ": expected one name for each split beside texts");
      }
      called.push_back(names.front());
    }
    const std::vector<TextIds> texts = read_text_ids(file_, called);
    for (const TextIds& of_split : texts) {
      for (const auto& [text, id] : of_split) splits_.example_ids.insert(id);
    }
    for (std::size_t table = 0; table < tables_.size(); ++table) {
      const TextColumn column(tables_[table].table, task_.text);
      for (std::size_t row = 0; row < ids_[table].size(); ++row) {
        const std::string text = column.at(row);
        for (std::size_t i = 0; i < texts.size(); ++i) {
          if (const auto id = texts[i].find(text); id != texts[i].end()) {
            splits_.of[table][row].push_back({i, id->second});
          }
        }
      }
    }
  }

  void check_rows() const {
    std::vector<bool> has_rows(wanted_.size(), false);
    for (const auto& table : splits_.of) {
      for (const auto& row : table) {
        for (const Membership& membership : row) has_rows[membership.split] = true;
      }
    }
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (has_rows[i]) continue;
      const std::vector<std::string> found(found_.begin(), found_.end());
      throw DataError(
          fmt::format("{}: expected rows of split '{}', found none{}",
                      task_.split.place.empty() ? task_.files_place : task_.split.place, wanted_[i],
                      found.empty() ? "" : fmt::format(" (there are: {})", files::some_of(found))));
    }
  }

  const TaskFile& task_;
  std::filesystem::path file_;
  std::span<const std::string> wanted_;
  std::span<const SourceTable> tables_;
  std::vector<std::string>& warnings_;
  Ids ids_;
  std::set<std::string> found_;  // what the data call splits
  RowSplits splits_;
};

}  // namespace

std::vector<std::string> TaskFile::splits() const {
  std::vector<std::string> names;
  const auto add = [&](const auto& pairs) {
    for (const auto& pair : pairs) names.push_back(pair.first);
  };
  if (split.kind == SplitForm::Kind::Shares) {
    add(split.shares);
  } else if (split.kind != SplitForm::Kind::None) {
    add(split.names);
  } else if (files.front().first.empty()) {
    names.emplace_back("all");
  } else {
    add(files);
  }
  return names;
}

RowSplits assign_rows(const TaskFile& task,
                      const std::filesystem::path& folder,
                      std::span<const std::string> wanted,
                      std::span<const SourceTable> tables,
                      std::vector<std::string>& warnings) {
  return Assigner(task, folder, wanted, tables, warnings).assign();
}

}  // namespace labelprobe::data
