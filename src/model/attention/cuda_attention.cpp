#include "model/attention/cuda_attention.h"

#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include <ATen/Functions.h>

#include "labelprobe/core/error.h"

#include "model/cuda/attention_tiles.h"
#include "weights/device/cuda_operators.h"

namespace labelprobe::model {

bool CudaAttention::can_attend(const at::Tensor& queries) {
  return weights::cuda_operators() && queries.is_cuda() && queries.size(2) <= cuda::kWideTile &&
         queries.size(3) <= cuda::kMaxHead;
}

bool CudaAttention::uses_flash(const at::Tensor& queries) {
  return queries.scalar_type() != at::kFloat && queries.size(3) % 8 == 0;
}

void CudaAttention::plan(std::int64_t n_rows,
                         std::span<const KeySegment> segments,
                         std::int64_t window) {
  n_rows_ = n_rows;
  window_ = window;
  segments_.assign(segments.begin(), segments.end());
  plan_.reset();
}

void CudaAttention::prepare(const at::Tensor& queries) {
  LABELPROBE_CHECK(queries.size(0) == n_rows_);
  cuda::AttentionShape shape;
  shape.n_rows = n_rows_;
  shape.n_groups = static_cast<int>(queries.size(2));
  shape.is_wide_type = queries.scalar_type() == at::kFloat;
  shape.is_fast = is_fast_ && window_ == 0;
  shape.allows_flash = shape.is_fast && uses_flash(queries);
  shape.window = window_;
  plan_ = cuda::make_attention_plan(shape, segments_);

  std::vector<std::int32_t> numbers;
  const auto put = [&](const void* first, std::size_t n) {
    const std::size_t at = numbers.size();
    numbers.resize(at + n);
    if (n > 0) std::memcpy(numbers.data() + at, first, n * sizeof(std::int32_t));
    return std::pair(static_cast<std::int64_t>(at), static_cast<std::int64_t>(n));
  };
  const auto put_all = [&](const std::vector<std::int32_t>& all) {
    return put(all.data(), all.size());
  };
  constexpr std::size_t kItemNumbers = sizeof(cuda::AttentionItem) / sizeof(std::int32_t);
  const auto items = put(plan_->items.data(), plan_->items.size() * kItemNumbers);
  const auto first_parts = put_all(plan_->first_parts);
  const auto part_ids = put_all(plan_->part_ids);
  const auto runs = put_all(plan_->runs);
  const auto n_seen = put_all(plan_->n_seen);
  const auto n_steps = put_all({0});
  std::vector<std::array<std::pair<std::int64_t, std::int64_t>, 3>> levels;
  for (const cuda::FlashLevel& level : plan_->levels) {
    levels.push_back({put_all(level.first_rows), put_all(level.first_keys), put_all(level.n_keys)});
  }
  const auto n_numbers = static_cast<std::int64_t>(numbers.size());
  const at::Tensor on_host =
      at::empty({n_numbers}, at::TensorOptions().dtype(at::kInt).pinned_memory(queries.is_cuda()));
  std::memcpy(on_host.mutable_data_ptr(), numbers.data(), numbers.size() * sizeof(std::int32_t));
  // Not waited for: libtorch keeps pinned memory until the copy is done.
  tables_ = on_host.to(queries.device(), /*non_blocking=*/true);
  const auto view = [&](const std::pair<std::int64_t, std::int64_t>& range) {
    return tables_.narrow(0, range.first, range.second);
  };
  items_ = view(items).view(
      {static_cast<std::int64_t>(plan_->items.size()), static_cast<std::int64_t>(kItemNumbers)});
  first_parts_ = view(first_parts);
  part_ids_ = view(part_ids);
  runs_ = view(runs);
  n_seen_ = view(n_seen);
  n_steps_ = view(n_steps);
  levels_.clear();
  for (const auto& [first_rows, first_keys, n_keys] : levels) {
    levels_.push_back({view(first_rows), view(first_keys), view(n_keys)});
  }
  const auto options = queries.options().dtype(at::kFloat);
  parts_ = at::empty({plan_->n_parts, queries.size(1), queries.size(2), queries.size(3)}, options);
  logs_ = at::empty({plan_->n_parts, queries.size(1), queries.size(2)}, options);
}

void CudaAttention::grow() {
  if (plan_) n_steps_.add_(1);
}

at::Tensor CudaAttention::attend(const at::Tensor& queries,
                                 const at::Tensor& keys,
                                 const at::Tensor& values) {
  if (!plan_) prepare(queries);
  const weights::CudaOperators& operators = *weights::cuda_operators();
  if (!plan_->items.empty()) {
    operators.attend_items.call(queries, keys, values, items_, plan_->n_wide, n_steps_, runs_,
                                n_seen_, parts_, logs_);
  }
  std::vector<at::Tensor> level_values;
  std::vector<at::Tensor> level_logs;
  const at::Tensor heads = plan_->levels.empty() ? at::Tensor() : queries.flatten(1, 2);
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    const cuda::FlashLevel& level = plan_->levels[i];
    const auto result = at::_flash_attention_forward(
        heads, keys, values, levels_[i].first_rows, levels_[i].first_keys, level.n_most_rows,
        level.n_most_keys, /*dropout_p=*/0.0, level.mask == Mask::Causal,
        /*return_debug_mask=*/false, 1.0 / std::sqrt(static_cast<double>(queries.size(3))),
        std::nullopt, std::nullopt, levels_[i].n_keys, std::nullopt);
    level_values.push_back(std::get<0>(result).contiguous());
    level_logs.push_back(std::get<1>(result).contiguous());
  }
  return operators.merge_parts.call(queries, parts_, logs_, level_values, level_logs, first_parts_,
                                    part_ids_);
}

}  // namespace labelprobe::model
