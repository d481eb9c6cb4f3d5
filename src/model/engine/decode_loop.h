// Generates the answers of a chunk from the hidden states that its prompts left.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "labelprobe/model/language_model.h"

#include "model/decoder/decoder.h"
#include "model/engine/decode_batch.h"
#include "model/engine/kv_arena.h"
#include "model/engine/limits.h"
#include "model/engine/prefix_cache.h"
#include "model/engine/prefix_tree.h"
#include "model/engine/request.h"
#include "model/engine/sequence_state.h"
#include "weights/device/step_graph.h"

namespace labelprobe::model {

struct StepLimits {
  std::int64_t n_rows = 0;  // steps of fewer are filled with drafted tokens
  Reading reading = Reading::BeforeNextStep;
};

class DecodeLoop {
 public:
  // A graph, if there is one, records steps that are repeated. All must outlive it. on_step() is
  // told after every step how many tokens there are.
  DecodeLoop(const Decoder& decoder,
             const PrefixTree& tree,
             const Request& request,
             KvArena& arena,
             StepInputs& inputs,
             StepLimits limits,
             weights::StepGraph* graph,
             std::function<void(std::int64_t n_generated)> on_step = {});

  // The finished sequences first to end, whose last tokens' hidden states [n, C] are given. Throws
  // std::bad_alloc where the arena is full.
  std::vector<SequenceState> run(at::Tensor hidden, const PrefixCache& cache, int first, int end);

  // How many tokens run() drafted.
  std::int64_t n_drafted() const { return n_drafted_; }
  std::int64_t n_drafted_kept() const { return n_drafted_kept_; }

 private:
  void run_ahead(DecodeBatch& batch, std::span<SequenceState> states);
  int n_steps_ahead(std::span<const SequenceState> states) const;
  void take_readings(std::vector<StepReading> readings, std::span<SequenceState> states);
  at::Tensor pack(const at::Tensor& hidden) const;
  void draft(std::span<SequenceState> states);
  void take_steps(const at::Tensor& hidden, std::span<SequenceState> states);
  void tell(std::span<const SequenceState> states) const;
  std::vector<std::int64_t> n_rows_of(std::span<const SequenceState> states) const;

  const Decoder& decoder_;
  const PrefixTree& tree_;
  const Request& request_;
  KvArena& arena_;
  StepInputs& inputs_;
  StepLimits limits_;
  weights::StepGraph* graph_;
  std::function<void(std::int64_t)> on_step_;
  at::Tensor watched_columns_;
  std::vector<int> live_;  // sequences of the chunk that are not finished
  std::vector<StepRow> rows_;
  std::vector<Continuation> continuations_;
  std::int64_t n_drafted_ = 0;
  std::int64_t n_drafted_kept_ = 0;
};

}  // namespace labelprobe::model
