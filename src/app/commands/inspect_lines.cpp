#include "app/commands/inspect_lines.h"

#include <vector>

#include <nlohmann/json.hpp>

namespace labelprobe::app {

using experiment::Inspection;
using Json = nlohmann::ordered_json;

namespace {

// Numbers in the order of `labels`.
Json numbers(const record::LabelValues& values) {
  Json list = Json::array();
  for (const auto& [name, value] : values) list.push_back(value);
  return list;
}

Json numbers(const std::vector<record::LabelValues>& rows) {
  Json list = Json::array();
  for (const record::LabelValues& row : rows) list.push_back(numbers(row));
  return list;
}

Json step_json(const experiment::InspectedStep& step) {
  Json made = {{"step", step.number},
               {"index", step.index},
               {"logits", numbers(step.logits)},
               {"log_sum_exp", step.log_sum_exp},
               {"lens", numbers(step.lens)}};
  if (!step.lens_ranks.empty()) {
    made["lens_log_sum_exp"] = step.lens_log_sum_exp;
    made["lens_ranks"] = step.lens_ranks;
  }
  made["parts"] = numbers(step.parts);
  for (const experiment::InspectedStep::Part& part : step.text_parts) {
    Json of_text = {{"name", part.name}, {"n_positions", part.n_positions}};
    if (!part.attention.empty()) {
      of_text["attention"] = part.attention;
      of_text["adds"] = numbers(part.adds);
    }
    if (!part.knocked_out.empty()) of_text["knocked_out"] = numbers(part.knocked_out);
    made["text_parts"].push_back(std::move(of_text));
  }
  return made;
}

}  // namespace

std::string inspection_line(const Inspection& inspection) {
  const record::ItemRecord& item = inspection.item;
  Json line = {{"id", item.key},
               {"text", item.query_text},
               {"gold", item.gold},
               {"predictions", item.predictions},
               {"answer", item.outs}};
  if (item.failure) {
    line["failure"] = *item.failure;
    return line.dump();
  }
  line["labels"] = Json::array();
  if (!inspection.steps.empty()) {
    for (const auto& [name, logit] : inspection.steps.front().logits)
      line["labels"].push_back(name);
  }
  line["steps"] = Json::array();
  for (const experiment::InspectedStep& step : inspection.steps) {
    line["steps"].push_back(step_json(step));
  }
  return line.dump();
}

namespace {

record::LabelValues values_of(const Json& labels, const Json& row) {
  record::LabelValues values;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    values.emplace_back(labels[i].get<std::string>(), row.at(i).get<float>());
  }
  return values;
}

std::vector<record::LabelValues> rows_of(const Json& labels, const Json& rows) {
  std::vector<record::LabelValues> values;
  for (const Json& row : rows) values.push_back(values_of(labels, row));
  return values;
}

}  // namespace

Inspection read_inspection_line(const std::string& text) {
  const Json line = Json::parse(text);
  Inspection inspection;
  if (line.contains("failure")) {
    inspection.item.failure = line["failure"];
    return inspection;
  }
  const Json& labels = line["labels"];
  for (const Json& from : line["steps"]) {
    experiment::InspectedStep& step = inspection.steps.emplace_back();
    step.logits = values_of(labels, from["logits"]);
    step.lens = rows_of(labels, from["lens"]);
    if (from.contains("lens_ranks")) {
      step.lens_log_sum_exp = from["lens_log_sum_exp"].get<std::vector<float>>();
      step.lens_ranks = from["lens_ranks"].get<std::vector<std::vector<std::int64_t>>>();
    }
    step.parts = rows_of(labels, from["parts"]);
    for (const Json& of_text : from.value("text_parts", Json::array())) {
      experiment::InspectedStep::Part& part = step.text_parts.emplace_back();
      part.name = of_text["name"];
      if (of_text.contains("attention")) {
        part.attention = of_text["attention"].get<std::vector<float>>();
        part.adds = rows_of(labels, of_text["adds"]);
      }
      if (of_text.contains("knocked_out")) {
        part.knocked_out = values_of(labels, of_text["knocked_out"]);
      }
    }
  }
  return inspection;
}

}  // namespace labelprobe::app
