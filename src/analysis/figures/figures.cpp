#include "labelprobe/analysis/figures.h"

#include <array>
#include <ostream>

#include "labelprobe/core/error.h"
#include "labelprobe/files/csv.h"

#include "analysis/figures/figure_rows.h"
#include "analysis/report/numbers.h"

namespace labelprobe::analysis {

namespace {

// Every figure, in the paper's order.
constexpr std::array kFigures = {
    Figure{"top", "Figure 2", "probability of the likeliest label, last against earlier steps",
           "steps", "violin", top_rows},
    Figure{"second", "Figure 3", "probability of the second label, and what is predicted next",
           "steps", "violin", second_rows},
    Figure{"spikiness", "Figure 4", "sorted label probabilities at the first step", "spikiness", "",
           spikiness_rows},
    Figure{"label_order", "Figure 5", "accuracy of the first and the second label listed",
           "label_order", "", label_order_rows},
    Figure{"multilabel_icl", "Figure 6",
           "answers with several labels against demonstrations with several", "multilabel_icl", "",
           multilabel_icl_rows},
    Figure{"binary", "Figure 7", "pairs of labels by probabilities and by outcomes", "metrics", "",
           nullptr, binary_rows},
    Figure{"probabilities", "Figure 8", "both probabilities as boxes, one column per run", "steps",
           "box", probability_rows},
    Figure{"entropy", "Figure 9", "entropy of the label steps, in bits", "steps", "violin",
           entropy_rows},
    Figure{"later", "Figure 10", "when the second label is predicted later", "later", "",
           later_rows},
    Figure{"base_chat", "Figure 11", "a base model against its chat model, per method", "metrics",
           "", nullptr, base_chat_rows},
};

std::string csv_value(const nlohmann::ordered_json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return files::csv_field(value.get<std::string>());
  return value.is_number_float() ? exact(value.get<double>()) : value.dump();
}

}  // namespace

std::span<const Figure> figures() {
  return kFigures;
}

const Figure& find_figure(std::string_view name) {
  std::vector<std::string> known;
  for (const Figure& figure : kFigures) {
    if (figure.name == name) return figure;
    known.emplace_back(figure.name);
  }
  throw ConfigError(unknown_choice("figure", name, known));
}

void write_figure_csv(std::ostream& out, const FigureRows& rows) {
  if (rows.empty()) return;
  std::string line;
  for (const auto& [name, value] : rows.front().items()) line += (line.empty() ? "" : ",") + name;
  out << line << '\n';
  for (const auto& row : rows) {
    line.clear();
    bool is_first = true;
    for (const auto& [name, value] : row.items()) {
      line += (is_first ? "" : ",") + csv_value(value);
      is_first = false;
    }
    out << line << '\n';
  }
}

void write_figure_json(std::ostream& out,
                       const Figure& figure,
                       std::span<const std::string> runs,
                       const FigureRows& rows) {
  using Json = nlohmann::ordered_json;
  const Json head = {{"figure", figure.name},
                     {"paper", figure.paper},
                     {"summary", figure.summary},
                     {"drawing", figure.drawing},
                     {"runs", std::vector<std::string>(runs.begin(), runs.end())}};
  const std::string text = head.dump(-1, ' ', false, Json::error_handler_t::replace);
  out << text.substr(0, text.size() - 1) << ",\"rows\":[";
  const char* between = "\n";
  for (const auto& row : rows) {
    out << between << row.dump(-1, ' ', false, Json::error_handler_t::replace);
    between = ",\n";
  }
  out << "\n]}\n";
}

}  // namespace labelprobe::analysis
