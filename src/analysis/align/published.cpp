#include "labelprobe/analysis/published.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "labelprobe/core/error.h"

namespace labelprobe::analysis {

namespace {

using Cell = PublishedCell;

constexpr Cell kNotApplicable{Cell::Kind::NotApplicable, {}};
constexpr Cell kNotRun{Cell::Kind::NotRun, {}};

constexpr Cell cell(double nll, double l1, double f1) {
  return {Cell::Kind::Numbers, {nll, l1, f1}};
}

constexpr std::array<std::string_view, 4> kTasks = {"Hatexplain", "MSPPodcast", "GoEmotions",
                                                    "MFRC"};

struct PublishedRow {
  std::string_view method;
  std::array<Cell, kTasks.size()> cells;
};

constexpr PublishedRow kBert{"bert",
                             {cell(2.69, 0.73, 0.66), cell(4.29, 1.27, 0.38),
                              cell(2.72, 0.63, 0.64), cell(3.00, 0.43, 0.82)}};
constexpr PublishedRow kSftOutputs{
    "SFT_output", {kNotRun, kNotRun, cell(14.76, 0.80, 0.58), cell(10.45, 0.57, 0.69)}};
constexpr PublishedRow kSftMax{
    "SFT_max", {kNotApplicable, kNotApplicable, cell(4.15, 0.72, 0.57), cell(4.87, 0.54, 0.73)}};

constexpr std::array kTable1 = {
    PublishedRow{"baseline",
                 {cell(1.66, 0.81, 0.58), cell(2.63, 1.37, 0.29), cell(23.93, 4.71, 0.27),
                  cell(5.34, 1.85, 0.51)}},
    PublishedRow{"output",
                 {cell(9.86, 0.90, 0.58), cell(13.65, 1.47, 0.30), cell(24.11, 1.31, 0.39),
                  cell(19.70, 1.07, 0.59)}},
    PublishedRow{"unary",
                 {cell(0.91, 0.94, 0.47), cell(1.55, 1.45, 0.30), cell(3.60, 1.32, 0.43),
                  cell(2.49, 1.27, 0.51)}},
    PublishedRow{"binary",
                 {cell(1.12, 1.06, 0.29), cell(1.65, 1.44, 0.24), cell(7.62, 2.64, 0.41),
                  cell(3.55, 2.11, 0.41)}},
    PublishedRow{"max",
                 {kNotApplicable, kNotApplicable, cell(4.04, 1.27, 0.39), cell(2.32, 0.92, 0.63)}},
    kBert,
    PublishedRow{"linear_probing",
                 {kNotRun, kNotRun, cell(2.42, 0.71, 0.56), cell(2.81, 0.44, 0.81)}},
    kSftOutputs,
    kSftMax,
};

constexpr std::array kTable5 = {
    PublishedRow{"baseline",
                 {cell(0.97, 0.97, 0.42), cell(1.59, 1.34, 0.31), cell(33.58, 5.42, 0.21),
                  cell(20.23, 4.82, 0.23)}},
    PublishedRow{"output",
                 {cell(12.63, 1.17, 0.42), cell(13.55, 1.44, 0.31), cell(27.47, 1.49, 0.32),
                  cell(40.79, 2.21, 0.26)}},
    PublishedRow{"unary",
                 {cell(0.98, 1.01, 0.35), cell(1.62, 1.48, 0.12), cell(4.99, 3.21, 0.29),
                  cell(5.29, 3.03, 0.22)}},
    PublishedRow{"binary",
                 {cell(0.99, 1.01, 0.23), cell(1.61, 1.48, 0.17), cell(4.84, 3.18, 0.23),
                  cell(8.33, 3.83, 0.23)}},
    PublishedRow{"max",
                 {kNotApplicable, kNotApplicable, cell(3.00, 1.44, 0.34), cell(2.87, 1.58, 0.39)}},
    kBert,
    PublishedRow{"linear_probing",
                 {kNotRun, kNotRun, cell(2.57, 0.70, 0.57), cell(2.49, 0.39, 0.83)}},
    kSftOutputs,
    kSftMax,
};

// Lower case, letters and digits only: "Linear probing" and "linear_probing" are the same.
std::string simplified(std::string_view name) {
  std::string letters;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      letters += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return letters;
}

}  // namespace

PaperTable parse_paper_table(std::string_view name) {
  const std::string word = simplified(name);
  if (word == "table1" || word == "table5") {
    return word == "table1" ? PaperTable::Table1 : PaperTable::Table5;
  }
  const std::string known[] = {"table1", "table5"};
  throw ConfigError(unknown_choice("table of the paper", name, known));
}

std::string_view describe(PaperTable table) {
  return table == PaperTable::Table1 ? "Table 1 (Llama3 70B)" : "Table 5 (Llama3 8B)";
}

std::string_view supervised_method(std::string_view name) {
  const std::string word = simplified(name);
  if (word == "bert" || word == "demux" || word == "bertdemux") {
    return "bert";
  }
  if (word == "probe" || word == "probes" || word == "probing" || word == "linearprobing" ||
      word == "linearprobes") {
    return "linear_probing";
  }
  return "";
}

std::optional<PublishedCell> published_cell(PaperTable table,
                                            std::string_view task,
                                            std::string_view method) {
  const auto column = std::find(kTasks.begin(), kTasks.end(), task);
  if (column == kTasks.end()) {
    const std::vector<std::string> known(kTasks.begin(), kTasks.end());
    throw ConfigError(std::string(describe(table)) + ": " +
                      unknown_choice("data set", task, known));
  }
  const auto& rows = table == PaperTable::Table1 ? kTable1 : kTable5;
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [&](const PublishedRow& r) { return r.method == method; });
  if (row == rows.end()) {
    return std::nullopt;
  }
  return row->cells[static_cast<std::size_t>(column - kTasks.begin())];
}

}  // namespace labelprobe::analysis
