// Columns as labels: what stands between them, and how often each is there.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "labelprobe/files/table.h"

#include "data/forms/column_profile.h"

namespace labelprobe::data {

inline constexpr std::size_t kMostLabels = 64;  // more different values are no labels

struct Labels {
  enum class Kind { None, Columns, Raters, JsonLists, Separated, Class };
  Kind kind = Kind::None;
  std::string column;
  std::string separator;
  std::vector<std::string> columns;
  std::vector<std::pair<std::string, std::size_t>> counts;  // by label, in the order of meeting
};

// What a column says if it holds labels; of no kind if it cannot.
Labels labels_of(const files::Table& table, const ColumnProfile& column);

// Whether at least half of b's labels are a's too.
bool are_alike(const Labels& a, const Labels& b);

void add_count(const std::string& label, std::size_t n, Labels& labels);

}  // namespace labelprobe::data
