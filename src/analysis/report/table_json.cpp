#include "analysis/report/table_json.h"

#include <ostream>

#include <nlohmann/json.hpp>

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

Json mean_json(const AlignmentRow& row, Mean Alignment::*mean) {
  if (!row.alignment) {
    return nullptr;
  }
  const Mean& of_row = (*row.alignment).*mean;
  return {{"value", of_row.value}, {"standard_error", of_row.standard_error}};
}

Json published_json(const std::optional<PublishedCell>& cell) {
  if (!cell) {
    return nullptr;
  }
  if (cell->kind != PublishedCell::Kind::Numbers) {
    return cell->kind == PublishedCell::Kind::NotApplicable ? "N/A" : "N/S";
  }
  return {{"nll", cell->nll}, {"l1", cell->l1}, {"f1", cell->f1}};
}

Json row_json(const AlignmentRow& row) {
  Json json = {{"method", row.method},
               {"estimator", row.estimator},
               {"answer", text_or_null(row.answer)},
               {"run", text_or_null(row.run)},
               {"n_examples", row.alignment ? row.alignment->examples.size() : 0},
               {"nll", mean_json(row, &Alignment::nll)},
               {"l1", mean_json(row, &Alignment::l1)},
               {"f1", mean_json(row, &Alignment::f1)},
               {"n_without_votes", row.alignment ? row.alignment->n_without_votes : 0},
               {"n_items", or_null(row.n_items)},
               {"n_failed", or_null(row.n_failed)},
               {"n_answers_found", or_null(row.n_answers_found)},
               {"mean_answer_mass", or_null(row.mean_answer_mass)}};
  json["platt"] =
      row.platt ? Json{{"weight", row.platt->weight}, {"bias", row.platt->bias}} : Json();
  json["published"] = published_json(row.published);
  json["note"] = text_or_null(row.note);
  return json;
}

Json difference_json(const Difference& difference) {
  return {{"value", difference.value}, {"low", difference.low}, {"high", difference.high}};
}

}  // namespace

void write_json(std::ostream& out, const AlignmentTable& table) {
  Json json = {{"task", table.task},
               {"label_kind", table.kind == LabelKind::MultiLabel ? "multi" : "single"},
               {"n_labels", table.n_labels},
               {"n_examples_with_votes", table.n_examples_with_votes}};
  json["paper"] = table.paper ? Json(describe(*table.paper)) : Json();
  json["rows"] = Json::array();
  for (const AlignmentRow& row : table.rows) {
    json["rows"].push_back(row_json(row));
  }
  json["differences"] = Json::array();
  for (const RowDifference& entry : table.differences) {
    json["differences"].push_back({{"row", entry.row},
                                   {"against", entry.against},
                                   {"method", table.rows[entry.row].method},
                                   {"answer", text_or_null(table.rows[entry.row].answer)},
                                   {"against_method", table.rows[entry.against].method},
                                   {"n_examples", entry.difference.n_examples},
                                   {"n_resamples", table.n_resamples},
                                   {"seed", table.seed},
                                   {"level", table.level},
                                   {"nll", difference_json(entry.difference.nll)},
                                   {"l1", difference_json(entry.difference.l1)},
                                   {"f1", difference_json(entry.difference.f1)}});
  }
  json["warnings"] = table.warnings;
  out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

}  // namespace labelprobe::analysis
