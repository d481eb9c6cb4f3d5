// Which rows of a task's tables make which split, and the ids of their items.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "data/tasks/task_form.h"

namespace labelprobe::data {

struct SourceTable {
  std::string split;  // empty: of all splits
  files::Table table;
};

struct Membership {
  std::size_t split = 0;  // among the wanted ones
  std::string example_id;
};

struct RowSplits {
  std::vector<std::vector<std::vector<Membership>>> of;  // [n_tables][n_rows]; none = not wanted
  std::unordered_set<std::string> example_ids;           // of all rows, wanted or not
  // [n_wanted]: by id the position that a list of ids gives it; empty = as the rows come.
  std::vector<std::unordered_map<std::string, std::size_t>> ranks;
};

// Shares are drawn as Python does it: the ids in the order of the data, random.seed(seed),
// random.shuffle, then from the front as many for each split as its share of them is, rounded down
// after the sum with the shares before it.
//   folder  what the paths of the task file start from
//   wanted  names of splits, each once
// Throws ConfigError for a split that the task has not, and DataError for one without rows.
RowSplits assign_rows(const TaskFile& task,
                      const std::filesystem::path& folder,
                      std::span<const std::string> wanted,
                      std::span<const SourceTable> tables,
                      std::vector<std::string>& warnings);

}  // namespace labelprobe::data
