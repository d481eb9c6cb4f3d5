#include "model/attention/row_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include "labelprobe/core/error.h"

#include "model/products/dot_products.h"

namespace labelprobe::model {

namespace {

// Keys or values of a run as float32, [n, K, D]; a view where they are that already.
at::Tensor rows_of(const at::Tensor& all, const KeySpan& run) {
  return all.narrow(0, run.first_key, run.n_keys).to(at::kFloat);
}

// The scores of one key head: scores [G, n_positions] of queries [G, D].
void score_head(const at::Tensor& queries,
                std::span<const KeySpan> runs,
                std::span<const at::Tensor> keys,
                std::int64_t head,
                float* scores,
                std::int64_t n_positions) {
  const std::int64_t n_dim = queries.size(1);
  const Rows<float> x{queries.const_data_ptr<float>(), queries.size(0), n_dim};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const float* first = keys[i].const_data_ptr<float>() + head * n_dim;
    const Rows<float> weight{first, runs[i].n_keys, keys[i].stride(0)};
    multiply_rows(x, weight, n_dim, nullptr, scores + runs[i].first_position, n_positions);
  }
}

// In place, in the order of the positions; a sink's share of the sum is `sink` where there is one.
void softmax(float* scores, std::int64_t n, float scale, const float* sink) {
  float top = *std::max_element(scores, scores + n);
  if (sink != nullptr) top = std::max(top, *sink / scale);
  float sum = sink != nullptr ? std::exp(*sink - top * scale) : 0.0F;
  for (std::int64_t i = 0; i < n; ++i) {
    scores[i] = std::exp((scores[i] - top) * scale);
    sum += scores[i];
  }
  for (std::int64_t i = 0; i < n; ++i) scores[i] /= sum;
}

// A head's scores [n] become weights.
void weigh(
    float* scores, std::int64_t n, float scale, const AttentionForm& form, const float* sink) {
  if (form.softcap != 0.0) {
    const auto softcap = static_cast<float>(form.softcap);
    for (std::int64_t i = 0; i < n; ++i) {
      scores[i] = softcap * std::tanh(scores[i] * scale / softcap);
    }
    scale = 1.0F;
  }
  const std::int64_t n_passed =
      form.window > 0 ? std::max<std::int64_t>(0, n - form.window) : std::int64_t{0};
  std::fill(scores, scores + n_passed, 0.0F);
  softmax(scores + n_passed, n - n_passed, scale, sink);
}

at::Tensor weights_on_cpu(const at::Tensor& queries,
                          const at::Tensor& keys,
                          std::span<const KeySpan> runs,
                          std::int64_t n_positions,
                          const AttentionForm& form) {
  const at::Tensor x = queries.to(at::kFloat).contiguous();
  std::vector<at::Tensor> of_runs;
  for (const KeySpan& run : runs) of_runs.push_back(rows_of(keys, run));
  at::Tensor weights = at::empty({x.size(0), x.size(1), n_positions}, at::kFloat);
  auto* const out = weights.mutable_data_ptr<float>();
  const std::int64_t n_group = x.size(1);
  const auto scale = static_cast<float>(form.scale_of(x.size(2)));
  const float* sinks = form.sinks.defined() ? form.sinks.const_data_ptr<float>() : nullptr;
  at::parallel_for(0, x.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t head = begin; head < end; ++head) {
      float* const scores = out + head * n_group * n_positions;
      score_head(x[head], runs, of_runs, head, scores, n_positions);
      for (std::int64_t g = 0; g < n_group; ++g) {
        weigh(scores + g * n_positions, n_positions, scale, form,
              sinks == nullptr ? nullptr : sinks + head * n_group + g);
      }
    }
  });
  return weights;
}

