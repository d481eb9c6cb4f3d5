#include "model/cost/this_cpu.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <unistd.h>

#include "model/attention/segment_attention.h"
#include "model/decoder/decoder.h"
#include "model/products/gated_silu.h"
#include "model/products/linear.h"
#include "weights/device/device.h"
#include "weights/device/dtype.h"
#include "weights/device/threads.h"
#include "weights/quantized/quantized_weight.h"

namespace labelprobe::model::cost {
namespace {

// A pack of prompts, and prompts of the length that most tasks have.
constexpr std::int64_t kPackRows = 512;
constexpr std::int64_t kPromptTokens = 512;
// Larger than the caches of most processors.
constexpr std::int64_t kCopiedNumbers = std::int64_t{32} << 20;
// Part of a large model's MLP does: larger matrices are multiplied no faster.
constexpr std::int64_t kMostInner = 4096;
constexpr double kSecondsEach = 0.3;

// The median of several times: what else the machine does slows a run, too.
template <typename Code>
double seconds_of(const Code& code) {
  using Clock = std::chrono::steady_clock;
  code();  // threads start, memory is found
  std::vector<double> times;
  for (double all = 0; times.size() < 3 || all < kSecondsEach; all += times.back()) {
    const auto start = Clock::now();
    code();
    times.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

at::Tensor numbers(at::IntArrayRef shape, at::ScalarType type) {
  std::int64_t n = 1;
  for (const std::int64_t size : shape) n *= size;
  return at::arange(n, at::kFloat).mul_(0.7391F).sin_().mul_(0.02F).view(shape).to(type);
}

Linear linear(const at::Tensor& weight, weights::Quantization quantization) {
  if (quantization == weights::Quantization::None) return Linear(weight);
  std::vector<weights::QuantizedWeight> parts;
  parts.push_back(weights::quantize(weight, quantization));
  return Linear(std::move(parts), weight.scalar_type());
}

}  // namespace

CpuRates measure_this_cpu(const weights::DecoderConfig& config,
                          weights::DType dtype,
                          weights::Quantization quantization,
                          int n_threads,
                          int step_rows) {
  at::set_num_threads(weights::n_threads_of(n_threads));
  const c10::InferenceMode no_gradients;
  const at::ScalarType weight_type = weights::scalar_type(dtype);
  const at::ScalarType type = activation_type(dtype, at::kCPU);
  CpuRates rates;

  // Both ways through the MLP, which has most of the weights.
  const std::int64_t n_inner = std::min<std::int64_t>(config.intermediate_size, kMostInner);
  const Linear up = linear(numbers({2 * n_inner, config.hidden_size}, weight_type), quantization);
  const Linear down = linear(numbers({config.hidden_size, n_inner}, weight_type), quantization);
  const auto product_flops = [&](std::int64_t n_rows) {
    const at::Tensor x = numbers({n_rows, config.hidden_size}, type);
    const at::Tensor y = numbers({n_rows, n_inner}, type);
    const double seconds = seconds_of([&] {
      static_cast<void>(up(x));
      static_cast<void>(down(y));
    });
    return 6.0 * static_cast<double>(n_rows * n_inner) * config.hidden_size / seconds;
  };
  rates.product_flops = product_flops(kPackRows);
  rates.step_flops = product_flops(std::max(1, step_rows));

  const std::int64_t n_groups = config.n_heads / config.n_kv_heads;
  const at::Tensor queries =
      numbers({kPackRows, config.n_kv_heads, n_groups, config.head_dim}, type);
  const at::Tensor keys =
      numbers({kPromptTokens + kPackRows, config.n_kv_heads, config.head_dim}, type);
  const std::vector<KeySegment> segments = {
      {0, kPromptTokens, 0, kPackRows, Mask::None, 0},
      {kPromptTokens, kPackRows, 0, kPackRows, Mask::Causal, kPromptTokens}};
  const SegmentAttention attention(kPackRows, segments, at::kCPU);
  const double n_pairs = static_cast<double>(kPackRows) * kPromptTokens +
                         static_cast<double>(kPackRows) * (kPackRows + 1) / 2;
  rates.attention_flops = 4.0 * n_pairs * config.n_heads * config.head_dim / seconds_of([&] {
                            static_cast<void>(attention.attend(queries, keys, keys));
                          });

  const at::Tensor gate_up = numbers({kPackRows, 2 * n_inner}, type);
  rates.exponentials = static_cast<double>(kPackRows * n_inner) /
                       seconds_of([&] { static_cast<void>(gated_silu(gate_up)); });

  const at::Tensor from = at::ones({kCopiedNumbers}, at::kFloat);
  at::Tensor to = at::empty_like(from);
  rates.bytes_per_second =
      2.0 * kCopiedNumbers * sizeof(float) / seconds_of([&] { to.copy_(from); });
  const std::int64_t n_pages = ::sysconf(_SC_PHYS_PAGES);
  rates.memory_bytes = std::max(0.0, static_cast<double>(n_pages) * ::sysconf(_SC_PAGE_SIZE));
  return rates;
}

}  // namespace labelprobe::model::cost
