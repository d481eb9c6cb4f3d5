// What all layouts of a table of alignments share: its lines, its metrics, its sources.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/analysis/table.h"

namespace labelprobe::analysis {

// A method's row, or what it says of one label.
struct TableLine {
  const AlignmentRow* row = nullptr;
  const Alignment* alignment = nullptr;       // null: the method does not apply
  const RowDifference* difference = nullptr;  // of the row; null if it has none, and of labels
  std::string label;                          // empty: all labels together
};

// Label of the line that a row has for the examples whose answers say something.
inline constexpr std::string_view kAnswered = "(answered)";

// Every row with the line of its answered examples, where it has one.
std::vector<TableLine> lines_for_people(const AlignmentTable& table);

// Every row, each followed by its labels.
std::vector<TableLine> lines_of(const AlignmentTable& table);

// The metrics that have columns: those of labels alone where there are lines of labels.
std::vector<const Metric*> metrics_of(const AlignmentTable& table);

// Whether the paper's tables print the metric.
bool is_published(const Metric& metric);

// The cell's number of a published metric.
double number_of(const PublishedCell& cell, const Metric& metric);

// "Unary (first)"
std::string name_of(const AlignmentRow& row);

// Runs and files of the table, each once, in the order of the rows; rows point to them by number.
std::vector<std::string> sources_of(const AlignmentTable& table);

// "N/A" or "N/S" of a cell without numbers; empty for others.
std::string_view reason_of(const PublishedCell& cell);

}  // namespace labelprobe::analysis
