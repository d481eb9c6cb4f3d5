#include "decode_batch.h"

#include <algorithm>
#include <limits>

#include <ATen/Functions.h>

#include "labelprobe/core/error.h"

#include "attention.h"
#include "kernels.h"
#include "segment_attention.h"

namespace labelprobe::model {
namespace {

// A node is attended to in place from this many tokens on, counted once per sequence: below, the
// extra call costs more than reading a copy for each of them.
constexpr std::int64_t kMinSharedTokens = 192;

// The columns of all sequences are as many as the longest has; nodes that would make one sequence
// this many times longer than the mean stay in place instead.
constexpr std::int64_t kMaxTimesMean = 2;

}  // namespace

class DecodeBatch::StepAttention : public Attention {
 public:
  explicit StepAttention(DecodeBatch& batch) : batch_(batch), n_columns_(batch.n_columns_ + 1) {}

  at::Tensor attend(int layer,
                    const at::Tensor& queries,
                    const at::Tensor& keys,
                    const at::Tensor& values) override {
    const at::Tensor own_keys = batch_.keys_[layer].narrow(2, 0, n_columns_);
    const at::Tensor own_values = batch_.values_[layer].narrow(2, 0, n_columns_);
    own_keys.select(2, n_columns_ - 1).copy_(keys);
    own_values.select(2, n_columns_ - 1).copy_(values);
    if (can_attend_segments(queries)) {
      return attend_segments(queries, segments(layer, own_keys, own_values));
    }
    if (!sum_.values.defined()) sum_ = empty_attention_sum(queries);
    const PartialAttention own =
        attend_each(queries, own_keys, own_values, batch_.hidden_columns_.narrow(3, 0, n_columns_));
    accumulate(sum_, 0, own.values, own.logs, Accumulate::Set);
    for (const AncestorRows& rows : batch_.shared_) {
      const PartialAttention part = attend_rows(
          queries.narrow(0, rows.first_row, rows.end_row - rows.first_row),
          batch_.cache_.keys(rows.node, layer), batch_.cache_.values(rows.node, layer), Mask::None);
      accumulate(sum_, rows.first_row, part.values, part.logs, Accumulate::Merge);
    }
    return sum_.values.flatten(1, 3).to(queries.scalar_type());
  }

 private:
  std::vector<KeySegment> segments(int layer,
                                   const at::Tensor& own_keys,
                                   const at::Tensor& own_values) const {
    std::vector<KeySegment> found;
    for (const AncestorRows& rows : batch_.shared_) {
      KeySegment& segment =
          found.emplace_back(make_key_segment(batch_.cache_.keys(rows.node, layer),
                                              batch_.cache_.values(rows.node, layer), Mask::None));
      segment.first_row = rows.first_row;
      segment.end_row = rows.end_row;
    }
    for (std::int64_t row = 0; row < own_keys.size(0); ++row) {
      const std::int64_t first = batch_.first_columns_[row];
      const auto own = [&](const at::Tensor& columns) {
        return columns[row].narrow(1, first, n_columns_ - first).transpose(0, 1);
      };
      KeySegment& segment =
          found.emplace_back(make_key_segment(own(own_keys), own(own_values), Mask::None));
      segment.first_row = row;
      segment.end_row = row + 1;
    }
    return found;
  }

