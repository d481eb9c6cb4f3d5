#include "record/log/entry_writer.h"

#include <optional>
#include <utility>

namespace labelprobe::record {

namespace {

JsonF32 label_names(const std::vector<std::string>& names, LabelKind kind) {
  if (kind == LabelKind::MultiLabel) {
    return names;
  }
  return names.empty() ? JsonF32() : JsonF32(names.front());
}

JsonF32 mapping(const LabelValues& values) {
  JsonF32 object = JsonF32::object();
  for (const auto& [name, number] : values) {
    object[name] = number;
  }
  return object;
}

JsonF32 step_list(const std::vector<LabelValues>& steps) {
  JsonF32 list = JsonF32::array();
  for (const LabelValues& step : steps) {
    list.push_back(mapping(step));
  }
  return list;
}

JsonF32 answer_readings(const ItemRecord& item) {
  JsonF32 readings = JsonF32::object();
  const auto add = [&](const char* name, const std::optional<AnswerReading>& reading) {
    if (reading) {
      readings[name] = {{"bare", mapping(reading->bare_probs)},
                        {"spaced", mapping(reading->spaced_probs)},
                        {"is_top", reading->is_top}};
    }
  };
  add("greedy", item.greedy_answer);
  add("first", item.first_answer);
  add("healed", item.healed_answer);
  return readings;
}

}  // namespace

JsonF32 entry_of(const ItemRecord& item, LogLayout layout) {
  JsonF32 entry = {{"test_gt", label_names(item.gold, item.kind)},
                   {"test_text", item.query_text},
                   {"test_prompt_hash", item.prompt_fingerprint}};
  if (!item.checked_label.empty()) {
    entry["test_checked_label"] = item.checked_label;
  }
  if (item.failure) {
    entry["test_failure"] = *item.failure;
    return entry;
  }
  entry["test_preds"] = label_names(item.predictions, item.kind);
  if (layout == LogLayout::Plain) {
    entry["test_scores"] = step_list(item.all_scores);
  } else {
    entry["test_scores"] = mapping(item.scores);
    entry["test_all_scores"] = step_list(item.all_scores);
  }
  if (JsonF32 readings = answer_readings(item); !readings.empty()) {
    entry["test_answers"] = std::move(readings);
  }
  entry["test_label_found"] = item.is_label_found;
  entry["test_logits"] = mapping(item.label_logits);
  entry["test_outs"] = item.outs;
  entry["test_residual_outs"] = item.residual_outs;
  entry["test_prefix_outs"] = item.prefix_outs ? JsonF32(*item.prefix_outs) : JsonF32();
  entry["test_outs_ids"] = item.outs_ids;
  entry["test_outs_id_index"] = item.outs_id_index;
  if (!item.top_tokens.empty()) {
    entry["test_top_token"] = item.top_tokens.front().first;
    entry["test_top_token_logit"] = item.top_tokens.front().second;
    entry["test_top_tokens"] = JsonF32::array();
    for (const auto& [token, logit] : item.top_tokens) {
      entry["test_top_tokens"].push_back(JsonF32::array({token, logit}));
    }
  }
  entry["test_n_prompt_tokens"] = item.n_prompt_tokens;
  entry["test_classification_loss"] = 0.0f;
  entry["test_regularization_loss"] = 0.0f;
  return entry;
}

}  // namespace labelprobe::record
