#include "model/engine/prefix_tree.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "labelprobe/core/error.h"

namespace labelprobe::model {
namespace {

// Tokens that are compared at once: prompts have long beginnings in common.
constexpr std::size_t kTokensAtOnce = 64;

std::size_t common_prefix(const TokenIds& a, const TokenIds& b) {
  const std::size_t n = std::min(a.size(), b.size());
  std::size_t i = 0;
  while (i + kTokensAtOnce <= n &&
         std::memcmp(&a[i], &b[i], kTokensAtOnce * sizeof(TokenId)) == 0) {
    i += kTokensAtOnce;
  }
  while (i < n && a[i] == b[i]) ++i;
  return i;
}

bool comes_before(const TokenIds& a, const TokenIds& b) {
  const std::size_t i = common_prefix(a, b);
  return i == a.size() || i == b.size() ? a.size() < b.size() : a[i] < b[i];
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
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return comes_before(prompts[a], prompts[b]);
    });
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
    n_common_.push_back(may_share ? static_cast<int>(common_prefix(*last, prompts[i])) : 0);
    sequences_.push_back({{i}, -1});
  }
  grow();
}

std::span<const TokenId> PrefixTree::prompt(const PrefixSequence& sequence) const {
  return prompts_[sequence.prompts.front()];
}

// Read from the last sequence: the first ones may end within the node.
std::span<const TokenId> PrefixTree::tokens(const PrefixNode& node) const {
  return prompt(sequences_[node.end_sequence - 1]).subspan(node.first_position, node.n_tokens);
}

int PrefixTree::n_tokens_of(const PrefixNode& node, const PrefixSequence& sequence) const {
  return std::min(node.n_tokens, static_cast<int>(prompt(sequence).size()) - node.first_position);
}

int PrefixTree::first_whole_sequence(const PrefixNode& node) const {
  const auto begin = sequences_.begin();
  const auto found = std::partition_point(
      begin + node.first_sequence, begin + node.end_sequence,
      [&](const PrefixSequence& sequence) { return n_tokens_of(node, sequence) < node.n_tokens; });
  return static_cast<int>(found - begin);
}

int PrefixTree::size_of(int sequence) const {
  return static_cast<int>(prompt(sequences_[sequence]).size());
}

// The position up to which sequences that agree at all are beginnings of one another.
int PrefixTree::end_of_run(int first, int end) const {
  int end_position = size_of(end - 1);
  for (int i = first + 1; i < end; ++i) {
    if (n_common_[i] < size_of(i - 1)) end_position = std::min(end_position, n_common_[i]);
  }
  return end_position;
}

// Splits ranges of sequences that agree up to a position; the stack replaces a recursion that a
// deep tree could drive as far as prompts are long.
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
    const int end_position = end_of_run(range.first, range.end);
    int first = range.first;
    int node = range.parent;
    for (int position = range.position; position < end_position;) {
      const int n_tokens = std::min(max_node_tokens_, end_position - position);
      nodes_.push_back({node, position, n_tokens, first, range.end});
      node = static_cast<int>(nodes_.size()) - 1;
      position += n_tokens;
      // Prompts that end here sort before those that go on.
      for (; first < range.end && size_of(first) <= position; ++first) {
        sequences_[first].last_node = node;
      }
    }
    push_groups(first, range.end, node, end_position);
  }
}

std::vector<PackedNodes> pack_nodes(const PrefixTree& tree, int first, int end, int max_rows) {
  std::int64_t n_left = 0;
  for (int i = first; i < end; ++i) n_left += tree.nodes()[i].n_tokens;
  std::vector<PackedNodes> packs;
  std::int64_t aim = 0;
  for (int i = first; i < end; ++i) {
    const int n_tokens = tree.nodes()[i].n_tokens;
    if (packs.empty() || packs.back().n_rows >= aim || packs.back().n_rows + n_tokens > max_rows) {
      const std::int64_t n_packs = (n_left + max_rows - 1) / max_rows;
      aim = (n_left + n_packs - 1) / n_packs;
      packs.emplace_back();
    }
    PackedNodes& pack = packs.back();
    pack.nodes.push_back(i);
    pack.first_rows.push_back(pack.n_rows);
    pack.n_rows += n_tokens;
    n_left -= n_tokens;
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
