// Which nodes of a prefix tree have their keys and values in the arena, and the forward pass that
// computes them.
//   C  hidden size
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "model/attention/segment_attention.h"
#include "model/decoder/decoder.h"
#include "model/engine/kv_arena.h"
#include "model/engine/prefix_tree.h"
#include "model/engine/prompt_reader.h"

namespace labelprobe::model {

class PrefixCache {
 public:
  // All must outlive it. Its rows of the arena are free again when it ends.
  PrefixCache(const Decoder& decoder, const PrefixTree& tree, KvArena& arena);
  PrefixCache(const PrefixCache&) = delete;
  PrefixCache& operator=(const PrefixCache&) = delete;
  ~PrefixCache();

  bool has(int node) const { return node_rows_[node] >= 0; }

  // By node, where the arena has its first token; the others follow.
  std::span<const std::int64_t> node_rows() const { return node_rows_; }

  // Computes the nodes of a pack, whose ancestors must be there or in the pack, and the hidden
  // states of the prompts that end in them. Throws std::bad_alloc where the arena is full; the
  // cache is of no use after any exception. A reader, if there is one, reads all rows of the pack.
  void compute(const PackedNodes& pack, PromptReader* reader = nullptr);

  // Hidden states [n, C] before the final norm of the last tokens of sequences first to end, whose
  // last nodes have been computed. They and those before are given away.
  at::Tensor take_last_hidden(int first, int end);

  // Frees the rows of nodes whose sequences all come before `sequence`.
  void forget_before(int sequence);

 private:
  const Decoder& decoder_;
  const PrefixTree& tree_;
  KvArena& arena_;
  SegmentAttention attention_;
  std::vector<std::int64_t> node_rows_;  // -1 where not there
  std::vector<int> held_;                // nodes that are there, ascending but for recomputed ones
  std::vector<at::Tensor> last_hidden_;  // by sequence, [C]; undefined where not computed or taken
};

}  // namespace labelprobe::model
