#include "model/engine/prefix_cache.h"

#include <algorithm>

#include <ATen/Functions.h>

#include "labelprobe/core/error.h"

#include "model/engine/segments.h"
#include "weights/device/send.h"

namespace labelprobe::model {

class PrefixCache::PackAttention : public Attention {
 public:
  PackAttention(const Decoder& decoder,
                const SegmentAttention& attention,
                KvArena& arena,
                std::int64_t first_row)
      : decoder_(decoder), attention_(attention), arena_(arena), first_row_(first_row) {}

  at::Tensor attend(int layer,
                    const at::Tensor& queries,
                    const at::Tensor& keys,
                    const at::Tensor& values) override {
    arena_.write(layer, first_row_, keys, values);
    return attention_.attend(queries, arena_.keys(layer), arena_.values(layer),
                             decoder_.attention_form(layer));
  }

 private:
  const Decoder& decoder_;
  const SegmentAttention& attention_;
  KvArena& arena_;
  std::int64_t first_row_;
};

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
  std::vector<std::int64_t> tokens;
  std::vector<std::int64_t> positions;
  std::vector<int> ended;  // sequences, and the rows of their last tokens
  std::vector<std::int64_t> ended_rows;
  for (std::size_t i = 0; i < pack.nodes.size(); ++i) {
    node_rows_[pack.nodes[i]] = first_row + pack.first_rows[i];
    held_.push_back(pack.nodes[i]);
  }
  for (std::size_t i = 0; i < pack.nodes.size(); ++i) {
    const PrefixNode& node = tree_.nodes()[pack.nodes[i]];
    LABELPROBE_CHECK(node.parent < 0 || has(node.parent));
    for (const TokenId token : tree_.tokens(node)) tokens.push_back(token);
    for (int t = 0; t < node.n_tokens; ++t) positions.push_back(node.first_position + t);
    for (int s = node.first_sequence; s < node.end_sequence; ++s) {
      const PrefixSequence& sequence = tree_.sequences()[s];
      if (sequence.last_node != pack.nodes[i]) break;
      ended.push_back(s);
      ended_rows.push_back(pack.first_rows[i] + tree_.n_tokens_of(node, sequence) - 1);
    }
  }
  attention_.plan(pack.n_rows, pack_segments(tree_, pack, node_rows_));
  PackAttention attention(decoder_, attention_, arena_, first_row);
  const c10::Device device = decoder_.device();
  at::Tensor hidden =
      decoder_.forward(weights::send(tokens, device), weights::send(positions, device), attention,
                       reader ? at::Tensor() : weights::send(ended_rows, device));
  if (reader) {
    reader->read(pack, hidden);
    hidden = hidden.index_select(0, weights::send(ended_rows, device));
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
