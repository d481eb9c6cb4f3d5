// The table of an alignment as CSV.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/files/text_table.h"

#include "analysis/report/numbers.h"
#include "analysis/report/table_layouts.h"
#include "analysis/report/table_lines.h"

namespace labelprobe::analysis {

namespace {

std::string exact_or_empty(const std::optional<double>& number) {
  return number ? exact(*number) : "";
}

std::string count_cell(const std::optional<std::size_t>& n) {
  return n ? fmt::to_string(*n) : "";
}

// A line's texts while they are collected under their headers.
class Cells {
 public:
  void add(std::string_view header, std::string text) {
    headers_.emplace_back(header);
    texts_.push_back(std::move(text));
  }
  std::vector<std::string>& headers() { return headers_; }
  std::vector<std::string>& texts() { return texts_; }

 private:
  std::vector<std::string> headers_;
  std::vector<std::string> texts_;
};

void add_metrics(const TableLine& line, const std::vector<const Metric*>& metrics, Cells& cells) {
  for (const Metric* metric : metrics) {
    const Measured* measured = line.alignment ? line.alignment->find(metric->name) : nullptr;
    cells.add(metric->name, measured ? exact_or_empty(measured->value) : "");
    if (metric->of_example) {
      cells.add(fmt::format("{}_standard_error", metric->name),
                measured ? exact_or_empty(measured->standard_error) : "");
    }
  }
}

// What log and paper say is said of a row, not of each of its labels.
void add_row(const TableLine& line, const std::vector<const Metric*>& metrics, Cells& cells) {
  static const AlignmentRow kNothing;
  const AlignmentRow& row = line.label.empty() ? *line.row : kNothing;
  cells.add("n_items", count_cell(row.n_items));
  cells.add("n_failed", count_cell(row.n_failed));
  cells.add("n_answers_found", count_cell(row.n_answers_found));
  cells.add("n_without_answer", count_cell(row.n_without_answer));
  for (const Metric* metric : metrics) {
    if (!metric->of_example) continue;
    const Measured* answered = row.answered ? row.answered->find(metric->name) : nullptr;
    cells.add(fmt::format("answered_{}", metric->name),
              answered ? exact_or_empty(answered->value) : "");
  }
  cells.add("mean_answer_mass", exact_or_empty(row.mean_answer_mass));
  cells.add("platt_weight", row.platt ? exact(row.platt->weight) : "");
  cells.add("platt_bias", row.platt ? exact(row.platt->bias) : "");
  for (const Metric* metric : metrics) {
    if (!is_published(*metric)) continue;
    const std::optional<PublishedCell>& cell = row.published;
    const bool has_number = cell && cell->kind == PublishedCell::Kind::Numbers;
    cells.add(fmt::format("published_{}", metric->name), has_number
                                                             ? rounded(number_of(*cell, *metric))
                                                         : cell ? std::string(reason_of(*cell))
                                                                : "");
  }
}

void add_difference(const TableLine& line,
                    const AlignmentTable& table,
                    const std::vector<const Metric*>& metrics,
                    Cells& cells) {
  cells.add("against", line.difference ? name_of(table.rows[line.difference->against]) : "");
  for (const Metric* metric : metrics) {
    if (!metric->of_example) continue;
    const Difference* found = nullptr;
    if (line.difference) found = line.difference->difference.find(metric->name);
    cells.add(fmt::format("{}_difference", metric->name), found ? exact(found->value) : "");
    cells.add(fmt::format("{}_low", metric->name), found ? exact(found->low) : "");
    cells.add(fmt::format("{}_high", metric->name), found ? exact(found->high) : "");
  }
}

}  // namespace

void write_table_csv(std::ostream& out, const AlignmentTable& table) {
  const std::vector<const Metric*> metrics = metrics_of(table);
  const std::vector<TableLine> lines = lines_of(table);
  const bool has_labels = lines.size() > table.rows.size();
  files::TextTable grid;
  for (const TableLine& line : lines) {
    Cells cells;
    cells.add("task", table.task);
    cells.add("method", line.row->method);
    cells.add("estimator", line.row->estimator);
    cells.add("answer", line.row->answer);
    cells.add("run", line.row->run);
    if (has_labels) cells.add("label", line.label);
    cells.add("n_examples",
              line.alignment ? std::to_string(line.alignment->example_ids.size()) : "");
    add_metrics(line, metrics, cells);
    add_row(line, metrics, cells);
    add_difference(line, table, metrics, cells);
    cells.add("note", line.label.empty() ? line.row->note : "");
    if (grid.columns.empty()) {
      for (std::string& header : cells.headers()) grid.columns.push_back({std::move(header)});
    }
    grid.rows.push_back(std::move(cells.texts()));
  }
  files::write_csv(out, grid);
}

}  // namespace labelprobe::analysis
