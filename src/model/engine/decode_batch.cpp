#include "model/engine/decode_batch.h"

#include "labelprobe/core/error.h"

namespace labelprobe::model {

DecodeBatch::DecodeBatch(const Decoder& decoder,
                         const PrefixTree& tree,
                         const PrefixCache& cache,
                         KvArena& arena,
                         StepInputs& inputs,
                         int first,
                         std::span<const std::int64_t> n_rows)
    : decoder_(decoder), arena_(arena), inputs_(inputs) {
  std::int64_t n_all = 0;
  for (const std::int64_t n : n_rows) n_all += n;
  if (n_all == 0) return;
  segments_ = StepSegments(tree, cache.node_rows(), first, n_rows, arena_.reserve(n_all));
}

DecodeBatch::~DecodeBatch() {
  for (const StepSegments::Member& member : segments_.members()) {
    if (member.n_rows > 0) arena_.release(member.first_row, member.n_rows);
  }
}

at::Tensor DecodeBatch::step(std::span<const Continuation> continuations, Repeats repeats) {
  inputs_.resize(segments_.place(continuations));
  for (const Continuation& next : continuations) {
    const StepSegments::Member& member = segments_.members()[next.member];
    const auto n_new = static_cast<std::int64_t>(next.tokens.size());
    LABELPROBE_CHECK(n_new > 0 && next.n_before + n_new <= member.n_rows);
    LABELPROBE_CHECK(n_new == 1 || repeats == Repeats::No);
    for (std::int64_t i = 0; i < n_new; ++i) {
      const std::int64_t n = next.n_before + i;
      inputs_.set(segments_.step_row(next.member) + i, next.tokens[i], member.n_prompt_tokens + n,
                  member.first_row + n, member.n_rows - n - 1);
    }
  }
  inputs_.segments().clear();
  segments_.append(continuations, repeats, inputs_.segments());
  inputs_.send();
  return step_again();
}

at::Tensor DecodeBatch::step_again() {
  return inputs_.forward(decoder_, arena_);
}

}  // namespace labelprobe::model
