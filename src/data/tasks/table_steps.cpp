#include "data/tasks/table_steps.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/files/compressed.h"
#include "labelprobe/files/text_file.h"

#include "data/forms/task_text.h"
#include "data/tasks/cell_pattern.h"

namespace labelprobe::data {

namespace {

using files::Table;
using nlohmann::json;

// The position of a column that a step makes.
std::size_t add_column(Table& table, const std::string& name, const TableStep& step) {
  if (std::find(table.columns.begin(), table.columns.end(), name) != table.columns.end()) {
    throw ConfigError(fmt::format("{}: expected a new name for a column, found '{}', which {} has",
                                  step.place, name, table.name));
  }
  table.columns.push_back(name);
  for (auto& row : table.rows) row.emplace_back(nullptr);
  return table.columns.size() - 1;
}

// Only the rows that are kept stay.
std::size_t keep(const std::vector<bool>& is_kept, Table& table) {
  std::size_t n = 0;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    if (!is_kept[row]) continue;
    if (n != row) {
      table.rows[n] = std::move(table.rows[row]);
      table.places[n] = std::move(table.places[row]);
    }
    ++n;
  }
  const std::size_t n_left_out = table.rows.size() - n;
  table.rows.resize(n);
  table.places.resize(n);
  return n_left_out;
}

class Steps {
 public:
  Steps(const OpenTable& open, Table& table, std::vector<std::string>& notes)
      : open_(open), table_(table), notes_(notes) {}

  void take(const TableStep& step) {
    switch (step.kind) {
      case TableStep::Kind::Pattern:
        return match(step);
      case TableStep::Kind::Replace:
        return replace(step);
      case TableStep::Kind::Count:
        return count(step);
      case TableStep::Kind::Join:
        return join(step);
      case TableStep::Kind::Where:
        return choose(step);
      case TableStep::Kind::File:
        return name_file(step);
    }
  }

 private:
  std::string place_of(const Column& column, std::size_t row) const {
    return fmt::format("{}: column '{}'", table_.places[row], column.name());
  }

  std::vector<std::string> texts_of(const ColumnName& name) const {
    const Column column(table_, name);
    std::vector<std::string> texts;
    texts.reserve(table_.rows.size());
    for (std::size_t row = 0; row < table_.rows.size(); ++row) {
      texts.push_back(text_of(column.at(row), place_of(column, row)));
    }
    return texts;
  }

  // A row that a step does not fit, which is refused, left out or left empty.
  void leave(const TableStep& step, std::size_t row, std::vector<bool>& is_kept, std::string what) {
    if (step.otherwise == TableStep::Otherwise::Refuse) {
      throw DataError(
          fmt::format("{}: expected {} ({}); otherwise: leave out or empty takes such "
                      "tables",
                      table_.places[row], what, step.place));
    }
    if (step.otherwise == TableStep::Otherwise::LeaveOut) is_kept[row] = false;
  }

  void finish(const TableStep& step, const std::vector<bool>& is_kept, std::string_view why) {
    const std::size_t n_all = table_.rows.size();
    if (const std::size_t n = keep(is_kept, table_); n > 0) {
      notes_.push_back(fmt::format("{}: {} of {} of {} {} and are left out", step.place, n,
                                   counted(n_all, "row"), table_.name, why));
    }
  }

  void match(const TableStep& step) {
    const CellPattern pattern(step.patterns.front().first, step.place);
    const std::vector<std::string> cells = texts_of(step.column);
    std::vector<std::size_t> made;
    for (const std::string& group : pattern.groups()) {
      made.push_back(add_column(table_, group, step));
    }
    std::vector<bool> is_kept(cells.size(), true);
    for (std::size_t row = 0; row < cells.size(); ++row) {
      const auto found = pattern.find(cells[row], table_.places[row]);
      if (!found) {
        leave(step, row, is_kept,
              fmt::format("column '{}' to have the pattern '{}', found {}", step.column.name,
                          step.patterns.front().first, files::shown(cells[row])));
        continue;
      }
      for (std::size_t i = 0; i < made.size(); ++i) table_.rows[row][made[i]] = (*found)[i];
    }
    finish(step, is_kept, "have not the pattern");
  }

  void replace(const TableStep& step) {
    std::vector<std::string> cells = texts_of(step.column);
    for (const auto& [pattern, replacement] : step.patterns) {
      const CellPattern sought(pattern, step.place);
      for (std::size_t row = 0; row < cells.size(); ++row) {
        cells[row] = sought.replace(cells[row], replacement, table_.places[row]);
      }
    }
    const auto known = table_.find_column(step.made);
    const bool is_itself = known && step.made == step.column.name;
    const std::size_t at = is_itself ? *known : add_column(table_, step.made, step);
    for (std::size_t row = 0; row < cells.size(); ++row) table_.rows[row][at] = cells[row];
  }

