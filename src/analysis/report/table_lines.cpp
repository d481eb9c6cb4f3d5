#include "analysis/report/table_lines.h"

#include <algorithm>

#include "labelprobe/core/error.h"

namespace labelprobe::analysis {

namespace {

std::size_t published_place(const Metric& metric) {
  return static_cast<std::size_t>(
      std::find(kPublishedMetrics.begin(), kPublishedMetrics.end(), metric.name) -
      kPublishedMetrics.begin());
}

const RowDifference* find_difference(const AlignmentTable& table, std::size_t row) {
  const auto found =
      std::find_if(table.differences.begin(), table.differences.end(),
                   [&](const RowDifference& difference) { return difference.row == row; });
  return found == table.differences.end() ? nullptr : &*found;
}

}  // namespace

std::vector<TableLine> lines_of(const AlignmentTable& table) {
  std::vector<TableLine> lines;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const AlignmentRow& row = table.rows[i];
    lines.push_back(
        {&row, row.alignment ? &*row.alignment : nullptr, find_difference(table, i), ""});
    LABELPROBE_CHECK(row.by_label.empty() || row.by_label.size() == table.labels.size());
    for (std::size_t label = 0; label < row.by_label.size(); ++label) {
      lines.push_back({&row, &row.by_label[label], nullptr, table.labels[label]});
    }
  }
  return lines;
}

std::vector<TableLine> lines_for_people(const AlignmentTable& table) {
  std::vector<TableLine> lines;
  for (TableLine& line : lines_of(table)) {
    const AlignmentRow& row = *line.row;
    const bool is_of_row = line.label.empty();
    lines.push_back(std::move(line));
    if (is_of_row && row.answered) {
      lines.push_back({&row, &*row.answered, nullptr, std::string(kAnswered)});
    }
  }
  return lines;
}

std::vector<const Metric*> metrics_of(const AlignmentTable& table) {
  const bool has_labels =
      std::any_of(table.rows.begin(), table.rows.end(),
                  [](const AlignmentRow& row) { return !row.by_label.empty(); });
  std::vector<const Metric*> shown;
  for (const Metric& metric : metrics()) {
    if (has_labels || metric.of_example) shown.push_back(&metric);
  }
  return shown;
}

bool is_published(const Metric& metric) {
  return published_place(metric) < kPublishedMetrics.size();
}

double number_of(const PublishedCell& cell, const Metric& metric) {
  return cell.numbers.at(published_place(metric));
}

std::string name_of(const AlignmentRow& row) {
  return row.method + (row.answer.empty() ? "" : " (" + row.answer + ")");
}

std::vector<std::string> sources_of(const AlignmentTable& table) {
  std::vector<std::string> sources;
  for (const AlignmentRow& row : table.rows) {
    if (!row.run.empty() && std::find(sources.begin(), sources.end(), row.run) == sources.end()) {
      sources.push_back(row.run);
    }
  }
  return sources;
}

std::string_view reason_of(const PublishedCell& cell) {
  switch (cell.kind) {
    case PublishedCell::Kind::NotApplicable:
      return "N/A";
    case PublishedCell::Kind::NotRun:
      return "N/S";
    case PublishedCell::Kind::Numbers:
      break;
  }
  return "";
}

}  // namespace labelprobe::analysis
