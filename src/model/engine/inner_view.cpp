#include "model/engine/inner_view.h"

#include <algorithm>

#include <ATen/Functions.h>
#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "model/engine/limits.h"
#include "model/engine/step_reader.h"
#include "model/products/softcap.h"
#include "weights/device/send.h"

namespace labelprobe::model {

namespace {

constexpr int kBehindFinalNorm = -1;

void append(std::vector<float>& numbers, const at::Tensor& row) {
  const at::Tensor on_cpu = row.to(at::kFloat).cpu().contiguous();
  const float* const first = on_cpu.const_data_ptr<float>();
  numbers.insert(numbers.end(), first, first + on_cpu.numel());
}

// [n, tokens], int64: 1 + how many of the logits [n, V] are larger than each token's.
at::Tensor ranks_of(const at::Tensor& logits, const TokenIds& tokens) {
  std::vector<at::Tensor> columns;
  for (const TokenId token : tokens) {
    columns.push_back(logits.gt(logits.narrow(1, token, 1)).sum(1) + 1);
  }
  return columns.empty() ? at::empty({logits.size(0), 0}, at::kLong) : at::stack(columns, 1);
}

}  // namespace

Linear make_label_head(const Decoder& decoder, const TokenIds& watched) {
  const at::Tensor rows = decoder.head_rows(watched) * decoder.norm_weight().to(at::kFloat);
  const double divisor = decoder.config().logits_divisor;
  return Linear(divisor == 1.0 ? rows : rows / divisor);
}

InnerView::InnerView(const Decoder& decoder,
                     const Observe& observe,
                     const Linear& label_head,
                     std::vector<Row> rows)
    : decoder_(decoder),
      observe_(observe),
      label_head_(label_head),
      rows_(std::move(rows)),
      inside_(rows_.size()),
      hidden_(observe.hidden_layers.size()),
      added_(rows_.size()),
      attended_(rows_.size()) {
  for (const int layer : observe.hidden_layers) {
    if (layer < kBehindFinalNorm || layer > decoder.config().n_layers) {
      throw ConfigError(fmt::format("hidden layer is {}; expected 0 to {}, or -1", layer,
                                    decoder.config().n_layers));
    }
  }
  std::vector<std::int64_t> index;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    index.push_back(rows_[r].row);
    const std::size_t n_groups = rows_[r].look->attention_to.size();
    inside_[r].attention.resize(n_groups * static_cast<std::size_t>(decoder.config().n_layers) *
                                static_cast<std::size_t>(decoder.config().n_heads));
  }
  index_ = weights::send(index, decoder.device());
}

void InnerView::attend(int layer,
                       const at::Tensor& queries,
                       const at::Tensor& keys,
                       const at::Tensor& values,
                       at::Tensor& attended) {
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    const Look& look = *rows_[r].look;
    if (look.attention_to.empty() && look.knocked_out.empty()) continue;
    attend_row(r, layer, queries, keys, values, attended);
  }
}

void InnerView::attend_row(std::size_t r,
                           int layer,
                           const at::Tensor& queries,
                           const at::Tensor& keys,
                           const at::Tensor& values,
                           at::Tensor& attended) {
  const Row& row = rows_[r];
  const Look& look = *row.look;
  const RowWeights weights(queries[row.row], keys, row.keys, decoder_.attention_form(layer));
  const auto n_layers = static_cast<std::size_t>(decoder_.config().n_layers);
  for (std::size_t g = 0; g < look.attention_to.size(); ++g) {
    const std::vector<float> sums = weights.sums(look.attention_to[g]);
    const std::size_t first = (g * n_layers + static_cast<std::size_t>(layer)) * sums.size();
    std::copy(sums.begin(), sums.end(),
              inside_[r].attention.begin() + static_cast<std::ptrdiff_t>(first));
    if (shows_parts()) {
      added_[r].push_back(weights.contribution(look.attention_to[g], values));
    }
  }
  at::Tensor of_row = attended[row.row];
  if (!look.knocked_out.empty()) {
    of_row.copy_(of_row.to(at::kFloat) - weights.contribution(look.knocked_out, values));
  }
  if (shows_parts()) attended_[r].push_back(of_row.to(at::kFloat, false, /*copy=*/true));
}