  void count(const TableStep& step) {
    const std::vector<std::string> cells = texts_of(step.column);
    const std::size_t at = add_column(table_, step.made, step);
    std::unordered_map<std::string, std::size_t> n_before;
    for (std::size_t row = 0; row < cells.size(); ++row) {
      table_.rows[row][at] = n_before[cells[row]]++;
    }
  }

  void choose(const TableStep& step) {
    std::vector<bool> is_kept(table_.rows.size(), true);
    for (const auto& [column, pattern] : step.patterns) {
      const CellPattern sought(pattern, step.place);
      const std::vector<std::string> cells = texts_of({column, step.place});
      for (std::size_t row = 0; row < cells.size(); ++row) {
        is_kept[row] = is_kept[row] && sought.is_in(cells[row], table_.places[row]);
      }
    }
    keep(is_kept, table_);
  }

  void name_file(const TableStep& step) {
    const std::size_t at = add_column(table_, step.made, step);
    const std::string name = files::without_compression(table_.name).stem().string();
    for (auto& row : table_.rows) row[at] = name;
  }

  // The cells by which rows of two tables are the same.
  static std::vector<std::string> keys_of(const Table& table, std::span<const ColumnName> columns) {
    std::vector<json> keys(table.rows.size(), json::array());
    for (const ColumnName& name : columns) {
      const Column column(table, name);
      for (std::size_t row = 0; row < keys.size(); ++row) {
        keys[row].push_back(text_of(
            column.at(row), fmt::format("{}: column '{}'", table.places[row], column.name())));
      }
    }
    std::vector<std::string> texts;
    for (const json& key : keys) texts.push_back(key.dump());
    return texts;
  }

  // Names of the columns that are taken, and theirs in the other table: without a list all that the
  // step does not join on.
  static std::vector<std::pair<std::string, ColumnName>> taken_of(const TableStep& step,
                                                                  const Table& other) {
    if (!step.taken.empty()) return step.taken;
    std::vector<std::pair<std::string, ColumnName>> taken;
    for (const std::string& name : other.columns) {
      const bool is_key = std::any_of(step.on.begin(), step.on.end(),
                                      [&](const auto& pair) { return pair.second.name == name; });
      if (!is_key) taken.emplace_back(name, ColumnName{name, step.place});
    }
    return taken;
  }

  void join(const TableStep& step) {
    Table other = open_(step.file, step.sheet);
    do_steps(step.steps, open_, other, notes_);
    std::vector<ColumnName> ours;
    std::vector<ColumnName> theirs;
    for (const auto& [name, column] : step.on) {
      ours.push_back({name, step.place});
      theirs.push_back(column);
    }
    std::unordered_map<std::string, std::size_t> row_of;
    const std::vector<std::string> other_keys = keys_of(other, theirs);
    for (std::size_t row = 0; row < other_keys.size(); ++row) {
      const auto [found, is_new] = row_of.emplace(other_keys[row], row);
      if (is_new) continue;
      throw DataError(
          fmt::format("{}: expected every row to differ in what is joined on ({}), "
                      "found {} again, which is at {}",
                      other.places[row], step.place, files::printable(other_keys[row]),
                      other.places[found->second]));
    }
    const std::vector<std::string> keys = keys_of(table_, ours);
    std::vector<Column> columns;
    std::vector<std::size_t> made;
    for (const auto& [name, column] : taken_of(step, other)) {
      columns.emplace_back(other, column);
      made.push_back(add_column(table_, name, step));
    }
    std::vector<bool> is_kept(keys.size(), true);
    for (std::size_t row = 0; row < keys.size(); ++row) {
      const auto found = row_of.find(keys[row]);
      if (found == row_of.end()) {
        leave(step, row, is_kept,
              fmt::format("a row of {} with {}, found none", other.name,
                          files::printable(keys[row])));
        continue;
      }
      for (std::size_t i = 0; i < made.size(); ++i) {
        table_.rows[row][made[i]] = columns[i].at(found->second);
      }
    }
    finish(step, is_kept, fmt::format("have no row in {}", other.name));
  }

  const OpenTable& open_;
  Table& table_;
  std::vector<std::string>& notes_;
};

}  // namespace

void do_steps(const std::vector<TableStep>& steps,
              const OpenTable& open,
              Table& table,
              std::vector<std::string>& notes) {
  Steps doing(open, table, notes);
  for (const TableStep& step : steps) doing.take(step);
}

}  // namespace labelprobe::data
