#include "model/attention/segment_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <ATen/Functions.h>

#include "labelprobe/core/error.h"

#include "model/attention/attention.h"
#include "model/attention/attention_sum.h"
#include "weights/device/send.h"

namespace labelprobe::model {

namespace {

// What queries are multiplied by for a kernel that scales by 1 / sqrt(D).
double factor_of_queries(const AttentionForm& form, std::int64_t n_dims) {
  return form.scale == 0.0 ? 1.0 : form.scale * std::sqrt(static_cast<double>(n_dims));
}

// Our kernels know neither caps nor sinks, and only powers of two leave queries exact.
bool has_kernel(const AttentionForm& form, std::int64_t n_dims) {
  int exponent = 0;
  return form.softcap == 0.0 && !form.sinks.defined() &&
         std::frexp(factor_of_queries(form, n_dims), &exponent) == 0.5;
}

// By row, the last position that it sees.
std::vector<std::int64_t> positions_of(std::int64_t n_rows, std::span<const KeySegment> segments) {
  std::vector<std::int64_t> positions(static_cast<std::size_t>(n_rows));
  for (const KeySegment& segment : segments) {
    for (std::int64_t row = segment.first_row; row < segment.end_row; ++row) {
      const std::int64_t last =
          segment.mask == Mask::Causal ? row - segment.first_row : segment.n_keys - 1;
      positions[row] = std::max(positions[row], segment.first_position + last);
    }
  }
  return positions;
}

}  // namespace

SegmentAttention::SegmentAttention(std::int64_t n_rows,
                                   std::span<const KeySegment> segments,
                                   c10::Device device)
    : SegmentAttention(device) {
  plan(n_rows, segments);
}

void SegmentAttention::plan(std::int64_t n_rows, std::span<const KeySegment> segments) {
  n_rows_ = n_rows;
  segments_.assign(segments.begin(), segments.end());
  n_positions_ = 0;
  for (const KeySegment& segment : segments_) {
    n_positions_ = std::max(n_positions_, segment.first_position + segment.n_keys + segment.n_more);
  }
  if (device_.is_cpu()) {
    on_cpu_.plan(n_rows, segments_);
  } else {
    for (OnGpu& gpu : on_gpus_) plan_on(gpu);
  }
}

bool SegmentAttention::grows_on_device() const {
  return !on_gpus_.empty() && std::all_of(on_gpus_.begin(), on_gpus_.end(), [](const OnGpu& gpu) {
    return gpu.window == 0 && gpu.with_kernels.is_prepared() && !gpu.without_kernels.is_prepared();
  });
}

SegmentAttention::OnGpu& SegmentAttention::on_gpu(c10::Device device, std::int64_t window) const {
  for (OnGpu& gpu : on_gpus_) {
    if (gpu.device == device && gpu.window == window) return gpu;
  }
  OnGpu& gpu = on_gpus_.emplace_back(OnGpu{device, window, CudaAttention(is_fast_), {}});
  plan_on(gpu);
  return gpu;
}

// A window goes on with its row: what grows is planned anew for it.
void SegmentAttention::plan_on(OnGpu& gpu) const {
  std::vector<KeySegment> segments = segments_;
  if (gpu.window > 0) {
    for (KeySegment& segment : segments) segment.n_more = 0;
  }
  gpu.with_kernels.plan(n_rows_, segments, gpu.window);
  gpu.without_kernels.plan(n_rows_, segments, gpu.window);
}

void SegmentAttention::grow() {
  for (KeySegment& segment : segments_) {
    if (segment.n_more == 0) continue;
    ++segment.n_keys;
    --segment.n_more;
  }
  if (device_.is_cpu()) {
    on_cpu_.plan(n_rows_, segments_);
  } else {
    for (OnGpu& gpu : on_gpus_) {
      if (gpu.window > 0) {
        plan_on(gpu);
        continue;
      }
      gpu.with_kernels.grow();
      gpu.without_kernels.plan(n_rows_, segments_);
    }
  }
}

at::Tensor SegmentAttention::attend(const at::Tensor& queries,
                                    const at::Tensor& keys,
                                    const at::Tensor& values,
                                    const AttentionForm& form) const {
  LABELPROBE_CHECK(queries.device().type() == device_.type());
  if (device_.is_cpu()) return on_cpu_.attend(queries, keys, values, form);
  OnGpu& gpu = on_gpu(queries.device(), form.window < n_positions_ ? form.window : 0);
  if (!CudaAttention::can_attend(queries) || !has_kernel(form, queries.size(3))) {
    return gpu.without_kernels.attend(queries, keys, values, form);
  }
  const double factor = factor_of_queries(form, queries.size(3));
  return gpu.with_kernels.attend(factor == 1.0 ? queries : queries * factor, keys, values);
}

std::string_view attention_code(const at::Tensor& queries, bool is_fast) {
  if (CudaAttention::can_attend(queries)) {
    return is_fast && CudaAttention::uses_flash(queries) ? "flash and own kernels" : "own kernels";
  }
  return queries.is_cpu() ? CpuSegmentPlan::describe_code(queries.scalar_type())
                          : "libtorch's products";
}

at::Tensor attend_plainly(const at::Tensor& queries,
                          const at::Tensor& keys,
                          const at::Tensor& values,
                          std::span<const KeySegment> segments,
                          const AttentionForm& form) {
  AttentionSum sum = empty_attention_sum(queries);
  sum.values.zero_();
  // As good as minus infinity, and two of them can be merged.
  sum.logs.fill_(std::numeric_limits<float>::lowest());
  const at::Tensor positions =
      weights::send(positions_of(queries.size(0), segments), queries.device());
  for (const KeySegment& segment : segments) {
    const std::int64_t n_rows = segment.end_row - segment.first_row;
    at::Tensor passed;
    if (form.window > 0) {
      const at::Tensor key_positions =
          at::arange(segment.n_keys, positions.options()) + (segment.first_position + form.window);
      passed = key_positions.le(positions.narrow(0, segment.first_row, n_rows).unsqueeze(1));
    }
    const PartialAttention part = attend_rows(queries.narrow(0, segment.first_row, n_rows),
                                              keys.narrow(0, segment.first_key, segment.n_keys),
                                              values.narrow(0, segment.first_key, segment.n_keys),
                                              segment.mask, form, passed);
    accumulate(sum, static_cast<int>(segment.first_row), part.values, part.logs, Accumulate::Merge);
  }
  if (form.sinks.defined()) {
    const at::Tensor sinks = form.sinks.view({queries.size(1), queries.size(2)});
    sum.values.mul_((sum.logs - sinks).sigmoid_().unsqueeze(-1));
  }
  return sum.values.flatten(1, 3).to(queries.scalar_type());
}

}  // namespace labelprobe::model
