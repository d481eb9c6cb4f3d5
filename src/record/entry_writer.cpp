#include "entry_writer.h"

namespace labelprobe::record {

namespace {

JsonF32 label_names(const std::vector<std::string>& names, LabelKind kind) {
  return kind == LabelKind::SingleLabel ? JsonF32(names.at(0)) : JsonF32(names);
}

JsonF32 mapping(const LabelValues& values) {
  JsonF32 object = JsonF32::object();
  for (const auto& [name, number] : values) {
    object[name] = number;
  }
  return object;
}

}  // namespace

JsonF32 entry_of(const ItemRecord& item) {
  JsonF32 entry = {{"test_gt", label_names(item.gold, item.kind)},
                   {"test_text", item.query_text},
                   {"test_prompt_hash", item.prompt_fingerprint}};
  if (item.failure) {
    entry["test_failure"] = *item.failure;
    return entry;
  }
  entry["test_preds"] = label_names(item.predictions, item.kind);
  entry["test_scores"] = mapping(item.scores);
  entry["test_all_scores"] = JsonF32::array();
  for (const LabelValues& step : item.all_scores) {
    entry["test_all_scores"].push_back(mapping(step));
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
