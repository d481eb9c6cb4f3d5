// Table 2 for people and for programs.
#include <array>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/files/text_table.h"
#include "labelprobe/training/probes.h"

namespace labelprobe::training {

namespace {

using analysis::TableFormat;
using OrderedJson = nlohmann::ordered_json;
using Metrics = std::map<std::string, double>;

struct MetricName {
  const char* name;  // in the files
  const char* title;
};
constexpr std::array<MetricName, 3> kOfLabels = {
    {{"micro_f1", "micro F1"}, {"macro_f1", "macro F1"}, {"js", "Jaccard"}}};
constexpr std::array<MetricName, 2> kOfClasses = {{{"accuracy", "accuracy"}, {"f1", "macro F1"}}};

// A column: which of the two files, and what stands around the metric's name there.
struct Column {
  const char* title;
  const char* name;  // in JSON and CSV
  bool is_of_model;
  const char* before;
  const char* behind;
  const char* meaning;
};
constexpr std::array<Column, 5> kColumns = {{
    {"Perf", "perf", false, "llm_", "", "the model's own answers against the gold labels"},
    {"Gold", "gold", false, "", "", "probes trained on gold labels against the gold labels"},
    {"Pred", "pred", true, "", "", "probes trained on the model's answers against its answers"},
    {"Pred 2+", "pred_nonfirst", true, "", "_nonfirst",
     "the same without the label that an answer names first"},
    {"Pred any", "pred_nonzero", true, "", "_nonzero",
     "the same as Pred over items of which the model predicted a label"},
}};

std::span<const MetricName> metrics_of(const ProbeOutcome& outcome) {
  if (outcome.label_set.is_multilabel()) return kOfLabels;
  return kOfClasses;
}

// Nothing where the metric is over no items.
std::optional<double> number_of(const ProbeOutcome& outcome,
                                const Column& column,
                                const std::string& metric) {
  const Metrics& metrics = column.is_of_model ? outcome.model_metrics : outcome.metrics;
  const auto found = metrics.find(column.before + metric + column.behind);
  if (found == metrics.end()) return std::nullopt;
  return found->second;
}

bool is_rounded(TableFormat format) {
  return format != TableFormat::Csv;
}

files::TextTable make_grid(std::span<const ProbeOutcome> outcomes, TableFormat format) {
  const bool is_csv = format == TableFormat::Csv;
  files::TextTable grid;
  grid.columns = {{"metric", files::Align::Left}};
  for (const Column& column : kColumns) {
    grid.columns.push_back({is_csv ? column.name : column.title});
  }
  grid.columns.push_back({is_csv ? "n_test" : "n"});
  grid.columns.push_back({"run"});
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    for (const MetricName& metric : metrics_of(outcomes[i])) {
      std::vector<std::string> texts = {is_csv ? metric.name : metric.title};
      for (const Column& column : kColumns) {
        const std::optional<double> number = number_of(outcomes[i], column, metric.name);
        const auto text = [&] {
          return is_rounded(format) ? fmt::format("{:.3f}", *number) : fmt::format("{}", *number);
        };
        texts.push_back(number ? text() : "");
      }
      texts.push_back(std::to_string(outcomes[i].items.size()));
      texts.push_back(is_csv ? outcomes[i].run : std::to_string(i + 1));
      grid.rows.push_back(std::move(texts));
    }
  }
  if (!is_csv) files::drop_empty_columns(grid);
  return grid;
}

void write_terminal(std::ostream& out, std::span<const ProbeOutcome> outcomes) {
  const files::TextTable grid = make_grid(outcomes, TableFormat::Terminal);
  files::write_terminal(out, grid);
  out << '\n';
  for (const Column& column : kColumns) {
    for (const files::TextColumn& shown : grid.columns) {
      if (shown.header == column.title) out << column.title << ": " << column.meaning << '\n';
    }
  }
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const ProbeOutcome& outcome = outcomes[i];
    out << fmt::format("run {}: {}; {} items to train on, {} components\n", i + 1, outcome.run,
                       outcome.n_train, outcome.n_components);
    for (const std::string& note : outcome.notes) out << fmt::format("run {}: {}\n", i + 1, note);
  }
}

void write_json(std::ostream& out, std::span<const ProbeOutcome> outcomes) {
  OrderedJson runs = OrderedJson::array();
  for (const ProbeOutcome& outcome : outcomes) {
    OrderedJson table = OrderedJson::array();
    for (const MetricName& metric : metrics_of(outcome)) {
      OrderedJson row = {{"metric", metric.name}};
      for (const Column& column : kColumns) {
        const std::optional<double> number = number_of(outcome, column, metric.name);
        row[column.name] = number ? OrderedJson(*number) : OrderedJson();
      }
      table.push_back(std::move(row));
    }
    runs.push_back({{"run", outcome.run},
                    {"labels", outcome.label_set.names()},
                    {"n_train", outcome.n_train},
                    {"n_test", outcome.items.size()},
                    {"n_components", outcome.n_components},
                    {"n_regressions", outcome.n_regressions},
                    {"n_converged", outcome.n_converged},
                    {"table", table},
                    {"metrics", outcome.metrics},
                    {"metrics_model", outcome.model_metrics},
                    {"notes", outcome.notes}});
  }
  out << runs.dump(2, ' ', false, OrderedJson::error_handler_t::replace) << '\n';
}

}  // namespace

void write_probe_table(std::ostream& out,
                       std::span<const ProbeOutcome> outcomes,
                       TableFormat format) {
  switch (format) {
    case TableFormat::Terminal:
      return write_terminal(out, outcomes);
    case TableFormat::Markdown:
      return files::write_markdown(out, make_grid(outcomes, format));
    case TableFormat::Html:
      return files::write_html(out, make_grid(outcomes, format));
    case TableFormat::Latex:
      return files::write_latex(out, make_grid(outcomes, format));
    case TableFormat::Csv:
      return files::write_csv(out, make_grid(outcomes, format));
    case TableFormat::Json:
      return write_json(out, outcomes);
  }
}

}  // namespace labelprobe::training
