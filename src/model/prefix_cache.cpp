#include "prefix_cache.h"

#include <algorithm>

#include <ATen/Functions.h>

#include "labelprobe/core/error.h"

#include "attention.h"
#include "kernels.h"
#include "segment_attention.h"

namespace labelprobe::model {

// Every node's rows see themselves causally and each ancestor whole.
class PrefixCache::PackAttention : public Attention {
 public:
  PackAttention(const PrefixCache& cache, const PackedNodes& pack, const Block& block)
      : cache_(cache), pack_(pack), block_(block), ancestors_(ancestor_rows(*cache.tree_, pack)) {}

  at::Tensor attend(int layer,
                    const at::Tensor& queries,
                    const at::Tensor& keys,
                    const at::Tensor& values) override {
    const at::Tensor block_keys = block_.keys[layer].copy_(keys);
    const at::Tensor block_values = block_.values[layer].copy_(values);
    if (can_attend_segments(queries)) {
      return attend_segments(queries, segments(layer, block_keys, block_values));
    }
    if (!sum_.values.defined()) sum_ = empty_attention_sum(queries);
    const auto add = [&](int row, const PartialAttention& part, Accumulate how) {
      accumulate(sum_, row, part.values, part.logs, how);
    };
    for (std::size_t i = 0; i < pack_.nodes.size(); ++i) {
      const int row = pack_.first_rows[i];
      const int n_rows = cache_.tree_->nodes()[pack_.nodes[i]].n_tokens;
      add(row,
          attend_rows(queries.narrow(0, row, n_rows), block_keys.narrow(0, row, n_rows),
                      block_values.narrow(0, row, n_rows), Mask::Causal),
          Accumulate::Set);
    }
    for (const AncestorRows& ancestor : ancestors_) {
      const int n_rows = ancestor.end_row - ancestor.first_row;
      add(ancestor.first_row,
          attend_rows(queries.narrow(0, ancestor.first_row, n_rows),
                      cache_.keys(ancestor.node, layer), cache_.values(ancestor.node, layer),
                      Mask::None),
          Accumulate::Merge);
    }
    return sum_.values.flatten(1, 3).to(queries.scalar_type());
  }

 private:
  std::vector<KeySegment> segments(int layer,
                                   const at::Tensor& block_keys,
                                   const at::Tensor& block_values) const {
    std::vector<KeySegment> found;
    for (const AncestorRows& ancestor : ancestors_) {
      KeySegment& segment = found.emplace_back(make_key_segment(
          cache_.keys(ancestor.node, layer), cache_.values(ancestor.node, layer), Mask::None));
      segment.first_row = ancestor.first_row;
      segment.end_row = ancestor.end_row;
    }
    for (std::size_t i = 0; i < pack_.nodes.size(); ++i) {
      const int row = pack_.first_rows[i];
      const int n_rows = cache_.tree_->nodes()[pack_.nodes[i]].n_tokens;
      KeySegment& segment = found.emplace_back(make_key_segment(
          block_keys.narrow(0, row, n_rows), block_values.narrow(0, row, n_rows), Mask::Causal));
      segment.first_row = row;
      segment.end_row = row + n_rows;
    }
    return found;
  }

  const PrefixCache& cache_;
  const PackedNodes& pack_;
  const Block& block_;
  const std::vector<AncestorRows> ancestors_;
  AttentionSum sum_;
};

PrefixCache::PrefixCache(const Decoder& decoder, const PrefixTree& tree)
    : decoder_(&decoder),
      tree_(&tree),
      nodes_(tree.nodes().size()),
      last_hidden_(tree.sequences().size()) {}

void PrefixCache::compute(const PackedNodes& pack) {
  const DecoderConfig& config = decoder_->config();
  const auto options =
      at::TensorOptions().dtype(decoder_->scalar_type()).device(decoder_->device());
  const auto empty = [&] {
    return at::empty({config.n_layers, pack.n_rows, config.n_kv_heads, config.head_dim}, options);
  };
  const auto block = std::make_shared<const Block>(Block{empty(), empty()});

  std::vector<std::int64_t> tokens;
  std::vector<std::int64_t> positions;
  std::vector<int> ended;  // sequences, and the rows of their last tokens
  std::vector<std::int64_t> ended_rows;
  for (std::size_t i = 0; i < pack.nodes.size(); ++i) {
    const PrefixNode& node = tree_->nodes()[pack.nodes[i]];
    LABELPROBE_CHECK(node.parent < 0 || has(node.parent));
    // From here on its descendants in the pack find it.
    nodes_[pack.nodes[i]] = {block, pack.first_rows[i]};
    for (const TokenId token : tree_->tokens(node)) tokens.push_back(token);
    for (int t = 0; t < node.n_tokens; ++t) positions.push_back(node.first_position + t);
    for (int s = node.first_sequence; s < node.end_sequence; ++s) {
      const PrefixSequence& sequence = tree_->sequences()[s];
      if (sequence.last_node != pack.nodes[i]) break;
      ended.push_back(s);
      ended_rows.push_back(pack.first_rows[i] + tree_->n_tokens_of(node, sequence) - 1);
    }
  }
  PackAttention attention(*this, pack, *block);
  const at::Tensor hidden = decoder_->forward(
      at::tensor(tokens).to(decoder_->device()), at::tensor(positions).to(decoder_->device()),
      attention, at::tensor(ended_rows, at::kLong).to(decoder_->device()));
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

at::Tensor PrefixCache::keys(int node, int layer) const {
  const Place& place = nodes_[node];
  return place.block->keys[layer].narrow(0, place.first_row, tree_->nodes()[node].n_tokens);
}

at::Tensor PrefixCache::values(int node, int layer) const {
  const Place& place = nodes_[node];
  return place.block->values[layer].narrow(0, place.first_row, tree_->nodes()[node].n_tokens);
}

at::Tensor PrefixCache::keys(int node) const {
  const Place& place = nodes_[node];
  return place.block->keys.narrow(1, place.first_row, tree_->nodes()[node].n_tokens);
}

at::Tensor PrefixCache::values(int node) const {
  const Place& place = nodes_[node];
  return place.block->values.narrow(1, place.first_row, tree_->nodes()[node].n_tokens);
}

}  // namespace labelprobe::model
