#include "model/engine/prefix_cache.h"

#include <algorithm>

#include <ATen/Functions.h>

#include "labelprobe/core/error.h"

#include "model/engine/pass.h"
#include "model/engine/segments.h"
#include "weights/device/send.h"

namespace labelprobe::model {

PrefixCache::PrefixCache(const Decoder& decoder, const PrefixTree& tree, KvArena& arena)
    : decoder_(decoder),
      tree_(tree),
      arena_(arena),
      attention_(decoder.device(), decoder.is_fast()),
      node_rows_(tree.nodes().size(), -1),
      last_hidden_(tree.sequences().size()) {}

PrefixCache::~PrefixCache() {
  forget_before(static_cast<int>(tree_.sequences().size()));
}

void PrefixCache::compute(const PackedNodes& pack, PromptReader* reader) {
  const std::int64_t first_row = arena_.reserve(pack.n_rows);
  PackPass pass;
  pass.first_row = first_row;
  std::vector<int> ended;  // sequences, and the rows of their last tokens
  std::vector<std::int64_t> ended_rows;
  for (std::size_t i = 0; i < pack.nodes.size(); ++i) {
    node_rows_[pack.nodes[i]] = first_row + pack.first_rows[i];
    held_.push_back(pack.nodes[i]);
  }
  for (std::size_t i = 0; i < pack.nodes.size(); ++i) {
    const PrefixNode& node = tree_.nodes()[pack.nodes[i]];
    LABELPROBE_CHECK(node.parent < 0 || has(node.parent));
    for (const TokenId token : tree_.tokens(node)) pass.tokens.push_back(token);
    for (int t = 0; t < node.n_tokens; ++t) pass.positions.push_back(node.first_position + t);
    for (int s = node.first_sequence; s < node.end_sequence; ++s) {
      const PrefixSequence& sequence = tree_.sequences()[s];
      if (sequence.last_node != pack.nodes[i]) break;
      ended.push_back(s);
      ended_rows.push_back(pack.first_rows[i] + tree_.n_tokens_of(node, sequence) - 1);
    }
  }
  pass.segments = pack_segments(tree_, pack, node_rows_);
  if (!reader) pass.kept = ended_rows;
  at::Tensor hidden = model::compute(decoder_, attention_, arena_, pass);
  if (reader) {
    reader->read(pack, hidden);
    hidden = hidden.index_select(0, weights::send(ended_rows, decoder_.device()));
  }
  for (std::size_t i = 0; i < ended.size(); ++i) {
    last_hidden_[ended[i]] = hidden[static_cast<std::int64_t>(i)];
  }
}

at::Tensor PrefixCache::take_last_hidden(int first, int end) {
  const auto begin = last_hidden_.begin();
  const std::vector<at::Tensor> rows(begin + first, begin + end);
  std::fill(begin, begin + end, at::Tensor());
  return at::stack(rows);
}

void PrefixCache::forget_before(int sequence) {
  std::erase_if(held_, [&](int node) {
    if (tree_.nodes()[node].end_sequence > sequence) return false;
    arena_.release(node_rows_[node], tree_.nodes()[node].n_tokens);
    node_rows_[node] = -1;
    return true;
  });
}

}  // namespace labelprobe::model
