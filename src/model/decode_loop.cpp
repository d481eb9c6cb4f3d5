#include "decode_loop.h"

#include <algorithm>

#include "labelprobe/core/error.h"

namespace labelprobe::model {
namespace {

// Rows that reach the head together: their logits are as wide as the vocabulary.
constexpr std::int64_t kRowsPerHead = 256;

}  // namespace

DecodeLoop::DecodeLoop(const Decoder& decoder,
                       const PrefixTree& tree,
                       const Request& request,
                       KvArena& arena,
                       StepInputs& inputs,
                       std::int64_t rows_per_step)
    : decoder_(decoder),
      tree_(tree),
      request_(request),
      arena_(arena),
      inputs_(inputs),
      rows_per_step_(rows_per_step) {}

std::vector<SequenceState> DecodeLoop::run(at::Tensor hidden,
                                           const PrefixCache& cache,
                                           int first,
                                           int end) {
  std::vector<SequenceState> states;
  for (int i = first; i < end; ++i) {
    const PrefixSequence& sequence = tree_.sequences()[i];
    states.emplace_back(tree_.prompt(sequence), request_.n_new_tokens(sequence),
                        request_.options());
    live_.push_back(i - first);
    rows_.push_back({i - first, 0});
  }
  take_steps(hidden, states);
  DecodeBatch batch(decoder_, tree_, cache, arena_, inputs_, first, n_rows_of(states));
  while (true) {
    std::erase_if(live_, [&](int i) { return states[i].is_finished(); });
    if (live_.empty()) return states;
    draft(states);
    rows_.clear();
    continuations_.clear();
    for (const int i : live_) {
      const std::span<const TokenId> pending = states[i].pending();
      continuations_.push_back({i, states[i].n_generated() - 1, pending});
      for (int p = 0; p < static_cast<int>(pending.size()); ++p) rows_.push_back({i, p});
    }
    hidden = batch.step(continuations_);
    take_steps(hidden, states);
  }
}

// How many rows of the arena each needs for the tokens it generates: the last one is not computed.
std::vector<std::int64_t> DecodeLoop::n_rows_of(std::span<const SequenceState> states) const {
  std::vector<std::int64_t> n_rows;
  for (const SequenceState& state : states) {
    n_rows.push_back(state.is_finished() ? 0 : state.n_left());
  }
  return n_rows;
}

// A step of few rows takes hardly longer with some more.
void DecodeLoop::draft(std::span<SequenceState> states) {
  const auto& draft_after = request_.options().draft;
  std::int64_t n_free =
      std::max<std::int64_t>(0, rows_per_step_ - static_cast<std::int64_t>(live_.size()));
  auto n_waiting = static_cast<std::int64_t>(live_.size());
  for (const int i : live_) {
    SequenceState& state = states[i];
    const std::int64_t n_most =
        std::min<std::int64_t>(state.n_left() - 1, (n_free + n_waiting - 1) / n_waiting);
    TokenIds drafted;
    if (draft_after && n_most > 0) drafted = draft_after(state.generated());
    if (static_cast<std::int64_t>(drafted.size()) > n_most) drafted.resize(n_most);
    state.expect(drafted);
    n_free -= static_cast<std::int64_t>(drafted.size());
    n_drafted_ += static_cast<std::int64_t>(drafted.size());
    --n_waiting;
  }
}

// Gives the sequences their tokens from the hidden states [R, C] of rows_.
void DecodeLoop::take_steps(const at::Tensor& hidden, std::span<SequenceState> states) {
  LABELPROBE_CHECK(hidden.size(0) == static_cast<std::int64_t>(rows_.size()));
  for (std::int64_t first = 0; first < hidden.size(0); first += kRowsPerHead) {
    const std::int64_t n = std::min(kRowsPerHead, hidden.size(0) - first);
    take_step(
        decoder_.logits(hidden.narrow(0, first, n)),
        std::span(rows_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(n)),
        states, request_.options());
  }
  for (const int i : live_) n_drafted_kept_ += std::max(0, states[i].n_taken() - 1);
}

}  // namespace labelprobe::model
