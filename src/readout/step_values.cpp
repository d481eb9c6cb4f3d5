#include "readout/step_values.h"

#include <algorithm>

#include "labelprobe/core/error.h"

namespace labelprobe::readout {

std::vector<float> logits_at(const model::Step& step,
                             const TokenIds& watched,
                             const TokenIds& first_tokens) {
  LABELPROBE_CHECK(step.watched_logits.size() == watched.size());
  std::vector<float> logits;
  for (const TokenId token : first_tokens) {
    const auto found = std::lower_bound(watched.begin(), watched.end(), token);
    LABELPROBE_CHECK(found != watched.end() && *found == token);
    logits.push_back(step.watched_logits[static_cast<std::size_t>(found - watched.begin())]);
  }
  return logits;
}

record::LabelStep make_label_step(const model::Generation& generation,
                                  std::size_t index,
                                  SpaceVariant variant,
                                  const LabelTokens& label_tokens,
                                  const tokenizer::Tokenizer& tokenizer) {
  const model::Step& step = generation.steps[index];
  const auto values = [&](SpaceVariant of) {
    const TokenIds& tokens = label_tokens.first_tokens[static_cast<std::size_t>(of)];
    return with_names(label_tokens.names, logits_at(step, label_tokens.watched(), tokens));
  };
  record::LabelStep made;
  made.index = static_cast<std::int64_t>(index);
  made.variant = variant;
  made.logits = values(variant);
  made.other_logits =
      values(variant == SpaceVariant::Bare ? SpaceVariant::Spaced : SpaceVariant::Bare);
  made.log_sum_exp = step.log_sum_exp;
  made.vocab_entropy = step.entropy;
  made.likely_tokens = likely_tokens(step, tokenizer);
  return made;
}

std::vector<record::LikelyToken> likely_tokens(const model::Step& step,
                                               const tokenizer::Tokenizer& tokenizer) {
  std::vector<record::LikelyToken> tokens;
  for (const model::TopToken& top : step.top_tokens) {
    tokens.push_back({tokenizer.decode(std::span(&top.id, 1)), top.logit});
  }
  return tokens;
}

record::LabelValues with_names(const std::vector<std::string>& names,
                               const std::vector<float>& numbers) {
  record::LabelValues values;
  for (std::size_t i = 0; i < names.size(); ++i) {
    values.emplace_back(names[i], numbers[i]);
  }
  return values;
}

record::LabelValues uniform_probs(const std::vector<std::string>& names) {
  return with_names(names,
                    std::vector<float>(names.size(), 1.0F / static_cast<float>(names.size())));
}

}  // namespace labelprobe::readout
