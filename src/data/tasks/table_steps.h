// What a task file does to a table before its columns are read: cells taken apart, tables joined,
// rows left out. Each step sees what those before it made.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "labelprobe/files/table.h"
#include "labelprobe/files/yaml.h"

#include "data/tasks/cells.h"

namespace labelprobe::data {

struct TableStep {
  enum class Kind {
    Pattern,  // named groups of a pattern become columns
    Replace,  // patterns in a column become other texts
    Count,    // how many rows before this one have the same cell
    Join,     // columns of the row of another table that has the same cells
    Where,    // only rows whose cells have the patterns stay
    File,     // the name of the table's file becomes a column
  };
  // What Pattern and Join do with rows without a match.
  enum class Otherwise { Refuse, LeaveOut, Empty };

  Kind kind = Kind::Pattern;
  ColumnName column;  // of Pattern, Replace and Count: what is looked at
  std::string made;   // of Replace, Count and File: the column that comes of it
  // Pattern: it alone. Replace: with what takes their places. Where: behind the columns' names.
  std::vector<std::pair<std::string, std::string>> patterns;
  Otherwise otherwise = Otherwise::Refuse;
  std::string file;   // of Join
  std::string sheet;  // of Join, where its file is a workbook; empty = the only one
  std::vector<std::pair<std::string, ColumnName>> on;     // of Join: our column, its column
  std::vector<std::pair<std::string, ColumnName>> taken;  // of Join: by the name they get here
  std::vector<TableStep> steps;                           // of Join: done to its table first
  std::string place;
};

// A list of steps. Throws ConfigError (file, line, expected, found, the nearest key).
std::vector<TableStep> table_steps_of(const files::YamlView& value);

// Reads a table of a join; `path` as the task file spells it.
using OpenTable = std::function<files::Table(const std::string& path, const std::string& sheet)>;

// Does the steps to a table. Throws ConfigError for a column that is there already, and DataError
// (row, column, expected, found) for rows that do not fit. Says what was left out in `notes`.
void do_steps(const std::vector<TableStep>& steps,
              const OpenTable& open,
              files::Table& table,
              std::vector<std::string>& notes);

}  // namespace labelprobe::data
