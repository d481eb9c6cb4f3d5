#include "model/attention/segment_attention.h"

#include <algorithm>
#include <limits>

#include "labelprobe/core/error.h"

#include "model/attention/attention.h"
#include "model/attention/attention_sum.h"

namespace labelprobe::model {

SegmentAttention::SegmentAttention(std::int64_t n_rows,
                                   std::span<const KeySegment> segments,
                                   c10::Device device)
    : SegmentAttention(device) {
  plan(n_rows, segments);
}

void SegmentAttention::plan(std::int64_t n_rows, std::span<const KeySegment> segments) {
  n_rows_ = n_rows;
  segments_.assign(segments.begin(), segments.end());
  if (device_.is_cpu()) {
    on_cpu_.plan(n_rows, segments_);
  } else {
    for (OnGpu& gpu : on_gpus_) {
      gpu.with_kernels.plan(n_rows, segments_);
      gpu.without_kernels.plan(n_rows, segments_);
    }
  }
}

bool SegmentAttention::grows_on_device() const {
  return !on_gpus_.empty() && std::all_of(on_gpus_.begin(), on_gpus_.end(), [](const OnGpu& gpu) {
    return gpu.with_kernels.is_prepared();
  });
}

SegmentAttention::OnGpu& SegmentAttention::on_gpu(c10::Device device) const {
  for (OnGpu& gpu : on_gpus_) {
    if (gpu.device == device) return gpu;
  }
  OnGpu& gpu = on_gpus_.emplace_back(OnGpu{device, CudaAttention(is_fast_), {}});
  gpu.with_kernels.plan(n_rows_, segments_);
  gpu.without_kernels.plan(n_rows_, segments_);
  return gpu;
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
      gpu.with_kernels.grow();
      gpu.without_kernels.plan(n_rows_, segments_);
    }
  }
}

at::Tensor SegmentAttention::attend(const at::Tensor& queries,
                                    const at::Tensor& keys,
                                    const at::Tensor& values) const {
  LABELPROBE_CHECK(queries.device().type() == device_.type());
  if (device_.is_cpu()) return on_cpu_.attend(queries, keys, values);
  OnGpu& gpu = on_gpu(queries.device());
  return CudaAttention::can_attend(queries) ? gpu.with_kernels.attend(queries, keys, values)
                                            : gpu.without_kernels.attend(queries, keys, values);
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
                          std::span<const KeySegment> segments) {
  AttentionSum sum = empty_attention_sum(queries);
  sum.values.zero_();
  sum.logs.fill_(-std::numeric_limits<float>::infinity());
  for (const KeySegment& segment : segments) {
    const PartialAttention part =
        attend_rows(queries.narrow(0, segment.first_row, segment.end_row - segment.first_row),
                    keys.narrow(0, segment.first_key, segment.n_keys),
                    values.narrow(0, segment.first_key, segment.n_keys), segment.mask);
    accumulate(sum, static_cast<int>(segment.first_row), part.values, part.logs, Accumulate::Merge);
  }
  return sum.values.flatten(1, 3).to(queries.scalar_type());
}

}  // namespace labelprobe::model
