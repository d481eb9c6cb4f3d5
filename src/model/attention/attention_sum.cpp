#include "model/attention/attention_sum.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include "model/products/vector_code.h"

namespace labelprobe::model {
namespace {

// Joins two softmax-weighted means by the shares of their denominators.
void merge(float* mean, float& log, const float* part, float part_log, std::int64_t n) {
  const float largest = std::max(log, part_log);
  const float old_share = std::exp(log - largest);
  const float new_share = std::exp(part_log - largest);
  const float total = old_share + new_share;
  log = largest + std::log(total);
  const float old_weight = old_share / total;
  const float new_weight = new_share / total;
  for (std::int64_t i = 0; i < n; ++i) mean[i] = mean[i] * old_weight + part[i] * new_weight;
}

}  // namespace

AttentionSum empty_attention_sum(const at::Tensor& queries) {
  const auto options = queries.options().dtype(at::kFloat);
  return {at::empty(queries.sizes(), options), at::empty(queries.sizes().slice(0, 3), options)};
}

void accumulate(AttentionSum& sum,
                int first_row,
                const at::Tensor& values,
                const at::Tensor& logs,
                Accumulate how) {
  const std::int64_t n_rows = values.size(0);
  const at::Tensor sum_values = sum.values.narrow(0, first_row, n_rows);
  const at::Tensor sum_logs = sum.logs.narrow(0, first_row, n_rows);
  if (how == Accumulate::Set) {
    sum_values.copy_(values);
    sum_logs.copy_(logs);
    return;
  }
  if (!is_plain(values, at::kFloat)) {
    const at::Tensor total = at::logaddexp(sum_logs, logs);
    sum_values.mul_((sum_logs - total).exp_().unsqueeze(-1))
        .add_(values * (logs - total).exp_().unsqueeze(-1));
    sum_logs.copy_(total);
    return;
  }
  const std::int64_t n_groups = values.size(2);
  const std::int64_t n_heads = values.size(1) * n_groups;
  const std::int64_t n_columns = values.size(3);
  float* to_values = sum_values.mutable_data_ptr<float>();
  float* to_logs = sum_logs.mutable_data_ptr<float>();
  const float* part_values = values.const_data_ptr<float>();
  const float* part_logs = logs.const_data_ptr<float>();
  at::parallel_for(0, n_rows, kRowGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin * n_heads; i < end * n_heads; ++i) {
      const std::int64_t row = i / n_heads;
      const std::int64_t key_head = i % n_heads / n_groups;
      const std::int64_t group = i % n_groups;
      const float part_log =
          part_logs[row * logs.stride(0) + key_head * logs.stride(1) + group * logs.stride(2)];
      merge(to_values + i * n_columns, to_logs[i],
            part_values + row * values.stride(0) + key_head * values.stride(1) +
                group * values.stride(2),
            part_log, n_columns);
    }
  });
}

}  // namespace labelprobe::model
