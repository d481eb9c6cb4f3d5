#include "prefix_tree.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "labelprobe/core/error.h"

namespace labelprobe::model {
namespace {

int common_prefix(const TokenIds& a, const TokenIds& b) {
  const auto [end, ignored] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<int>(end - a.begin());
}

}  // namespace

PrefixTree::PrefixTree(std::span<const TokenIds> prompts,
                       std::span<const std::size_t> chosen,
                       Sharing sharing,
                       int max_node_tokens)
    : prompts_(prompts), max_node_tokens_(max_node_tokens) {
  LABELPROBE_CHECK(max_node_tokens > 0);
  std::vector<std::size_t> order(chosen.begin(), chosen.end());
  if (sharing == Sharing::Prefixes) {
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return prompts[a] < prompts[b]; });
  }
  for (const std::size_t i : order) {
    LABELPROBE_CHECK(!prompts[i].empty());
    const TokenIds* last =
        sequences_.empty() ? nullptr : &prompts[sequences_.back().prompts.front()];
    if (sharing == Sharing::Prefixes && last && *last == prompts[i]) {
      sequences_.back().prompts.push_back(i);
      continue;
    }
    const bool may_share = sharing == Sharing::Prefixes && last;
    n_common_.push_back(may_share ? common_prefix(*last, prompts[i]) : 0);
    sequences_.push_back({{i}, -1});
  }
  grow();
}

std::span<const TokenId> PrefixTree::prompt(const PrefixSequence& sequence) const {
  return prompts_[sequence.prompts.front()];
}

std::span<const TokenId> PrefixTree::tokens(const PrefixNode& node) const {
  return prompt(sequences_[node.first_sequence]).subspan(node.first_position, node.n_tokens);
}

int PrefixTree::add_path(int parent, int first_position, int end_position, int first, int end) {
  while (first_position < end_position) {
    const int n_tokens = std::min(max_node_tokens_, end_position - first_position);
    const int level = parent < 0 ? 0 : nodes_[parent].level + 1;
    nodes_.push_back({parent, level, first_position, n_tokens, first, end});
    parent = static_cast<int>(nodes_.size()) - 1;
    first_position += n_tokens;
  }
  return parent;
}

// Splits ranges of sequences that agree up to a position; the stack replaces a recursion that a
// chain of prompts, each a prefix of the next, could drive as deep as there are prompts.
void PrefixTree::grow() {
  struct Range {
    int first, end, parent, position;
  };
  std::vector<Range> ranges;
  const auto push_groups = [&](int first, int end, int parent, int position) {
    // Last group first: the stack then hands them out in token order.
    for (int last = end; last > first;) {
      int begin = last - 1;
      while (begin > first && n_common_[begin] > position) --begin;
      ranges.push_back({begin, last, parent, position});
      last = begin;
    }
  };
  push_groups(0, static_cast<int>(sequences_.size()), -1, 0);
  while (!ranges.empty()) {
    const Range range = ranges.back();
    ranges.pop_back();
    int end_position = static_cast<int>(prompt(sequences_[range.first]).size());
    for (int i = range.first + 1; i < range.end; ++i) {
      end_position = std::min(end_position, n_common_[i]);
    }
    const int node = add_path(range.parent, range.position, end_position, range.first, range.end);
    int first = range.first;
    // A prompt that ends here sorts before those that go on.
    if (static_cast<int>(prompt(sequences_[first]).size()) == end_position) {
      sequences_[first].last_node = node;
      ++first;
    }
    push_groups(first, range.end, node, end_position);
  }
}

std::vector<PackedNodes> pack_by_level(const PrefixTree& tree,
                                       std::span<const int> nodes,
                                       int max_rows) {
  std::vector<int> order(nodes.begin(), nodes.end());
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return tree.nodes()[a].level < tree.nodes()[b].level; });
  std::vector<PackedNodes> packs;
  int level = -1;
  for (const int i : order) {
    const PrefixNode& node = tree.nodes()[i];
    if (packs.empty() || node.level != level || packs.back().n_rows + node.n_tokens > max_rows) {
      packs.emplace_back();
      level = node.level;
    }
    PackedNodes& pack = packs.back();
    pack.nodes.push_back(i);
    pack.first_rows.push_back(pack.n_rows);
    pack.n_rows += node.n_tokens;
  }
  return packs;
}

std::vector<AncestorRows> ancestor_rows(const PrefixTree& tree, const PackedNodes& pack) {
  std::vector<AncestorRows> blocks;
  std::unordered_map<int, std::size_t> newest;  // ancestor -> its last block
  for (std::size_t i = 0; i < pack.nodes.size(); ++i) {
    const PrefixNode& node = tree.nodes()[pack.nodes[i]];
    const int first_row = pack.first_rows[i];
    const int end_row = first_row + node.n_tokens;
    for (int a = node.parent; a >= 0; a = tree.nodes()[a].parent) {
      const auto found = newest.find(a);
      if (found != newest.end() && blocks[found->second].end_row == first_row) {
        blocks[found->second].end_row = end_row;
      } else {
        newest[a] = blocks.size();
        blocks.push_back({a, first_row, end_row});
      }
    }
  }
  return blocks;
}

}  // namespace labelprobe::model
