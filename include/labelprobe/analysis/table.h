// The table of an alignment: one row per method, in the formats people paste into papers or go on
// with in other programs. Terminal, Markdown, LaTeX and HTML round as the paper does; CSV and JSON
// keep every digit.
#pragma once

#include <cstddef>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/analysis/alignment.h"
#include "labelprobe/analysis/estimators.h"
#include "labelprobe/analysis/published.h"
#include "labelprobe/analysis/validity.h"

namespace labelprobe::analysis {

enum class TableFormat { Terminal, Markdown, Csv, Json, Latex, Html };

// "terminal", "markdown", "csv", "json", "latex", "html"; ConfigError naming them for anything
// else.
TableFormat parse_table_format(std::string_view name);

// By the ending of a file's name: .txt, .md, .csv, .json, .tex, .html; ConfigError naming them.
TableFormat format_of_file(const std::filesystem::path& path);

// Below this share of found answers a row says more of what stands in for the others.
inline constexpr double kFoundEnough = 0.9;

struct AlignmentRow {
  std::string method;     // as the paper's tables call it, for people
  std::string estimator;  // "unary"; "scores" of a file; "constant"
  std::string answer;     // where unary and binary answers are read; empty for others
  std::string run;        // folder or file the estimates come from; empty if there is none
  std::string note;       // how the row came about, where that is not the method's own definition
  // Unset: the method does not apply to the data set, or no answer was found to make it of.
  std::optional<Alignment> alignment;
  std::vector<Alignment> by_label;  // in label-set order; empty unless asked for
  // Over the examples whose answers say something of what was asked; unset if all do, or none does.
  std::optional<Alignment> answered;
  // What the log says; unset where there is none.
  std::optional<std::size_t> n_items;
  std::optional<std::size_t> n_failed;
  std::optional<std::size_t> n_answers_found;
  bool is_doubtful = false;                     // fewer than kFoundEnough of its answers were found
  std::optional<std::size_t> n_without_answer;  // of Alignment::example_ids
  std::optional<double> mean_answer_mass;
  std::optional<PlattScaling> platt;  // where the row is calibrated
  std::optional<PublishedCell> published;
};

// Row `row` minus row `against`, positions in AlignmentTable::rows.
struct RowDifference {
  std::size_t row = 0;
  std::size_t against = 0;
  AlignmentDifference difference;
};

// How far the numbers of a run can be trusted.
struct RunValidity {
  std::string run;  // as AlignmentRow::run
  std::vector<ValidityRow> rows;
};

struct AlignmentTable {
  std::string task;
  LabelKind kind = LabelKind::MultiLabel;
  std::vector<std::string> labels;
  std::size_t n_examples_with_votes = 0;
  std::vector<AlignmentRow> rows;
  std::vector<RowDifference> differences;
  BootstrapOptions bootstrap;         // of the differences' intervals
  std::vector<RunValidity> validity;  // of the rows' runs, in their order
  std::optional<PaperTable> paper;    // where the rows' published cells come from
  std::vector<std::string> warnings;
};

// Text that is not UTF-8 (a folder's name) is mended in JSON.
void write_table(std::ostream& out, const AlignmentTable& table, TableFormat format);

}  // namespace labelprobe::analysis
