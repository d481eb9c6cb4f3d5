// Sequences that generate together. Their prompts stay where the prefix cache has them, each node
// attended to once for all sequences that it belongs to; what a sequence generates fills rows of
// its own. A step takes any of the sequences, and any number of tokens of each.
//   R  rows of a step   C  hidden size
#pragma once

#include <cstdint>
#include <span>

#include <ATen/core/Tensor.h>

#include "model/decoder/decoder.h"
#include "model/engine/kv_arena.h"
#include "model/engine/prefix_cache.h"
#include "model/engine/segments.h"
#include "model/engine/step_inputs.h"

namespace labelprobe::model {

class DecodeBatch {
 public:
  // For sequences first to end of the tree, whose nodes must be in the cache as long as this lives;
  // sequence first + i takes at most n_rows[i] tokens, and none if it never takes part in a step.
  // All must outlive it. Throws std::bad_alloc where the arena is full.
  DecodeBatch(const Decoder& decoder,
              const PrefixTree& tree,
              const PrefixCache& cache,
              KvArena& arena,
              StepInputs& inputs,
              int first,
              std::span<const std::int64_t> n_rows);
  DecodeBatch(const DecodeBatch&) = delete;
  DecodeBatch& operator=(const DecodeBatch&) = delete;
  ~DecodeBatch();

  // The hidden states [R, C] of all tokens, one continuation's after the other's; members ascend.
  // A token's keys and values count from the next step on if its `n_before` includes them, and are
  // overwritten if it does not.
  // Where it is to be repeated, all continuations are of one token.
  at::Tensor step(std::span<const Continuation> continuations, Repeats repeats = Repeats::No);

  // The last step once more, after StepInputs::follow().
  at::Tensor step_again();

 private:
  const Decoder& decoder_;
  KvArena& arena_;
  StepInputs& inputs_;
  StepSegments segments_;
};

}  // namespace labelprobe::model
