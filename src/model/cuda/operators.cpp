// The operators of the loadable module: kernels, under names that the dispatcher of libtorch finds
// once the module is loaded. cuda_operators.h has the callers' side, and says what each does.
//   T  rows   K  key heads   G  query heads per key head   D  head size   P  parts
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <c10/util/Exception.h>
#include <torch/library.h>

#include "model/cuda/launchers.h"

namespace labelprobe::model::cuda {
namespace {

Type type_of(const at::Tensor& x) {
  switch (x.scalar_type()) {
    case at::kFloat:
      return Type::Float32;
    case at::kBFloat16:
      return Type::BFloat16;
    case at::kHalf:
      return Type::Float16;
    default:
      TORCH_CHECK(false, "expected float32, bfloat16 or float16, found ", x.scalar_type());
  }
}

void* stream_of(const at::Tensor& x) {
  return c10::cuda::getCurrentCUDAStream(x.device().index()).stream();
}

void check(int error) {
  C10_CUDA_CHECK(static_cast<cudaError_t>(error));
}

int to_int(std::int64_t n) {
  TORCH_CHECK(n >= 0 && n <= std::numeric_limits<int>::max(), "size ", n, " is too large");
  return static_cast<int>(n);
}

// Heads beside each other, whatever lies between rows.
void check_heads(const at::Tensor& x) {
  bool is_dense = true;
  std::int64_t expected = 1;
  for (std::int64_t i = x.dim() - 1; i > 0; --i) {
    is_dense &= x.size(i) == 1 || x.stride(i) == expected;
    expected *= x.size(i);
  }
  TORCH_CHECK(x.is_cuda() && is_dense, "expected heads beside each other on a GPU, found strides ",
              x.strides());
}

template <typename T>
const T* optional_data(const std::optional<at::Tensor>& x) {
  return x ? x->const_data_ptr<T>() : nullptr;
}

void attend_items(const at::Tensor& queries,
                  const at::Tensor& keys,
                  const at::Tensor& values,
                  const at::Tensor& items,
                  std::int64_t n_wide,
                  const std::optional<at::Tensor>& n_steps,
                  const std::optional<at::Tensor>& runs,
                  const std::optional<at::Tensor>& n_seen,
                  at::Tensor parts,
                  at::Tensor logs) {
  const c10::cuda::CUDAGuard on_device(queries.device());
  check_heads(queries);
  check_heads(keys);
  check_heads(values);
  TORCH_CHECK(keys.scalar_type() == queries.scalar_type() &&
              values.scalar_type() == queries.scalar_type());
  static_assert(sizeof(AttentionItem) == 8 * sizeof(std::int32_t));
  TORCH_CHECK(items.scalar_type() == at::kInt && items.is_contiguous() && items.size(-1) == 8);
  TORCH_CHECK(parts.is_contiguous() && logs.is_contiguous());
  AttendLaunch launch;
  launch.type = type_of(queries);
  launch.queries = queries.const_data_ptr();
  launch.keys = keys.const_data_ptr();
  launch.values = values.const_data_ptr();
  launch.items = reinterpret_cast<const AttentionItem*>(items.const_data_ptr<std::int32_t>());
  launch.n_steps = optional_data<std::int32_t>(n_steps);
  launch.runs = optional_data<std::int32_t>(runs);
  launch.n_seen = optional_data<std::int32_t>(n_seen);
  launch.parts = parts.mutable_data_ptr<float>();
  launch.logs = logs.mutable_data_ptr<float>();
  launch.query_stride = queries.stride(0);
  launch.key_stride = keys.stride(0);
  launch.value_stride = values.stride(0);
  launch.n_wide = to_int(n_wide);
  launch.n_items = to_int(items.size(0));
  launch.n_key_heads = to_int(queries.size(1));
  launch.n_groups = to_int(queries.size(2));
  launch.head_size = to_int(queries.size(3));
  launch.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(queries.size(3))));
  check(launch_attend(launch, stream_of(queries)));
}

