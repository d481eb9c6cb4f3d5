// What a look at a column shows: what kind of values it has, how many, how long.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "labelprobe/files/table.h"

namespace labelprobe::data {

struct ColumnProfile {
  std::string name;
  std::size_t n_rows = 0;
  std::size_t n_empty = 0;  // null, or a text of nothing but spaces
  std::size_t n_different = 0;
  bool are_numbers = false;  // all that are not empty, as texts too
  bool are_shares = false;   // numbers from 0 to 1, or true and false
  bool are_lists = false;    // lists of texts or numbers, or texts that are such JSON
  bool are_objects = false;
  double mean_characters = 0.0;  // of the values as texts
  double share_with_space = 0.0;
  std::string example;  // the first value that is not empty, shortened

  bool is_unique() const { return n_rows > 0 && n_empty == 0 && n_different == n_rows; }
};

std::vector<ColumnProfile> profile_columns(const files::Table& table);

// Comments of a task file: every column with what it holds and an example.
std::string describe_columns(const files::Table& table);

// A cell as one text: a string as it is, null as nothing, others as JSON.
std::string cell_text(const nlohmann::json& cell);

// Whether the cell has nothing to say: null, or nothing but spaces.
bool is_empty_cell(const nlohmann::json& cell);

// The items of a cell that is a list, or the text of one, as texts; unset if it is none.
std::optional<std::vector<std::string>> list_texts(const nlohmann::json& cell);

}  // namespace labelprobe::data
