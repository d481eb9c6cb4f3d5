#include "model/attention/attention.h"

#include <algorithm>
#include <limits>
#include <vector>

#include <ATen/Functions.h>

namespace labelprobe::model {
namespace {

// Scores held at once; blocks of queries shrink to keep to it.
constexpr std::int64_t kMaxScores = std::int64_t{1} << 28;

constexpr float kNothing = -std::numeric_limits<float>::infinity();

// Softmax over the last dimension of scores (consumed), times values.
PartialAttention weigh(at::Tensor scores, const at::Tensor& values) {
  const at::Tensor logs = scores.logsumexp(-1);
  // A row without keys has no weights.
  scores.sub_(logs.masked_fill(logs.eq(kNothing), 0).unsqueeze(-1)).exp_();
  return {at::matmul(scores, values), logs};
}

}  // namespace

PartialAttention attend_rows(const at::Tensor& queries,
                             const at::Tensor& keys,
                             const at::Tensor& values,
                             Mask mask,
                             const AttentionForm& form,
                             const at::Tensor& passed) {
  const std::int64_t n_queries = queries.size(0);
  const std::int64_t n_keys = keys.size(0);
  const std::int64_t n_heads = queries.size(1) * queries.size(2);
  const double scale = form.scale_of(queries.size(3));
  const at::Tensor all_queries = queries.permute({1, 2, 0, 3}).to(at::kFloat);
  const at::Tensor all_keys = keys.permute({1, 2, 0}).unsqueeze(1).to(at::kFloat);
  const at::Tensor all_values = values.permute({1, 0, 2}).unsqueeze(1).to(at::kFloat);
  const std::int64_t block =
      std::clamp<std::int64_t>(kMaxScores / (n_heads * n_keys), 1, n_queries);
  std::vector<at::Tensor> outputs;
  std::vector<at::Tensor> logs;
  for (std::int64_t first = 0; first < n_queries; first += block) {
    const std::int64_t n = std::min(block, n_queries - first);
    at::Tensor scores = at::matmul(all_queries.narrow(2, first, n), all_keys).mul_(scale);
    if (form.softcap != 0) scores.div_(form.softcap).tanh_().mul_(form.softcap);
    if (passed.defined()) scores.masked_fill_(passed.narrow(0, first, n), kNothing);
    if (mask == Mask::Causal) {
      const at::Tensor future = at::ones({n, n_keys}, scores.options().dtype(at::kBool));
      scores.masked_fill_(future.triu_(first + 1), kNothing);
    }
    PartialAttention part = weigh(scores, all_values);
    outputs.push_back(part.values);
    logs.push_back(part.logs);
  }
  return {at::cat(outputs, 2).permute({2, 0, 1, 3}), at::cat(logs, 2).permute({2, 0, 1})};
}

}  // namespace labelprobe::model