at::Tensor merge_parts(const at::Tensor& queries,
                       const at::Tensor& parts,
                       const at::Tensor& logs,
                       at::TensorList level_values,
                       at::TensorList level_logs,
                       const at::Tensor& first_parts,
                       const at::Tensor& part_ids) {
  const c10::cuda::CUDAGuard on_device(queries.device());
  const std::int64_t n_heads = queries.size(1) * queries.size(2);
  at::Tensor result = at::empty({queries.size(0), n_heads * queries.size(3)}, queries.options());
  TORCH_CHECK(level_values.size() == level_logs.size() && level_values.size() <= kMaxMergedLevels);
  std::array<const void*, kMaxMergedLevels> values_of = {};
  std::array<const float*, kMaxMergedLevels> logs_of = {};
  for (std::size_t i = 0; i < level_values.size(); ++i) {
    TORCH_CHECK(level_values[i].is_contiguous() && level_logs[i].is_contiguous() &&
                level_values[i].scalar_type() == queries.scalar_type() &&
                level_values[i].numel() == result.numel() &&
                level_logs[i].numel() == queries.size(0) * n_heads);
    values_of[i] = level_values[i].const_data_ptr();
    logs_of[i] = level_logs[i].const_data_ptr<float>();
  }
  MergeLaunch launch;
  launch.type = type_of(queries);
  launch.parts = parts.const_data_ptr<float>();
  launch.logs = logs.const_data_ptr<float>();
  launch.level_values = values_of.data();
  launch.level_logs = logs_of.data();
  launch.n_levels = to_int(static_cast<std::int64_t>(level_values.size()));
  launch.first_parts = first_parts.const_data_ptr<std::int32_t>();
  launch.part_ids = part_ids.const_data_ptr<std::int32_t>();
  launch.result = result.mutable_data_ptr();
  launch.n_rows = to_int(queries.size(0));
  launch.n_heads = to_int(n_heads);
  launch.head_size = to_int(queries.size(3));
  check(launch_merge(launch, stream_of(queries)));
  return result;
}

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon) {
  const c10::cuda::CUDAGuard on_device(x.device());
  TORCH_CHECK(x.dim() == 2 && x.stride(1) == 1 && weight.is_contiguous() &&
              weight.numel() == x.size(1));
  at::Tensor result = at::empty(x.sizes(), x.options());
  check(launch_rms_norm(type_of(x), x.const_data_ptr(), x.stride(0), weight.const_data_ptr<float>(),
                        static_cast<float>(epsilon), to_int(x.size(0)), to_int(x.size(1)),
                        result.mutable_data_ptr(), stream_of(x)));
  return result;
}

void rotate_heads(at::Tensor heads,
                  const at::Tensor& cosines,
                  const at::Tensor& sines,
                  std::int64_t n_queries,
                  std::int64_t n_keys,
                  const std::optional<at::Tensor>& keys,
                  const std::optional<at::Tensor>& values,
                  const std::optional<at::Tensor>& rows) {
  const c10::cuda::CUDAGuard on_device(heads.device());
  check_heads(heads);
  TORCH_CHECK(cosines.is_contiguous() && sines.is_contiguous() &&
              cosines.numel() == heads.size(0) * heads.size(2) / 2);
  TORCH_CHECK(heads.size(1) >= n_queries + (keys ? 2 : 1) * n_keys);
  RotateLaunch launch;
  launch.type = type_of(heads);
  launch.heads = heads.mutable_data_ptr();
  launch.cosines = cosines.const_data_ptr<float>();
  launch.sines = sines.const_data_ptr<float>();
  launch.stride = heads.stride(0);
  launch.n_rows = to_int(heads.size(0));
  launch.n_queries = to_int(n_queries);
  launch.n_keys = to_int(n_keys);
  launch.head_size = to_int(heads.size(2));
  if (keys) {
    TORCH_CHECK(values && rows && rows->is_contiguous() && rows->numel() == heads.size(0));
    TORCH_CHECK(keys->scalar_type() == heads.scalar_type() &&
                values->scalar_type() == heads.scalar_type());
    check_heads(*keys);
    check_heads(*values);
    launch.keys = keys->mutable_data_ptr();
    launch.values = values->mutable_data_ptr();
    launch.arena_rows = rows->const_data_ptr<std::int64_t>();
    launch.key_stride = keys->stride(0);
    launch.value_stride = values->stride(0);
    launch.n_values = launch.n_keys;
  }
  check(launch_rotate(launch, stream_of(heads)));
}

at::Tensor gated_silu(const at::Tensor& gate_up) {
  const c10::cuda::CUDAGuard on_device(gate_up.device());
  TORCH_CHECK(gate_up.dim() == 2 && gate_up.stride(1) == 1);
  const std::int64_t width = gate_up.size(1) / 2;
  at::Tensor result = at::empty({gate_up.size(0), width}, gate_up.options());
  check(launch_gate(type_of(gate_up), gate_up.const_data_ptr(), gate_up.stride(0),
                    to_int(gate_up.size(0)), to_int(width), result.mutable_data_ptr(),
                    stream_of(gate_up)));
  return result;
}