// Logits of the watched tokens, but for the scale of the final norm.
at::Tensor InnerView::label_numbers(const at::Tensor& x) const {
  return label_head_(x).to(at::kFloat);
}

void InnerView::see(int stage, const at::Tensor& all_rows) {
  const at::Tensor x =
      all_rows.index_select(0, index_.to(all_rows.device())).to(index_.device(), at::kFloat);
  const double epsilon = decoder_.config().rms_norm_eps;
  scale_ = x.square().mean(1, /*keepdim=*/true).add_(epsilon).rsqrt_();
  if (stage % 2 == 0) {
    keep_hidden(stage, x);
    if (shows_lens()) {
      const at::Tensor logits = label_numbers(x) * scale_;
      const double cap = decoder_.config().final_softcap;
      lens_.push_back(cap == 0.0 ? logits : softcapped(logits, cap));
    }
    rank_watched(all_rows);
  }
  if (shows_parts()) {
    parts_.push_back(label_numbers(stage == 0 ? x : x - before_));
    before_ = x;
  }
}

void InnerView::keep_hidden(int stage, const at::Tensor& x) {
  const int layer = stage / 2;
  for (std::size_t i = 0; i < hidden_.size(); ++i) {
    if (observe_.hidden_layers[i] == layer) hidden_[i] = x;
    const bool is_last = layer == decoder_.config().n_layers;
    if (observe_.hidden_layers[i] == kBehindFinalNorm && is_last)
      hidden_[i] = decoder_.final_norm(x);
  }
}

// The whole vocabulary of the rows that ask for it, a few rows at a time: logits are large.
void InnerView::rank_watched(const at::Tensor& all_rows) {
  std::vector<std::size_t> asking;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    if (rows_[r].look->shows_vocabulary) asking.push_back(r);
  }
  for (std::size_t first = 0; first < asking.size(); first += kRowsPerHead) {
    const std::size_t n = std::min<std::size_t>(kRowsPerHead, asking.size() - first);
    std::vector<std::int64_t> index;
    for (std::size_t i = 0; i < n; ++i) index.push_back(rows_[asking[first + i]].row);
    const at::Tensor logits =
        decoder_.logits(all_rows.index_select(0, weights::send(index, decoder_.device())));
    const std::vector<StepReading> readings = read_step(logits, {}, 0);
    const at::Tensor ranks = ranks_of(logits, observe_.watched).cpu();
    const std::int64_t* rank = ranks.const_data_ptr<std::int64_t>();
    for (std::size_t i = 0; i < n; ++i) {
      Inside& inside = inside_[asking[first + i]];
      inside.lens_log_sum_exp.push_back(readings[i].step.log_sum_exp);
      inside.lens_ranks.insert(inside.lens_ranks.end(), rank, rank + observe_.watched.size());
      rank += observe_.watched.size();
    }
  }
}

std::vector<Inside> InnerView::take() {
  const auto n_layers = static_cast<std::size_t>(decoder_.config().n_layers);
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    Inside& inside = inside_[r];
    const auto row = static_cast<std::int64_t>(r);
    for (const at::Tensor& states : hidden_) append(inside.hidden, states[row]);
    for (const at::Tensor& logits : lens_) append(inside.lens, logits[row]);
    for (const at::Tensor& added : parts_) append(inside.parts, added[row] * scale_[row]);
    const std::size_t n_groups = rows_[r].look->attention_to.size();
    if (added_[r].empty()) continue;
    for (std::size_t g = 0; g < n_groups; ++g) {
      for (std::size_t layer = 0; layer < n_layers; ++layer) {
        const at::Tensor heads = added_[r][layer * n_groups + g].unsqueeze(0);
        const at::Tensor added = decoder_.project_attention(static_cast<int>(layer), heads,
                                                            attended_[r][layer].unsqueeze(0));
        append(inside.group_parts, label_numbers(added)[0] * scale_[row]);
      }
    }
  }
  return std::move(inside_);
}

}  // namespace labelprobe::model
