// The distinct token prefixes of the prompts of one call, as a radix tree: every node is a run of
// tokens that no two prompts leave differently. Computing each node once computes every prompt.
// Knows nothing of tensors; the engine asks which nodes to compute, and on which rows an ancestor
// is attended to.
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
  int first_position = 0;
  int n_tokens = 0;
  // The sequences whose prompts run through it or end in it: a range, for sequences are in token
  // order. Those that end before its last token, each the beginning of the next, come first.
  int first_sequence = 0;
  int end_sequence = 0;
};

// What is decoded: one distinct prompt.
struct PrefixSequence {
  std::vector<std::size_t> prompts;  // indices of the equal prompts it answers
  int last_node = -1;                // the node in which the prompt ends, not always with it
};

class PrefixTree {
 public:
  // The tree of prompts[i], i in `chosen`, none of them empty. `prompts` must outlive it. No node
  // is longer than `max_node_tokens`: longer runs become chains.
  PrefixTree(std::span<const TokenIds> prompts,
             std::span<const std::size_t> chosen,
             Sharing sharing,
             int max_node_tokens);

  // Depth first and in the order of their sequences: a node's descendants follow it.
  const std::vector<PrefixNode>& nodes() const { return nodes_; }
  // In the token order of their prompts (the order of `chosen` without sharing).
  const std::vector<PrefixSequence>& sequences() const { return sequences_; }

  std::span<const TokenId> tokens(const PrefixNode& node) const;
  std::span<const TokenId> prompt(const PrefixSequence& sequence) const;
  // The tokens of a node that are on the path of a sequence.
  int n_tokens_of(const PrefixNode& node, const PrefixSequence& sequence) const;
  // The first sequence to which all tokens of the node belong; they all do to those after it.
  int first_whole_sequence(const PrefixNode& node) const;
  // Leading tokens that sequence `i` has in common with the one before it; 0 for the first.
  int n_common(int i) const { return n_common_[i]; }

 private:
  int size_of(int sequence) const;
  int end_of_run(int first, int end) const;
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

// Cuts the nodes from `first` to `end` into packs of at most `max_rows` rows, about equally large,
// in their order: the ancestors of a node are in its own pack or an earlier one.
std::vector<PackedNodes> pack_nodes(const PrefixTree& tree, int first, int end, int max_rows);

// One entry per ancestor of the pack's nodes, whether in the pack or not: its descendants are
// together.
std::vector<AncestorRows> ancestor_rows(const PrefixTree& tree, const PackedNodes& pack);

}  // namespace labelprobe::model
