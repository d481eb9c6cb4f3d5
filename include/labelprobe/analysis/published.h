// The alignment numbers that the paper prints, to show them beside ours.
// Source: *Large Language Models Do Multi-Label Classification Differently*, EMNLP 2025, Tables 1
// and 5. The paper does not say which annotators' votes or which threshold of F1 they rest on.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace labelprobe::analysis {

enum class PaperTable {
  Table1,  // Llama3 70B
  Table5,  // Llama3 8B
};

// "table1" or "table5"; ConfigError naming them for anything else.
PaperTable parse_paper_table(std::string_view name);

// "Table 1 (Llama3 70B)"
std::string_view describe(PaperTable table);

// The metrics that the tables print, by their names in metrics(), in the order of their columns.
inline constexpr std::array<std::string_view, 3> kPublishedMetrics = {"nll", "l1", "f1"};

struct PublishedCell {
  enum class Kind {
    Numbers,
    NotApplicable,  // N/A: the method needs a multi-label set
    NotRun,         // N/S: possible, but not part of the paper
  };
  Kind kind = Kind::Numbers;
  std::array<double, kPublishedMetrics.size()> numbers{};  // in the order of kPublishedMetrics
};

// The method of a row that a user named freely: "bert" or "demux" -> `bert`, "probes" or "Linear
// probing" -> `linear_probing`; empty for other names.
std::string_view supervised_method(std::string_view name);

// The cell of `method` (an estimator's name, `bert` or `linear_probing`) and a data set; unset
// where the table has no such row. Throws ConfigError naming the table's data sets if it has no
// column for `task`.
std::optional<PublishedCell> published_cell(PaperTable table,
                                            std::string_view task,
                                            std::string_view method);

}  // namespace labelprobe::analysis
