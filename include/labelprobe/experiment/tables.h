// The tables of the paper: which runs they are made of, and the command line of each. The only
// place that says what a cell is; `labelprobe table` runs them, and scripts/prob_distr/ asks it for
// them.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace labelprobe::experiment {

struct Table {
  std::string_view name;
  std::string_view summary;
  std::vector<std::string_view> tasks;
  std::vector<std::string_view> distributions;
  std::string_view paper;  // whose published numbers stand beside it; empty = none
};

// All of them, in the order that people see.
std::span<const Table> tables();

// Throws ConfigError naming the nearest.
const Table& find_table(std::string_view name);

// A data set asked in one way.
struct Cell {
  std::string task;
  std::string distribution;

  std::string name() const { return task + "/" + distribution; }
};

// The cells of a table, set by set.
//   asked  sets, distributions or SET/DISTRIBUTION; none = all cells
// Throws ConfigError for a name that the table does not have.
std::vector<Cell> choose_cells(const Table& table, std::span<const std::string> asked);

// What all cells of a model have in common.
struct CellOptions {
  std::string model;  // as given to --model-name-or-path
  // Name of a list of the set, or path of one; kNoList: every example of the test splits. Unset:
  // the first of kUsualLists that the set has.
  std::optional<std::string> id_list;
  std::string device = "auto";
  std::string seed = "0";
  std::optional<std::int64_t> limit;
  std::vector<std::string> flags;  // of `labelprobe run`; they win
  std::filesystem::path data_root = "./data";
  std::filesystem::path id_root = "./prob_distr_ids";
  std::filesystem::path config_root = "./configs";
  std::filesystem::path log_root = "./logs";
};

// The published list, and the one drawn by our rule.
inline constexpr std::array<std::string_view, 2> kUsualLists = {"main_test_set", "ours_200"};

inline constexpr std::string_view kNoList = "none";

// A list of ids, and the name under which it stands in log folders: "main_test_set".
struct IdList {
  std::string name;
  std::filesystem::path file;  // empty: kNoList, whose logs are called "all_examples"
};

// The list of a set. Throws ConfigError, naming those that there are, if it is not there.
IdList find_id_list(const std::string& task, const CellOptions& options);

// The flags that say where the data of a set lie. Throws ConfigError saying what was looked for if
// they are not there.
std::vector<std::string> root_arguments(const std::string& task, const CellOptions& options);

// The flags that say which data a cell is about, for `run` and `align`. Throws ConfigError saying
// what was looked for if the data or the id list are not there.
std::vector<std::string> data_arguments(const std::string& task, const CellOptions& options);

// The flags of `run` and `classify` that all runs of a model have in common, those that the user
// gave last. The published numbers come from 4-bit weights, hence --load-in-4bit, unless the flags
// say how weights are kept.
//   limit  items; unset = all
std::vector<std::string> common_arguments(const CellOptions& options,
                                          const std::optional<std::int64_t>& limit);

// The command line of a cell's run, beginning with "run", as published. Throws as
// data_arguments().
std::vector<std::string> run_arguments(const Cell& cell, const CellOptions& options);

}  // namespace labelprobe::experiment
