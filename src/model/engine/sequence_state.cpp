#include "model/engine/sequence_state.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "model/engine/logit_rules.h"

namespace labelprobe::model {

SequenceState::SequenceState(std::span<const TokenId> prompt,
                             int n_new_tokens,
                             const GenerateOptions& options)
    : options_(options), n_new_tokens_(n_new_tokens), tokens_(prompt.begin(), prompt.end()) {
  expect({});
}

void SequenceState::expect(std::span<const TokenId> drafted) {
  pending_.assign(1, tokens_.back());
  pending_.insert(pending_.end(), drafted.begin(), drafted.end());
  n_taken_ = 0;
}

bool SequenceState::awaits(int i) const {
  return !is_finished_ && n_taken_ == i && (i == 0 || tokens_.back() == pending_[i]);
}

void SequenceState::take(StepReading reading, const float* logits, std::int64_t n_logits) {
  if (reading.has_nan) {
    const std::size_t t = generation_.token_ids.size();
    is_finished_ = true;
    generation_.failure = fmt::format(
        "the logits of step {} are not numbers; float16 overflows in some models, use bfloat16 or "
        "float32",
        t);
    return;
  }
  ++n_taken_;
  tokens_.push_back(reading.best);
  generation_.token_ids.push_back(reading.best);
  generation_.steps.push_back(std::move(reading.step));
  if (logits) generation_.logits.insert(generation_.logits.end(), logits, logits + n_logits);
  const StopRule& stop = options_.stop;
  is_finished_ =
      static_cast<int>(generation_.token_ids.size()) >= n_new_tokens_ ||
      std::find(stop.end_ids.begin(), stop.end_ids.end(), reading.best) != stop.end_ids.end() ||
      (stop.is_complete && stop.is_complete(generation_.token_ids));
}

Generation SequenceState::generation(int n_new_tokens) const {
  const std::size_t n_taken = generation_.token_ids.size();
  const std::size_t n = std::min<std::size_t>(n_new_tokens, n_taken);
  Generation answer;
  if (generation_.failure && n_taken < static_cast<std::size_t>(n_new_tokens)) {
    answer.failure = generation_.failure;
    return answer;
  }
  const auto beginning = [n, n_taken](const auto& all) {
    return std::decay_t<decltype(all)>(all.begin(), all.begin() + all.size() / n_taken * n);
  };
  answer.token_ids = beginning(generation_.token_ids);
  answer.steps = beginning(generation_.steps);
  answer.logits = beginning(generation_.logits);
  return answer;
}

void take_step(const at::Tensor& logits,
               std::span<const StepRow> rows,
               std::span<SequenceState> states,
               const GenerateOptions& options) {
  if (!changes_nothing(options.rules)) {
    std::vector<RowContext> contexts;
    for (const StepRow& row : rows) {
      const SequenceState& state = states[row.sequence];
      const std::span<const TokenId> pending = state.pending();
      RowContext& context = contexts.emplace_back(
          RowContext{state.tokens(), state.tokens().size() - state.generated().size()});
      context.tokens.insert(context.tokens.end(), pending.begin() + 1, pending.begin() + 1 + row.i);
    }
    apply_rules(logits, contexts, options);
  }
  std::vector<StepReading> readings = read_step(logits, options.watched, options.n_top_tokens);
  const std::int64_t n_vocab = logits.size(1);
  const at::Tensor kept = options.keep_logits ? logits.cpu() : at::Tensor();
  for (std::size_t r = 0; r < rows.size(); ++r) {
    SequenceState& state = states[rows[r].sequence];
    if (!state.awaits(rows[r].i)) continue;
    const float* all = options.keep_logits
                           ? kept.const_data_ptr<float>() + static_cast<std::int64_t>(r) * n_vocab
                           : nullptr;
    state.take(std::move(readings[r]), all, n_vocab);
  }
}

}  // namespace labelprobe::model
