// Sequences that generate together, one token each per step. Nodes that many of them share stay in
// the prefix cache and are attended to once for all; the rest of each prompt is copied beside the
// keys and values of its generated tokens, the newest of all sequences in one column.
//   L  layers   B  sequences   K  key heads   W  columns (own tokens)   D  head size
#pragma once

#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "prefix_cache.h"

namespace labelprobe::model {

class DecodeBatch {
 public:
  // For some sequences of the tree (ascending), whose nodes must be in the cache as long as this
  // lives. At most `max_steps` calls of step().
  DecodeBatch(const Decoder& decoder,
              const PrefixTree& tree,
              const PrefixCache& cache,
              std::span<const int> sequences,
              int max_steps);

  // Appends one token to every sequence, in order; returns the hidden states [B, C].
  at::Tensor step(std::span<const TokenId> tokens);

  // Lets all sequences but the rows `kept` (ascending) go.
  void keep(std::span<const std::int64_t> kept);

 private:
  class StepAttention;
  struct OwnNode {
    int row = 0;
    int node = 0;
    int n_tokens = 0;  // fewer than the node's where the prompt ends before it
  };

  std::vector<OwnNode> divide_nodes(const PrefixTree& tree, std::span<const int> sequences);
  void copy_own(std::span<const OwnNode> own_nodes, int max_steps);

  const Decoder& decoder_;
  const PrefixCache& cache_;
  std::vector<AncestorRows> shared_;
  std::vector<std::int64_t> n_tokens_;  // so far, by row
  at::Tensor keys_;            // [L, B, K, W, D]; prompts end and steps begin at one column
  at::Tensor values_;          // [L, B, K, W, D]
  at::Tensor hidden_columns_;  // [B, 1, 1, W]: 0, or minus infinity before a prompt's own
  std::vector<std::int64_t> first_columns_;  // that a row sees
  std::int64_t n_columns_ = 0;               // filled
};

}  // namespace labelprobe::model
