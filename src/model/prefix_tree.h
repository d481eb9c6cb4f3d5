// The distinct token prefixes of the prompts of one call, as a radix tree: every node is a run of
// tokens that the same prompts share. Computing each node once computes every prompt. Knows nothing
// of tensors; the engine asks which nodes to compute, and on which rows an ancestor is attended to.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "labelprobe/core/token.h"

namespace labelprobe::model {

enum class Sharing {
  Prefixes,  // equal prefixes are one path, equal prompts one sequence
  None,      // every prompt is a path of its own
};

struct PrefixNode {
  int parent = -1;  // -1: starts at position 0
  int level = 0;    // nodes above it
  int first_position = 0;
  int n_tokens = 0;
  // The sequences whose prompts run through it: a range, for sequences are in token order.
  int first_sequence = 0;
  int end_sequence = 0;
};

// What is decoded: one distinct prompt.
struct PrefixSequence {
  std::vector<std::size_t> prompts;  // indices of the equal prompts it answers
  int last_node = -1;                // the node in which the prompt ends
};

class PrefixTree {
 public:
  // The tree of prompts[i], i in `chosen`, none of them empty. `prompts` must outlive it. No node
  // is longer than `max_node_tokens`: longer runs become chains.
  PrefixTree(std::span<const TokenIds> prompts,
             std::span<const std::size_t> chosen,
             Sharing sharing,
             int max_node_tokens);

  // Depth first, so parents come first and nodes of one level are in the order of their sequences.
  const std::vector<PrefixNode>& nodes() const { return nodes_; }
  // In the token order of their prompts (the order of `chosen` without sharing).
  const std::vector<PrefixSequence>& sequences() const { return sequences_; }

  std::span<const TokenId> tokens(const PrefixNode& node) const;
  std::span<const TokenId> prompt(const PrefixSequence& sequence) const;
  // Leading tokens that sequence `i` has in common with the one before it; 0 for the first.
  int n_common(int i) const { return n_common_[i]; }

 private:
  int add_path(int parent, int first_position, int end_position, int first, int end);
  void grow();

  std::span<const TokenIds> prompts_;
  int max_node_tokens_;
  std::vector<PrefixNode> nodes_;
  std::vector<PrefixSequence> sequences_;
  std::vector<int> n_common_;
};

// Nodes computed together, packed without padding: node i fills rows first_rows[i] and on.
struct PackedNodes {
  std::vector<int> nodes;
  std::vector<int> first_rows;
  int n_rows = 0;
};

// The rows of a pack that attend to all of an ancestor of their nodes.
struct AncestorRows {
  int node = 0;
  int first_row = 0;
  int end_row = 0;
};

// Cuts `nodes` (of one tree, in its order) into packs of at most `max_rows` rows, level by level,
// so that the ancestors of a node are always in an earlier pack.
std::vector<PackedNodes> pack_by_level(const PrefixTree& tree,
                                       std::span<const int> nodes,
                                       int max_rows);

// One entry per ancestor of the pack's nodes, or more where other rows stand between its
// descendants.
std::vector<AncestorRows> ancestor_rows(const PrefixTree& tree, const PackedNodes& pack);

}  // namespace labelprobe::model
