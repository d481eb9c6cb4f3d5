// Sequences that generate together. Their prompts stay where the prefix cache has them, each node
// attended to once for all sequences that it belongs to; what a sequence generates fills rows of
// its own. A step takes any of the sequences, and any number of tokens of each.
//   R  rows of a step   C  hidden size
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "model/attention/segment_attention.h"
#include "model/decoder/decoder.h"
#include "model/engine/kv_arena.h"
#include "model/engine/prefix_cache.h"
#include "model/engine/segments.h"

namespace labelprobe::model {

// What a step holds of its rows: tokens, positions, and where the arena takes their keys and
// values. Memory that stays where it is from step to step, as long as a step has no more rows than
// any before.
//   R  rows of the step
class StepInputs {
 public:
  StepInputs(c10::Device device, bool is_fast) : device_(device), attention_(device, is_fast) {}

  void resize(std::int64_t n_rows);
  // At most `n_more` tokens follow this one.
  void set(std::int64_t row,
           TokenId token,
           std::int64_t position,
           std::int64_t arena_row,
           std::int64_t n_more);
  // Makes what was set known to the device. Not before the device has finished the last step.
  void send();
  // Each row goes on with a token of [R], of any type, on the device, where all of this happens:
  // the host waits for nothing. A row that has no room for another one repeats its last place: its
  // results mean nothing, and touch no other row.
  void follow(const at::Tensor& tokens);

  at::Tensor tokens() const { return on_device_[0].narrow(0, 0, n_rows_); }
  at::Tensor positions() const { return on_device_[1].narrow(0, 0, n_rows_); }
  at::Tensor arena_rows() const { return on_device_[2].narrow(0, 0, n_rows_); }
  std::vector<KeySegment>& segments() { return segments_; }
  const SegmentAttention& attention() const { return attention_; }

 private:
  c10::Device device_;
  std::int64_t n_rows_ = 0;
  std::int64_t n_allocated_ = 0;
  at::Tensor on_host_;    // [5, n_allocated], int64, pinned where a GPU reads it
  at::Tensor on_device_;  // the same; on the CPU the same memory
  std::vector<KeySegment> segments_;
  SegmentAttention attention_;
};

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
  class StepAttention;
  const Decoder& decoder_;
  KvArena& arena_;
  StepInputs& inputs_;
  StepSegments segments_;
};

}  // namespace labelprobe::model