void dequantize_4bit(const at::Tensor& codes,
                     at::ArrayRef<double> levels,
                     const std::optional<at::Tensor>& absmax,
                     const std::optional<at::Tensor>& absmax_codes,
                     const std::optional<at::Tensor>& absmax_levels,
                     const std::optional<at::Tensor>& outer_absmax,
                     double offset,
                     at::Tensor result) {
  const c10::cuda::CUDAGuard on_device(codes.device());
  TORCH_CHECK(result.is_contiguous() && codes.is_contiguous() && levels.size() == 16);
  const std::int64_t n_blocks = (result.numel() + 63) / 64;
  TORCH_CHECK(codes.numel() == (result.numel() + 1) / 2);
  TORCH_CHECK(absmax ? absmax->numel() == n_blocks
                     : absmax_codes && absmax_levels && outer_absmax &&
                           absmax_codes->numel() == n_blocks && absmax_levels->numel() == 256 &&
                           outer_absmax->numel() == (n_blocks + 255) / 256);
  Dequantize4BitLaunch launch;
  launch.type = type_of(result);
  launch.codes = codes.const_data_ptr<std::uint8_t>();
  std::transform(levels.begin(), levels.end(), launch.levels,
                 [](double level) { return static_cast<float>(level); });
  launch.absmax = optional_data<float>(absmax);
  launch.absmax_codes = optional_data<std::uint8_t>(absmax_codes);
  launch.absmax_levels = optional_data<float>(absmax_levels);
  launch.outer_absmax = optional_data<float>(outer_absmax);
  launch.offset = static_cast<float>(offset);
  launch.n = result.numel();
  launch.result = result.mutable_data_ptr();
  check(launch_dequantize_4bit(launch, stream_of(codes)));
}

void dequantize_rows(const at::Tensor& codes, const at::Tensor& absmax, at::Tensor result) {
  const c10::cuda::CUDAGuard on_device(codes.device());
  TORCH_CHECK(codes.is_contiguous() && result.is_contiguous() && codes.numel() == result.numel() &&
              absmax.numel() == result.size(0));
  check(launch_dequantize_rows(
      type_of(result), codes.const_data_ptr<std::int8_t>(), absmax.const_data_ptr<float>(),
      to_int(result.size(0)), to_int(result.size(1)), result.mutable_data_ptr(), stream_of(codes)));
}

at::Tensor read_step(const at::Tensor& logits, const at::Tensor& watched, std::int64_t n_top) {
  const c10::cuda::CUDAGuard on_device(logits.device());
  TORCH_CHECK(logits.dim() == 2 && logits.stride(1) == 1 && watched.is_contiguous());
  TORCH_CHECK(n_top >= 1 && n_top <= logits.size(1));
  at::Tensor readings = at::empty({logits.size(0), 3 + 2 * n_top + watched.size(0)},
                                  logits.options().dtype(at::kDouble));
  check(launch_read(logits.const_data_ptr<float>(), logits.stride(0), to_int(logits.size(0)),
                    to_int(logits.size(1)), to_int(n_top), watched.const_data_ptr<std::int64_t>(),
                    to_int(watched.size(0)), readings.mutable_data_ptr<double>(),
                    stream_of(logits)));
  return readings;
}

}  // namespace

TORCH_LIBRARY(labelprobe, library) {
  library.def(
      "attend_items(Tensor queries, Tensor keys, Tensor values, Tensor items, int n_wide, "
      "Tensor? n_steps, Tensor? runs, Tensor? n_seen, Tensor(a!) parts, Tensor(b!) logs) -> ()");
  library.def(
      "merge_parts(Tensor queries, Tensor parts, Tensor logs, Tensor[] level_values, "
      "Tensor[] level_logs, Tensor first_parts, Tensor part_ids) -> Tensor");
  library.def("rms_norm(Tensor x, Tensor weight, float epsilon) -> Tensor");
  library.def(
      "rotate_heads(Tensor(a!) heads, Tensor cosines, Tensor sines, int n_queries, int n_keys, "
      "Tensor(b!)? keys, Tensor(c!)? values, Tensor? rows) -> ()");
  library.def("gated_silu(Tensor gate_up) -> Tensor");
  library.def(
      "dequantize_4bit(Tensor codes, float[] levels, Tensor? absmax, Tensor? absmax_codes, "
      "Tensor? absmax_levels, Tensor? outer_absmax, float offset, Tensor(a!) result) -> ()");
  library.def("dequantize_rows(Tensor codes, Tensor absmax, Tensor(a!) result) -> ()");
  library.def("read_step(Tensor logits, Tensor watched, int n_top) -> Tensor");
}

TORCH_LIBRARY_IMPL(labelprobe, CUDA, library) {
  library.impl("attend_items", attend_items);
  library.impl("merge_parts", merge_parts);
  library.impl("rms_norm", rms_norm);
  library.impl("rotate_heads", rotate_heads);
  library.impl("gated_silu", gated_silu);
  library.impl("dequantize_4bit", dequantize_4bit);
  library.impl("dequantize_rows", dequantize_rows);
  library.impl("read_step", read_step);
}

}  // namespace labelprobe::model::cuda
