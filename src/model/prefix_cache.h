// Keys and values of the nodes of a prefix tree, and the forward pass that fills them.
//   L  layers   T  rows of a pack   K  key heads   D  head size   C  hidden size
#pragma once

#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "decoder.h"
#include "prefix_tree.h"

namespace labelprobe::model {

class PrefixCache {
 public:
  PrefixCache(const Decoder& decoder, const PrefixTree& tree);

  bool has(int node) const { return nodes_[node].block != nullptr; }

  // Computes the nodes of a pack, whose ancestors must be there or in the pack, and the hidden
  // states of the prompts that end in them.
  void compute(const PackedNodes& pack);

  // Hidden states [n, C] before the final norm of the last tokens of sequences first to end, whose
  // last nodes have been computed. They and those before are given away.
  at::Tensor take_last_hidden(int first, int end);

  // Keys and values of a node in one layer, [n_tokens, K, D], or in all, [L, n_tokens, K, D].
  at::Tensor keys(int node, int layer) const;
  at::Tensor values(int node, int layer) const;
  at::Tensor keys(int node) const;
  at::Tensor values(int node) const;

  // Frees the memory of a node, once all nodes computed with it are forgotten too.
  void forget(int node) { nodes_[node] = {}; }

 private:
  struct Block {
    at::Tensor keys;    // [L, T, K, D]
    at::Tensor values;  // [L, T, K, D]
  };
  struct Place {
    std::shared_ptr<const Block> block;
    int first_row = 0;
  };
  class PackAttention;

  const Decoder* decoder_;
  const PrefixTree* tree_;
  std::vector<Place> nodes_;             // by node; without a block where not computed
  std::vector<at::Tensor> last_hidden_;  // by sequence, [C]; undefined where not computed or taken
};

}  // namespace labelprobe::model