at::Tensor weights_on_device(const at::Tensor& queries,
                             const at::Tensor& keys,
                             std::span<const KeySpan> runs,
                             const AttentionForm& form) {
  const at::Tensor x = queries.to(at::kFloat);
  std::vector<at::Tensor> scores;
  for (const KeySpan& run : runs) {
    scores.push_back(at::matmul(x, rows_of(keys, run).permute({1, 2, 0})));
  }
  at::Tensor all = at::cat(scores, 2) * form.scale_of(x.size(2));
  const std::int64_t n_positions = all.size(2);
  if (form.softcap != 0.0) all = (all / form.softcap).tanh_() * form.softcap;
  if (form.window > 0 && form.window < n_positions) {
    all.narrow(2, 0, n_positions - form.window).fill_(-std::numeric_limits<float>::infinity());
  }
  if (form.sinks.defined()) all = at::cat({all, form.sinks.view({x.size(0), x.size(1), 1})}, 2);
  return at::softmax(all, 2).narrow(2, 0, n_positions);
}

// The part of `range` that a run holds, by its positions.
PositionRange common(const KeySpan& run, const PositionRange& range) {
  return {std::max(run.first_position, range.begin),
          std::min(run.first_position + run.n_keys, range.end)};
}

// sum [G, D] += weights [G, :] times values, one position after the other.
void add_values(const float* weights,
                std::int64_t n_positions,
                std::int64_t n_group,
                const float* values,
                std::int64_t stride,
                std::int64_t n_dim,
                const PositionRange& range,
                float* sum) {
  for (std::int64_t position = range.begin; position < range.end; ++position) {
    const float* const value = values + (position - range.begin) * stride;
    for (std::int64_t g = 0; g < n_group; ++g) {
      const float weight = weights[g * n_positions + position];
      float* const out = sum + g * n_dim;
      for (std::int64_t d = 0; d < n_dim; ++d) out[d] += weight * value[d];
    }
  }
}

}  // namespace

RowWeights::RowWeights(const at::Tensor& queries,
                       const at::Tensor& keys,
                       std::vector<KeySpan> runs,
                       const AttentionForm& form)
    : runs_(std::move(runs)) {
  std::sort(runs_.begin(), runs_.end(),
            [](const KeySpan& a, const KeySpan& b) { return a.first_position < b.first_position; });
  std::int64_t n_positions = 0;
  for (const KeySpan& run : runs_) {
    LABELPROBE_CHECK(run.first_position == n_positions);
    n_positions += run.n_keys;
  }
  weights_ = keys.is_cpu() ? weights_on_cpu(queries, keys, runs_, n_positions, form)
                           : weights_on_device(queries, keys, runs_, form);
}

std::vector<float> RowWeights::sums(const Positions& positions) const {
  std::vector<float> sums(static_cast<std::size_t>(weights_.size(0) * weights_.size(1)));
  const at::Tensor weights = weights_.cpu().contiguous();
  const std::int64_t n_positions = weights.size(2);
  const float* of_head = weights.const_data_ptr<float>();
  for (float& sum : sums) {
    for (const PositionRange& range : positions) {
      for (std::int64_t i = range.begin; i < std::min(range.end, n_positions); ++i)
        sum += of_head[i];
    }
    of_head += n_positions;
  }
  return sums;
}

at::Tensor RowWeights::contribution(const Positions& positions, const at::Tensor& values) const {
  const std::int64_t n_heads = weights_.size(0);
  const std::int64_t n_group = weights_.size(1);
  const std::int64_t n_dim = values.size(2);
  at::Tensor sum = at::zeros({n_heads, n_group, n_dim}, weights_.options());
  for (const KeySpan& run : runs_) {
    for (const PositionRange& range : positions) {
      const PositionRange part = common(run, range);
      if (part.begin >= part.end) continue;
      const KeySpan of_part{run.first_key + part.begin - run.first_position, part.end - part.begin,
                            part.begin};
      const at::Tensor rows = rows_of(values, of_part);
      if (!rows.is_cpu()) {
        sum += at::matmul(weights_.narrow(2, part.begin, part.end - part.begin),
                          rows.permute({1, 0, 2}));
        continue;
      }
      at::parallel_for(0, n_heads, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t head = begin; head < end; ++head) {
          add_values(weights_[head].const_data_ptr<float>(), weights_.size(2), n_group,
                     rows.const_data_ptr<float>() + head * n_dim, rows.stride(0), n_dim, part,
                     sum[head].mutable_data_ptr<float>());
        }
      });
    }
  }
  return sum.reshape({n_heads * n_group * n_dim});
}

}  // namespace labelprobe::model
