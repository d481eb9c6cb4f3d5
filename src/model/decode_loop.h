// Generates the answers of a chunk from the hidden states that its prompts left.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "labelprobe/model/language_model.h"

#include "decode_batch.h"
#include "decoder.h"
#include "kv_arena.h"
#include "prefix_cache.h"
#include "prefix_tree.h"
#include "request.h"
#include "sequence_state.h"

namespace labelprobe::model {

class DecodeLoop {
 public:
  // Steps of fewer rows than `rows_per_step` are filled with drafted tokens. All must outlive it.
  DecodeLoop(const Decoder& decoder,
             const PrefixTree& tree,
             const Request& request,
             KvArena& arena,
             StepInputs& inputs,
             std::int64_t rows_per_step);

  // The finished sequences first to end, whose last tokens' hidden states [n, C] are given. Throws
  // std::bad_alloc where the arena is full.
  std::vector<SequenceState> run(at::Tensor hidden, const PrefixCache& cache, int first, int end);

  // Of run().
  std::int64_t n_drafted() const { return n_drafted_; }
  std::int64_t n_drafted_kept() const { return n_drafted_kept_; }

 private:
  void draft(std::span<SequenceState> states);
  void take_steps(const at::Tensor& hidden, std::span<SequenceState> states);
  std::vector<std::int64_t> n_rows_of(std::span<const SequenceState> states) const;

  const Decoder& decoder_;
  const PrefixTree& tree_;
  const Request& request_;
  KvArena& arena_;
  StepInputs& inputs_;
  std::int64_t rows_per_step_;
  std::vector<int> live_;  // sequences of the chunk that are not finished
  std::vector<StepRow> rows_;
  std::vector<Continuation> continuations_;
  std::int64_t n_drafted_ = 0;
  std::int64_t n_drafted_kept_ = 0;
};

}  // namespace labelprobe::model