  DecodeBatch& batch_;
  std::int64_t n_columns_;
  AttentionSum sum_;
};

DecodeBatch::DecodeBatch(const Decoder& decoder,
                         const PrefixTree& tree,
                         const PrefixCache& cache,
                         std::span<const int> sequences,
                         int max_steps)
    : decoder_(decoder), cache_(cache) {
  for (const int i : sequences) {
    n_tokens_.push_back(static_cast<std::int64_t>(tree.prompt(tree.sequences()[i]).size()));
  }
  const std::vector<OwnNode> own_nodes = divide_nodes(tree, sequences);
  copy_own(own_nodes, max_steps);
}

// Which nodes of each path are copied; the others become shared_. Keys carry their positions, so
// they may be attended to in any order.
std::vector<DecodeBatch::OwnNode> DecodeBatch::divide_nodes(const PrefixTree& tree,
                                                            std::span<const int> sequences) {
  const auto n_rows = static_cast<int>(sequences.size());
  const auto rows_before = [&](int sequence) {
    return static_cast<int>(std::lower_bound(sequences.begin(), sequences.end(), sequence) -
                            sequences.begin());
  };
  std::vector<OwnNode> small;
  std::vector<bool> is_shared(tree.nodes().size());
  std::int64_t n_small_tokens = 0;
  const auto share = [&](int i) {
    if (is_shared[i]) return;
    is_shared[i] = true;
    const PrefixNode& node = tree.nodes()[i];
    shared_.push_back(
        {i, rows_before(tree.first_whole_sequence(node)), rows_before(node.end_sequence)});
  };
  for (int row = 0; row < n_rows; ++row) {
    const PrefixSequence& sequence = tree.sequences()[sequences[row]];
    for (int i = sequence.last_node; i >= 0; i = tree.nodes()[i].parent) {
      const PrefixNode& node = tree.nodes()[i];
      const int n_tokens = tree.n_tokens_of(node, sequence);
      const int n_sharing =
          rows_before(node.end_sequence) - rows_before(tree.first_whole_sequence(node));
      if (n_tokens == node.n_tokens && n_sharing > 1 &&
          std::int64_t{n_sharing} * n_tokens >= kMinSharedTokens) {
        share(i);
      } else {
        small.push_back({row, i, n_tokens});
        n_small_tokens += n_tokens;
      }
    }
  }
  const std::int64_t limit = kMaxTimesMean * n_small_tokens / n_rows + 1;
  std::vector<std::int64_t> widths(n_rows);
  const auto is_whole = [&](const OwnNode& own) {
    return own.n_tokens == tree.nodes()[own.node].n_tokens;
  };
  for (const OwnNode& own : small) {
    const std::int64_t width = widths[own.row] + own.n_tokens;
    if (width > limit && is_whole(own)) {
      share(own.node);
    } else {
      widths[own.row] = width;
    }
  }
  // A node shared for one sequence's sake is shared by all of its sequences.
  std::erase_if(small, [&](const OwnNode& own) { return is_shared[own.node] && is_whole(own); });
  return small;
}

void DecodeBatch::copy_own(std::span<const OwnNode> own_nodes, int max_steps) {
  const DecoderConfig& config = decoder_.config();
  const auto n_rows = static_cast<std::int64_t>(n_tokens_.size());
  std::vector<std::int64_t> widths(n_rows);
  for (const OwnNode& own : own_nodes) {
    widths[own.row] += own.n_tokens;
  }
  n_columns_ = *std::max_element(widths.begin(), widths.end());
  const auto options = at::TensorOptions().dtype(decoder_.scalar_type()).device(decoder_.device());
  const std::vector<std::int64_t> shape = {config.n_layers, n_rows, config.n_kv_heads,
                                           n_columns_ + max_steps, config.head_dim};
  keys_ = at::empty(shape, options);
  values_ = at::empty(shape, options);
  at::Tensor hidden = at::zeros({n_rows, 1, 1, n_columns_ + max_steps}, at::kFloat);
  for (std::int64_t row = 0; row < n_rows; ++row) {
    const std::int64_t n_empty = n_columns_ - widths[row];
    first_columns_.push_back(n_empty);
    hidden[row].narrow(2, 0, n_empty).fill_(-std::numeric_limits<float>::infinity());
    // Never seen, but multiplied by a weight of zero, which must not meet a NaN.
    keys_.select(1, row).narrow(2, 0, n_empty).zero_();
    values_.select(1, row).narrow(2, 0, n_empty).zero_();
  }
  hidden_columns_ = hidden.to(decoder_.device());
  for (const OwnNode& own : own_nodes) {
    const std::int64_t row = own.row;
    const std::int64_t n = own.n_tokens;
    const std::int64_t column = n_columns_ - widths[row];
    widths[row] -= n;
    keys_.select(1, row)
        .narrow(2, column, n)
        .copy_(cache_.keys(own.node).narrow(1, 0, n).transpose(1, 2));
    values_.select(1, row)
        .narrow(2, column, n)
        .copy_(cache_.values(own.node).narrow(1, 0, n).transpose(1, 2));
  }
}

at::Tensor DecodeBatch::step(std::span<const TokenId> tokens) {
  LABELPROBE_CHECK(tokens.size() == n_tokens_.size() && n_columns_ < keys_.size(3));
  const std::vector<std::int64_t> ids(tokens.begin(), tokens.end());
  StepAttention attention(*this);
  at::Tensor hidden = decoder_.forward(at::tensor(ids).to(decoder_.device()),
                                       at::tensor(n_tokens_).to(decoder_.device()), attention);
  for (std::int64_t& n : n_tokens_) ++n;
  ++n_columns_;
  return hidden;
}

void DecodeBatch::keep(std::span<const std::int64_t> kept) {
  const at::Tensor rows =
      at::tensor(std::vector<std::int64_t>(kept.begin(), kept.end())).to(decoder_.device());
  keys_ = keys_.index_select(1, rows);
  values_ = values_.index_select(1, rows);
  hidden_columns_ = hidden_columns_.index_select(0, rows);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    n_tokens_[i] = n_tokens_[kept[i]];
    first_columns_[i] = first_columns_[kept[i]];
  }
  n_tokens_.resize(kept.size());
  first_columns_.resize(kept.size());
  const auto n_kept_before = [&](int row) {
    return static_cast<int>(std::lower_bound(kept.begin(), kept.end(), row) - kept.begin());
  };
  for (AncestorRows& shared : shared_) {
    shared.first_row = n_kept_before(shared.first_row);
    shared.end_row = n_kept_before(shared.end_row);
  }
  std::erase_if(shared_,
                [](const AncestorRows& shared) { return shared.first_row == shared.end_row; });
}

}  // namespace labelprobe::model
