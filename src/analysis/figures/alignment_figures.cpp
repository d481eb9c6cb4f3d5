#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "labelprobe/analysis/published.h"
#include "labelprobe/core/error.h"
#include "labelprobe/files/json.h"

#include "analysis/figures/figure_rows.h"

namespace labelprobe::analysis {

namespace {

// What the rows of a figure look like, and which of a table's become such.
struct Selection {
  std::vector<std::string_view> estimators;  // empty = all
  std::vector<std::string_view> metrics;     // their names in metrics()
};

bool is_among(std::string_view name, const std::vector<std::string_view>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// "Unary (healed)" of a method that is read at a place other than the paper's.
std::string method_of(const nlohmann::json& row) {
  const std::string method = row.value("method", "");
  const auto answer = row.find("answer");
  const bool is_other = answer != row.end() && answer->is_string() && *answer != "greedy";
  return is_other ? fmt::format("{} ({})", method, answer->get<std::string>()) : method;
}

void add_rows(const NamedAlignment& table, const Selection& selection, FigureRows& rows) {
  for (const nlohmann::json& row : table.rows) {
    const auto run = row.find("run");
    if (run == row.end() || run->is_null()) continue;  // a base rate is no method of the model
    const std::string estimator = row.value("estimator", "");
    if (!selection.estimators.empty() && !is_among(estimator, selection.estimators)) continue;
    for (const std::string_view metric : selection.metrics) {
      const auto found = row.find(std::string(metric));
      if (found == row.end() || !found->is_object()) continue;  // does not apply to the set
      rows.push_back({{"set", table.set},
                      {"model", table.model},
                      {"method", method_of(row)},
                      {"estimator", estimator},
                      {"metric", metric},
                      {"value", found->value("value", 0.0)},
                      {"standard_error", found->value("standard_error", 0.0)},
                      {"n_examples", row.value("n_examples", 0)}});
    }
  }
}

// The folder of the first run that the table is of.
std::string model_of(const nlohmann::json& rows) {
  for (const nlohmann::json& row : rows) {
    const auto run = row.find("run");
    if (run != row.end() && run->is_string()) {
      return std::filesystem::path(run->get<std::string>()).filename().string();
    }
  }
  return "";
}

NamedAlignment read_alignment(const std::string& path) {
  const files::JsonView root = files::load_json_object(path, ErrorKind::Data);
  if (!root.has("task") || !root.has("rows")) {
    throw DataError(path +
                    ": expected a table of labelprobe align --out FILE.json, found no task "
                    "or no rows");
  }
  NamedAlignment table;
  table.set = root.at("task").string();
  table.rows = nlohmann::json::array();
  for (const files::JsonView& row : root.at("rows").items()) {
    for (const char* key : {"estimator", "method"}) row.at(key).string();
    table.rows.push_back(row.value());
  }
  table.model = model_of(table.rows);
  return table;
}

}  // namespace

std::vector<NamedAlignment> read_alignments(std::span<const std::string> given,
                                            std::span<const std::string> names) {
  check_names(given.size(), names);
  std::vector<NamedAlignment> tables;
  for (std::size_t i = 0; i < given.size(); ++i) {
    NamedAlignment& table = tables.emplace_back(read_alignment(given[i]));
    if (!names.empty()) take_name(names[i], table.set, table.model);
  }
  return tables;
}

FigureRows binary_rows(std::span<const NamedAlignment> tables) {
  const Selection selection = {{"binary", "binary_outcome"},
                               {kPublishedMetrics.begin(), kPublishedMetrics.end()}};
  FigureRows rows = FigureRows::array();
  for (const NamedAlignment& table : tables) add_rows(table, selection, rows);
  if (rows.empty()) {
    throw DataError(
        "expected tables with rows of binary and binary_outcome, found none: run "
        "--distribution binary, then align --out FILE.json");
  }
  return rows;
}

FigureRows base_chat_rows(std::span<const NamedAlignment> tables) {
  const Selection selection = {{}, {"f1", "nll"}};
  FigureRows rows = FigureRows::array();
  for (const NamedAlignment& table : tables) add_rows(table, selection, rows);
  return rows;
}

}  // namespace labelprobe::analysis
