// The table of an alignment as JSON.
#include <ostream>

#include <nlohmann/json.hpp>

#include "analysis/report/table_layouts.h"
#include "analysis/report/table_lines.h"

namespace labelprobe::analysis {

namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json or_null(const std::optional<T>& number) {
  return number ? Json(*number) : Json();
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

Json measured_json(const Measured* measured) {
  if (!measured || !measured->value) return nullptr;
  Json json = {{"value", *measured->value}};
  if (measured->standard_error) json["standard_error"] = *measured->standard_error;
  return json;
}

void add_metrics(const Alignment* alignment,
                 const std::vector<const Metric*>& metrics,
                 Json& json) {
  for (const Metric* metric : metrics) {
    json[std::string(metric->name)] =
        measured_json(alignment ? alignment->find(metric->name) : nullptr);
  }
}

Json published_json(const std::optional<PublishedCell>& cell) {
  if (!cell) return nullptr;
  if (cell->kind != PublishedCell::Kind::Numbers) return reason_of(*cell);
  Json json;
  for (const Metric& metric : metrics()) {
    if (is_published(metric)) json[std::string(metric.name)] = number_of(*cell, metric);
  }
  return json;
}

Json labels_json(const AlignmentRow& row, const AlignmentTable& table) {
  Json json = Json::array();
  for (std::size_t label = 0; label < row.by_label.size(); ++label) {
    const Alignment& of_label = row.by_label[label];
    json.push_back({{"label", table.labels[label]}, {"n_examples", of_label.example_ids.size()}});
    std::vector<const Metric*> metrics;
    for (const Measured& measured : of_label.metrics) metrics.push_back(measured.metric);
    add_metrics(&of_label, metrics, json.back());
  }
  return json;
}

Json row_json(const AlignmentRow& row, const AlignmentTable& table) {
  Json json = {{"method", row.method},
               {"estimator", row.estimator},
               {"answer", text_or_null(row.answer)},
               {"run", text_or_null(row.run)},
               {"n_examples", row.alignment ? row.alignment->example_ids.size() : 0}};
  std::vector<const Metric*> of_rows;
  for (const Metric& metric : metrics()) {
    if (metric.of_example) of_rows.push_back(&metric);
  }
  add_metrics(row.alignment ? &*row.alignment : nullptr, of_rows, json);
  json["n_without_votes"] = row.alignment ? row.alignment->n_without_votes : 0;
  json["n_items"] = or_null(row.n_items);
  json["n_failed"] = or_null(row.n_failed);
  json["n_answers_found"] = or_null(row.n_answers_found);
  json["n_without_answer"] = or_null(row.n_without_answer);
  json["answered"] = nullptr;
  if (row.answered) {
    json["answered"] = {{"n_examples", row.answered->example_ids.size()}};
    add_metrics(&*row.answered, of_rows, json["answered"]);
  }
  json["mean_answer_mass"] = or_null(row.mean_answer_mass);
  json["platt"] =
      row.platt ? Json{{"weight", row.platt->weight}, {"bias", row.platt->bias}} : Json();
  json["published"] = published_json(row.published);
  json["note"] = text_or_null(row.note);
  if (!row.by_label.empty()) json["labels"] = labels_json(row, table);
  return json;
}

Json difference_json(const RowDifference& entry, const AlignmentTable& table) {
  Json json = {{"row", entry.row},
               {"against", entry.against},
               {"method", table.rows[entry.row].method},
               {"answer", text_or_null(table.rows[entry.row].answer)},
               {"against_method", table.rows[entry.against].method},
               {"n_examples", entry.difference.n_examples},
               {"n_resamples", table.bootstrap.n_resamples},
               {"seed", table.bootstrap.seed},
               {"level", table.bootstrap.level}};
  for (const Difference& of_metric : entry.difference.metrics) {
    json[std::string(of_metric.metric->name)] = {
        {"value", of_metric.value}, {"low", of_metric.low}, {"high", of_metric.high}};
  }
  return json;
}

}  // namespace

void write_table_json(std::ostream& out, const AlignmentTable& table) {
  Json json = {{"task", table.task},
               {"label_kind", table.kind == LabelKind::MultiLabel ? "multi" : "single"},
               {"n_labels", table.labels.size()},
               {"n_examples_with_votes", table.n_examples_with_votes}};
  json["paper"] = table.paper ? Json(describe(*table.paper)) : Json();
  json["rows"] = Json::array();
  for (const AlignmentRow& row : table.rows) json["rows"].push_back(row_json(row, table));
  json["differences"] = Json::array();
  for (const RowDifference& entry : table.differences) {
    json["differences"].push_back(difference_json(entry, table));
  }
  json["validity"] = Json::array();
  for (const RunValidity& of_run : table.validity) {
    Json measured = Json::array();
    for (const ValidityRow& row : of_run.rows) {
      measured.push_back({{"measured", row.name},
                          {"value", row.value},
                          {"n", row.n},
                          {"is_doubtful", row.is_doubtful}});
    }
    json["validity"].push_back({{"run", of_run.run}, {"rows", std::move(measured)}});
  }
  json["warnings"] = table.warnings;
  out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

}  // namespace labelprobe::analysis
