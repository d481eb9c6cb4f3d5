#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "labelprobe/analysis/estimators.h"
#include "labelprobe/analysis/paper_numbers.h"
#include "labelprobe/analysis/published.h"
#include "labelprobe/core/error.h"

#include "analysis/report/numbers.h"

namespace labelprobe::analysis {

namespace {

constexpr std::array<PaperMeasure, 3> kAlignmentMeasures = {
    {{"nll", "NLL"}, {"l1", "L1"}, {"f1", "F1"}}};
constexpr std::array<PaperMeasure, 4> kProbeMeasures = {{{"perf", "Perf", 3},
                                                         {"gold", "Gold", 3},
                                                         {"pred", "Pred", 3},
                                                         {"pred_nonfirst", "Pred 2+", 3}}};
constexpr std::array<PaperMeasure, 1> kStepMeasures = {
    {{"second_not_predicted_ever", "never predicted, %", 1}}};
// The last one is not the paper's: it counts the tokens that the third is meant to count.
constexpr std::array<PaperMeasure, 4> kAttentionMeasures = {
    {{"input", "Input, %", 3},
     {"prev_label", "Label, %"},
     {"only_label_token", "1st label, %"},
     {"label_token", "1st label exactly, %"}}};
constexpr std::size_t kPublishedAttentionMeasures = 3;

struct MeasuresOfTable {
  std::string_view table;
  std::span<const PaperMeasure> measures;
};
constexpr std::array<MeasuresOfTable, 5> kTables = {{{"table1", kAlignmentMeasures},
                                                     {"table2", kProbeMeasures},
                                                     {"table4", kStepMeasures},
                                                     {"table5", kAlignmentMeasures},
                                                     {"table6", kAttentionMeasures}}};

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// A model's row of a table whose columns are data sets with one or several measures each.
struct Row {
  std::string_view model;
  std::array<double, 12> numbers;  // set by set; those behind the last are unused
};

constexpr std::array<std::string_view, 3> kProbeSets = {"GoEmotions", "MFRC", "SemEval"};
constexpr std::array<Row, 4> kProbeRows = {{
    {"8B Base",
     {0.282, 0.463, 0.795, 0.197, 0.115, 0.246, 0.637, 0.211, 0.522, 0.590, 0.744, 0.647}},
    {"8B Instruct",
     {0.434, 0.520, 0.903, 0.217, 0.285, 0.380, 0.877, 0.074, 0.537, 0.624, 0.779, 0.675}},
    {"70B Base",
     {0.357, 0.519, 0.876, 0.0, 0.228, 0.368, 0.802, 0.043, 0.603, 0.616, 0.812, 0.706}},
    {"70B Instruct",
     {0.396, 0.554, 0.856, 0.440, 0.314, 0.420, 0.819, 0.550, 0.588, 0.627, 0.844, 0.758}},
}};

constexpr std::array<std::string_view, 4> kStepSets = {"SemEval", "GoEmotions", "MFRC", "Boxes"};
constexpr std::array<Row, 6> kStepRows = {{{"8B Base", {88.1, 99.3, 100, 86.1}},
                                           {"8B Instruct", {85.3, 95.4, 99.7, 70.8}},
                                           {"8B SFT", {90.4, 91.3, 94.7, kNone}},
                                           {"70B Base", {78.4, 92.9, 94.0, 72.4}},
                                           {"70B Instruct", {78.8, 93.4, 96.4, 56.8}},
                                           {"70B SFT", {82.8, 96.7, 89.9, kNone}}}};

constexpr std::array<std::string_view, 4> kAttentionSets = {"GoEmotions", "MFRC", "SemEval",
                                                            "Boxes"};
constexpr std::array<Row, 2> kAttentionRows = {
    {{"8B Base", {0.242, 2.04, 3.62, 0.132, 2.01, 3.29, 0.162, 1.76, 3.00, 0.095, 3.11, 3.06}},
     {"8B Instruct",
      {0.242, 2.08, 3.48, 0.242, 2.08, 3.48, 0.163, 1.74, 2.84, 0.094, 2.92, 2.69}}}};

std::vector<PaperNumber> numbers_of(std::string_view table,
                                    std::span<const std::string_view> sets,
                                    std::span<const Row> rows,
                                    std::span<const PaperMeasure> measures) {
  std::vector<PaperNumber> numbers;
  for (const Row& row : rows) {
    for (std::size_t s = 0; s < sets.size(); ++s) {
      for (std::size_t m = 0; m < measures.size(); ++m) {
        const double value = row.numbers[s * measures.size() + m];
        PaperNumber& number = numbers.emplace_back();
        number.table = table;
        number.source = std::string(kPublishedSource) + std::string(row.model);
        number.set = sets[s];
        number.measure = measures[m].name;
        if (value == value) {
          number.value = value;
        } else {
          number.note = "not run in the paper";
        }
      }
    }
  }
  return numbers;
}

// The rows of Tables 1 and 5, in their order.
constexpr std::array<std::string_view, 9> kMethods = {"baseline",       "output",     "unary",
                                                      "binary",         "max",        "bert",
                                                      "linear_probing", "SFT_output", "SFT_max"};

std::string reason_of(PublishedCell::Kind kind) {
  return kind == PublishedCell::Kind::NotApplicable
             ? "N/A: the method needs items that may have several labels"
             : "N/S: not run in the paper";
}

std::vector<PaperNumber> alignment_numbers(PaperTable table) {
  const std::string name = table == PaperTable::Table1 ? "table1" : "table5";
  const std::string source =
      std::string(kPublishedSource) + (table == PaperTable::Table1 ? "Llama3 70B" : "Llama3 8B");
  std::vector<PaperNumber> numbers;
  for (const std::string_view method : kMethods) {
    for (const char* set : {"Hatexplain", "MSPPodcast", "GoEmotions", "MFRC"}) {
      const auto cell = published_cell(table, set, method);
      LABELPROBE_CHECK(cell.has_value());
      for (std::size_t m = 0; m < kPublishedMetrics.size(); ++m) {
        PaperNumber number{
            name, paper_row(method), source, set, std::string(kPublishedMetrics[m]), {}, ""};
        if (cell->kind == PublishedCell::Kind::Numbers) {
          number.value = cell->numbers[m];
        } else {
          number.note = reason_of(cell->kind);
        }
        numbers.push_back(std::move(number));
      }
    }
  }
  return numbers;
}

}  // namespace

std::span<const PaperMeasure> measures_of(std::string_view table) {
  std::vector<std::string> known;
  for (const MeasuresOfTable& one : kTables) {
    if (one.table == table) return one.measures;
    known.emplace_back(one.table);
  }
  throw ConfigError(unknown_choice("table of the paper", table, known));
}

std::string paper_row(std::string_view method) {
  if (std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end()) return "";
  if (method == "bert") return "BERT (Demux)";
  if (method == "linear_probing") return "Linear probing";
  return std::string(find_estimator(method, LabelKind::MultiLabel).title);
}

std::string paper_method(std::string_view row) {
  for (const std::string_view method : kMethods) {
    if (paper_row(method) == row) return std::string(method);
  }
  return "";
}

std::vector<PaperNumber> published_numbers(std::string_view table) {
  measures_of(table);  // says at once if there is none
  if (table == "table2") return numbers_of(table, kProbeSets, kProbeRows, kProbeMeasures);
  if (table == "table4") return numbers_of(table, kStepSets, kStepRows, kStepMeasures);
  if (table == "table6") {
    return numbers_of(table, kAttentionSets, kAttentionRows,
                      std::span(kAttentionMeasures).first(kPublishedAttentionMeasures));
  }
  return alignment_numbers(table == "table1" ? PaperTable::Table1 : PaperTable::Table5);
}

std::string published_line(std::string_view table, std::string_view set, std::string_view measure) {
  const std::span<const PaperMeasure> measures = measures_of(table);
  const auto found = std::find_if(measures.begin(), measures.end(),
                                  [&](const auto& one) { return one.name == measure; });
  LABELPROBE_CHECK(found != measures.end());
  std::string line;
  for (const PaperNumber& number : published_numbers(table)) {
    if (number.set != set || number.measure != measure || !number.value) continue;
    line += fmt::format("{}{} {}", line.empty() ? "" : ", ",
                        number.source.substr(kPublishedSource.size()),
                        rounded(*number.value, found->n_digits));
  }
  return line.empty() ? "" : fmt::format("{}{}: {}", kPublishedSource, set, line);
}

}  // namespace labelprobe::analysis
