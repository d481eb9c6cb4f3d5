#include "experiment/explore/label_looks.h"

#include <algorithm>

#include "labelprobe/core/error.h"

namespace labelprobe::experiment {

namespace {

enum Group { kInput, kPreviousLabels, kPredictingTokens, kLabelTokens, kNGroups };

std::vector<model::Positions> groups_at(std::size_t step,
                                        std::int64_t n_prompt_tokens,
                                        std::span<const std::int64_t> label_indices) {
  const std::int64_t n_keys = n_prompt_tokens + label_indices[step];
  std::vector<model::Positions> groups(kNGroups);
  groups[kInput] = {{0, n_prompt_tokens}};
  groups[kPreviousLabels] = {{n_prompt_tokens, n_keys}};
  for (std::size_t k = 0; k <= step; ++k) {
    const std::int64_t label = n_prompt_tokens + label_indices[k];
    groups[kPredictingTokens].push_back({label - 1, label});
    if (k < step) groups[kLabelTokens].push_back({label, label + 1});
  }
  return groups;
}

std::int64_t n_positions(const model::Positions& positions) {
  std::int64_t n = 0;
  for (const model::PositionRange& range : positions) n += range.end - range.begin;
  return n;
}

}  // namespace

std::vector<LabelLook> label_looks(const InsideSettings& settings,
                                   std::int64_t n_prompt_tokens,
                                   std::span<const std::int64_t> label_indices) {
  const bool keeps_states = !settings.hidden_layers.empty();
  std::vector<LabelLook> looks;
  if (keeps_states && settings.at == LookAt::LastPrompt) looks.push_back({0, {0, {}}, true, false});
  for (std::size_t t = 0; t < label_indices.size(); ++t) {
    LabelLook look;
    look.step = static_cast<std::int64_t>(t) + 1;
    look.place.index = label_indices[t];
    look.keeps_states = keeps_states && (settings.at == LookAt::EveryLabel ||
                                         (settings.at == LookAt::FirstLabel && t == 0));
    look.keeps_attention = settings.sees_attention() && t > 0;
    if (look.keeps_attention) {
      look.place.look.attention_to = groups_at(t, n_prompt_tokens, label_indices);
    }
    if (look.keeps_states || look.keeps_attention) looks.push_back(std::move(look));
  }
  return looks;
}

record::LabelAttention label_attention(std::span<const LabelLook> looks,
                                       std::span<const model::Inside> seen) {
  LABELPROBE_CHECK(looks.size() == seen.size());
  record::LabelAttention shares;
  std::vector<record::AttentionShare>* const lists[kNGroups] = {
      &shares.input, &shares.previous_labels, &shares.predicting_tokens, &shares.label_tokens};
  for (std::size_t i = 0; i < looks.size(); ++i) {
    if (!looks[i].keeps_attention) continue;
    const std::size_t n_heads = seen[i].attention.size() / kNGroups;  // of all layers
    for (int g = 0; g < kNGroups; ++g) {
      double sum = 0.0;
      for (std::size_t h = 0; h < n_heads; ++h) sum += seen[i].attention[g * n_heads + h];
      lists[g]->push_back({static_cast<float>(sum / static_cast<double>(n_heads)),
                           n_positions(looks[i].place.look.attention_to[g])});
    }
  }
  return shares;
}

}  // namespace labelprobe::experiment
