#include "data/forms/label_columns.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

namespace labelprobe::data {

namespace {

std::vector<std::string> split(const std::string& text, std::string_view separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    std::string part = text.substr(begin, end - begin);
    part.erase(0, part.find_first_not_of(' '));
    part.erase(part.find_last_not_of(' ') + 1);
    if (!part.empty()) parts.push_back(std::move(part));
    begin = end + separator.size();
  }
  return parts;
}

// What some cells have between names that stand alone in others.
std::string separator_of(const files::Table& table, const ColumnProfile& column) {
  const std::size_t at = table.column(column.name);
  for (const std::string_view separator : {"|", ";", ",", "/"}) {
    std::unordered_set<std::string> parts;  // of cells that have several
    std::unordered_set<std::string> alone;
    for (const auto& row : table.rows) {
      const std::vector<std::string> names = split(cell_text(row[at]), separator);
      (names.size() > 1 ? parts : alone).insert(names.begin(), names.end());
    }
    const bool is_between = std::any_of(parts.begin(), parts.end(),
                                        [&](const auto& part) { return alone.contains(part); });
    alone.merge(parts);
    if (is_between && alone.size() <= std::min(kMostLabels, column.n_different)) {
      return std::string(separator);
    }
  }
  return "";
}

void count_labels(const files::Table& table, const ColumnProfile& column, Labels& labels) {
  const std::size_t at = table.column(column.name);
  for (const auto& row : table.rows) {
    std::vector<std::string> names;
    if (labels.kind == Labels::Kind::JsonLists) {
      names = list_texts(row[at]).value_or(std::vector<std::string>());
    } else if (labels.kind == Labels::Kind::Separated) {
      names = split(cell_text(row[at]), labels.separator);
    } else if (!is_empty_cell(row[at])) {
      names = {cell_text(row[at])};
    }
    for (const std::string& name : names) add_count(name, 1, labels);
    if (labels.counts.size() > kMostLabels) return;
  }
}

}  // namespace

Labels labels_of(const files::Table& table, const ColumnProfile& column) {
  Labels labels;
  if (column.are_objects) return labels;
  labels.column = column.name;
  labels.separator = column.are_lists ? "" : separator_of(table, column);
  labels.kind = column.are_lists           ? Labels::Kind::JsonLists
                : labels.separator.empty() ? Labels::Kind::Class
                                           : Labels::Kind::Separated;
  count_labels(table, column, labels);
  const bool are_some = labels.counts.size() > 1 && labels.counts.size() <= kMostLabels;
  return are_some ? labels : Labels();
}

bool are_alike(const Labels& a, const Labels& b) {
  const auto n_common = std::count_if(b.counts.begin(), b.counts.end(), [&](const auto& entry) {
    return std::any_of(a.counts.begin(), a.counts.end(),
                       [&](const auto& other) { return other.first == entry.first; });
  });
  return 2 * static_cast<std::size_t>(n_common) >= b.counts.size();
}

void add_count(const std::string& label, std::size_t n, Labels& labels) {
  const auto found = std::find_if(labels.counts.begin(), labels.counts.end(),
                                  [&](const auto& entry) { return entry.first == label; });
  if (found == labels.counts.end()) {
    labels.counts.emplace_back(label, n);
  } else {
    found->second += n;
  }
}

}  // namespace labelprobe::data
