#include "model/engine/decode_loop.h"

#include <algorithm>
#include <utility>

#include <ATen/Functions.h>

#include "labelprobe/core/error.h"

#include "model/engine/step_reader.h"

namespace labelprobe::model {
namespace {

// Rows of sequences that have ended are computed as long as they are at most one in so many:
// without them the steps would have to be planned, and recorded, anew.
constexpr std::size_t kRowsPerIdleRow = 8;

}  // namespace

DecodeLoop::DecodeLoop(const Decoder& decoder,
                       const PrefixTree& tree,
                       const Request& request,
                       KvArena& arena,
                       StepInputs& inputs,
                       StepLimits limits,
                       weights::StepGraph* graph,
                       std::function<void(std::int64_t)> on_step)
    : decoder_(decoder),
      tree_(tree),
      request_(request),
      arena_(arena),
      inputs_(inputs),
      limits_(limits),
      graph_(graph),
      on_step_(std::move(on_step)) {}

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
    if (may_run_ahead(request_.options(), limits_.reading, limits_.n_rows,
                      static_cast<std::int64_t>(live_.size()))) {
      run_ahead(batch, states);
      continue;
    }
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

// Takes steps of all live sequences until too many of them have ended. The chosen tokens stay on
// the device, where the next step takes them; the host reads each step while the next one runs.
void DecodeLoop::run_ahead(DecodeBatch& batch, std::span<SequenceState> states) {
  const GenerateOptions& options = request_.options();
  if (!watched_columns_.defined()) {
    watched_columns_ = watched_columns(options.watched, decoder_.device());
  }
  continuations_.clear();
  for (const int i : live_) {
    states[i].expect({});
    continuations_.push_back({i, states[i].n_generated() - 1, states[i].pending()});
  }
  at::Tensor packed;
  const auto finish_step = [&](const at::Tensor& hidden) {
    packed = pack(hidden);
    inputs_.follow(best_tokens(packed));
  };
  const auto step_again = [&] { finish_step(batch.step_again()); };
  finish_step(batch.step(continuations_, Repeats::Yes));
  StepOnItsWay reading(packed);
  bool is_recorded = false;
  for (int n_repeats = 0;; ++n_repeats) {
    const int n_ahead = n_steps_ahead(states);
    if (n_ahead == 0) break;
    if (graph_ && n_repeats == kRepeatsBeforeRecording && n_ahead >= kFewestRecordedSteps &&
        inputs_.attention().grows_on_device()) {
      is_recorded = graph_->record(step_again);
    }
    if (is_recorded) {
      graph_->replay();
    } else {
      step_again();
    }
    StepOnItsWay next(packed);
    take_readings(reading.wait(options.watched.size(), options.n_top_tokens), states);
    reading = std::move(next);
  }
  take_readings(reading.wait(options.watched.size(), options.n_top_tokens), states);
}

// Further steps that the live sequences may take when one of each is still to be read; none where
// they should not go on together.
int DecodeLoop::n_steps_ahead(std::span<const SequenceState> states) const {
  int n_most = 0;
  std::size_t n_idle = 0;
  for (const int i : live_) {
    const int n_ahead = states[i].is_finished() ? 0 : states[i].n_left() - 1;
    n_idle += n_ahead == 0;
    n_most = std::max(n_most, n_ahead);
  }
  return kRowsPerIdleRow * n_idle > live_.size() ? 0 : n_most;
}

void DecodeLoop::take_readings(std::vector<StepReading> readings, std::span<SequenceState> states) {
  for (std::size_t r = 0; r < live_.size(); ++r) {
    SequenceState& state = states[live_[r]];
    if (state.is_finished()) continue;
    state.expect({});
    state.take(std::move(readings[r]), nullptr, 0);
  }
  tell(states);
}

void DecodeLoop::tell(std::span<const SequenceState> states) const {
  if (!on_step_) return;
  std::int64_t n_generated = 0;
  for (const SequenceState& state : states) n_generated += state.n_generated();
  on_step_(n_generated);
}

// Packs hidden states [R, C] as pack_step() does.
at::Tensor DecodeLoop::pack(const at::Tensor& hidden) const {
  std::vector<at::Tensor> parts;
  for (const at::Tensor& rows : hidden.split(kRowsPerHead)) {
    parts.push_back(
        pack_step(decoder_.logits(rows), watched_columns_, request_.options().n_top_tokens));
  }
  return parts.size() == 1 ? parts.front() : at::cat(parts);
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
      std::max<std::int64_t>(0, limits_.n_rows - static_cast<std::int64_t>(live_.size()));
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
  tell(states);
}

}  // namespace labelprobe::model
