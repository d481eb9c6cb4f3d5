#include "kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <type_traits>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include "labelprobe/core/error.h"

#include "cuda_operators.h"

namespace labelprobe::model {
namespace {

// Rows given to a thread at once: enough to outweigh handing them over.
constexpr int kRowGrain = 16;

bool is_plain(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kFloat && x.stride(-1) == 1;
}

// Compiled several times; the processor's best is taken when the program starts.
#if defined(__x86_64__) && defined(__GNUC__)
#define LABELPROBE_FOR_EACH_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LABELPROBE_FOR_EACH_PROCESSOR
#endif
// Part of such a function; left standing alone it would be compiled for the oldest processor.
#if defined(__GNUC__)
#define LABELPROBE_PART __attribute__((always_inline))
#else
#define LABELPROBE_PART
#endif

// bfloat16 by its bits: the upper half of a float32, rounded to even.
LABELPROBE_PART inline float widen(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

LABELPROBE_PART inline std::uint16_t narrow(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}

LABELPROBE_PART inline void convert(const float* from, float* to, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) to[i] = from[i];
}

LABELPROBE_PART inline void convert(const std::uint16_t* from, float* to, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) to[i] = widen(from[i]);
}

LABELPROBE_PART inline void convert(const float* from, std::uint16_t* to, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) to[i] = narrow(from[i]);
}

// Runs work(first, n) on at most kStep of n elements: what it keeps in between is small. Compilers
// do not mix the widths of bfloat16 and float32 in one loop of vectors.
constexpr std::int64_t kStep = 64;
template <typename Work>
LABELPROBE_PART inline void by_steps(std::int64_t n, const Work& work) {
  // In one place, so that it becomes part of the caller and of what that is compiled for.
  for (std::int64_t first = 0; first < n; first += kStep) work(first, std::min(kStep, n - first));
}

// Independent partial sums, so that the compiler may use vector registers without reordering sums.
LABELPROBE_PART inline float sum_of_squares(const float* x, std::int64_t n) {
  constexpr int kLanes = 32;
  float sums[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) sums[lane] += x[i + lane] * x[i + lane];
  }
  float total = 0;
  for (; i < n; ++i) total += x[i] * x[i];
  for (const float sum : sums) total += sum;
  return total;
}

template <typename To>
LABELPROBE_PART inline void normalize(
    const float* x, const float* weight, float epsilon, std::int64_t n, To* to) {
  const float mean = sum_of_squares(x, n) / static_cast<float>(n);
  const float scale = 1.0f / std::sqrt(mean + epsilon);
  if constexpr (std::is_same_v<To, float>) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = x[i] * scale * weight[i];
    return;
  }
  by_steps(n, [&](std::int64_t first, std::int64_t n_step) LABELPROBE_PART {
    float wide[kStep];
    for (std::int64_t i = 0; i < n_step; ++i) wide[i] = x[first + i] * scale * weight[first + i];
    convert(wide, to + first, n_step);
  });
}

LABELPROBE_FOR_EACH_PROCESSOR
void norm_row(const float* x, const float* weight, float epsilon, std::int64_t n, float* to) {
  normalize(x, weight, epsilon, n, to);
}

LABELPROBE_FOR_EACH_PROCESSOR
void norm_row(
    const float* x, const float* weight, float epsilon, std::int64_t n, std::uint16_t* to) {
  normalize(x, weight, epsilon, n, to);
}

// Heads of 2 * half numbers, one behind the other.
template <typename T>
LABELPROBE_PART inline void rotate(
    T* heads, std::int64_t n_heads, const float* c, const float* s, std::int64_t half) {
  for (std::int64_t head = 0; head < n_heads; ++head) {
    T* a = heads + head * 2 * half;
    T* b = a + half;
    if constexpr (std::is_same_v<T, float>) {
      for (std::int64_t i = 0; i < half; ++i) {
        const float left = a[i];
        const float right = b[i];
        a[i] = left * c[i] - right * s[i];
        b[i] = right * c[i] + left * s[i];
      }
      continue;
    }
    by_steps(half, [&](std::int64_t first, std::int64_t n) LABELPROBE_PART {
      float left[kStep];
      float right[kStep];
      float turned[kStep];
      convert(a + first, left, n);
      convert(b + first, right, n);
      for (std::int64_t i = 0; i < n; ++i) {
        turned[i] = left[i] * c[first + i] - right[i] * s[first + i];
      }
      convert(turned, a + first, n);
      for (std::int64_t i = 0; i < n; ++i) {
        turned[i] = right[i] * c[first + i] + left[i] * s[first + i];
      }
      convert(turned, b + first, n);
    });
  }
}

LABELPROBE_FOR_EACH_PROCESSOR
void rotate_row(
    float* heads, std::int64_t n_heads, const float* c, const float* s, std::int64_t half) {
  rotate(heads, n_heads, c, s, half);
}

LABELPROBE_FOR_EACH_PROCESSOR
void rotate_row(
    std::uint16_t* heads, std::int64_t n_heads, const float* c, const float* s, std::int64_t half) {
  rotate(heads, n_heads, c, s, half);
}

LABELPROBE_FOR_EACH_PROCESSOR
void add_row(float* sum, const std::uint16_t* part, std::int64_t n) {
  by_steps(n, [&](std::int64_t first, std::int64_t n_step) LABELPROBE_PART {
    float wide[kStep];
    convert(part + first, wide, n_step);
    for (std::int64_t i = 0; i < n_step; ++i) sum[first + i] += wide[i];
  });
}

// exp(x) of -87 <= x <= 0 to about two units in the last place, in arithmetic that compilers turn
// into vector instructions: 2^n from the exponent's bits, the rest by its series.
LABELPROBE_PART inline float exp_of_negative(float x) {
  constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23: adding it leaves no fraction
  const float shifted = x * 1.44269504f + kRounder;
  const float n = shifted - kRounder;
  const float rest = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float series = 1.9875691500e-4f;
  series = series * rest + 1.3981999507e-3f;
  series = series * rest + 8.3334519073e-3f;
  series = series * rest + 4.1665795894e-2f;
  series = series * rest + 1.6666665459e-1f;
  series = series * rest + 5.0000001201e-1f;
  series = series * rest * rest + rest + 1.0f;
  return series * std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23);
}

// silu(gate) * up.
LABELPROBE_PART inline float gated_silu_of(float gate, float up) {
  // exp() of the negative half only, which cannot overflow.
  const float small = exp_of_negative(std::max(-std::abs(gate), -87.0f));
  return gate * up * (gate < 0 ? small : 1.0f) / (1.0f + small);
}

LABELPROBE_FOR_EACH_PROCESSOR
void gate_row(const float* gate, const float* up, float* gated, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) gated[i] = gated_silu_of(gate[i], up[i]);
}

LABELPROBE_FOR_EACH_PROCESSOR
void gate_row(const std::uint16_t* gate,
              const std::uint16_t* up,
              std::uint16_t* gated,
              std::int64_t n) {
  by_steps(n, [&](std::int64_t first, std::int64_t n_step) LABELPROBE_PART {
    float wide[kStep];
    float wide_up[kStep];
    convert(gate + first, wide, n_step);
    convert(up + first, wide_up, n_step);
    for (std::int64_t i = 0; i < n_step; ++i) wide[i] = gated_silu_of(wide[i], wide_up[i]);
    convert(wide, gated + first, n_step);
  });
}

template <typename T>
void gate_rows(const at::Tensor& gate_up, at::Tensor& gated) {
  const std::int64_t width = gated.size(1);
  const std::int64_t stride = gate_up.stride(0);
  const T* from = static_cast<const T*>(gate_up.const_data_ptr());
  T* to = static_cast<T*>(gated.mutable_data_ptr());
  at::parallel_for(0, gated.size(0), kRowGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const T* gate = from + row * stride;
      gate_row(gate, gate + width, to + row * width, width);
    }
  });
}

// Sum of exp(x[i] - largest). What is less than the last bit of the largest one's share is cut off
// at the range of the series.
LABELPROBE_FOR_EACH_PROCESSOR
double sum_of_exps(const float* x, std::int64_t n, float largest) {
  constexpr int kLanes = 64;
  float sums[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) {
      sums[lane] += exp_of_negative(std::max(x[i + lane] - largest, -87.0f));
    }
  }
  double total = 0;
  for (; i < n; ++i) total += exp_of_negative(std::max(x[i] - largest, -87.0f));
  for (const float sum : sums) total += sum;
  return total;
}

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

at::Tensor rms_norm(const at::Tensor& x,
                    const at::Tensor& weight,
                    double epsilon,
                    std::optional<at::ScalarType> result_type) {
  const at::ScalarType type = result_type.value_or(x.scalar_type());
  const bool is_half = type == at::kBFloat16;
  if (x.is_cuda() && type == x.scalar_type() && cuda_operators()) {
    return cuda_operators()->rms_norm.call(x, weight, epsilon);
  }
  if (!is_plain(x) || !(is_half || type == at::kFloat)) {
    const at::Tensor wide = x.to(at::kFloat);
    const at::Tensor scale = wide.square().mean(-1, true).add_(epsilon).rsqrt_();
    // Rounded before the weight is applied, as the checkpoints' own code does.
    return (wide * scale).to(type).mul(weight.to(type));
  }
  const std::int64_t n_columns = x.size(1);
  at::Tensor result = at::empty({x.size(0), n_columns}, x.options().dtype(type));
  const float* w = weight.const_data_ptr<float>();
  const float* from = x.const_data_ptr<float>();
  const std::int64_t stride = x.stride(0);
  const auto norm_rows = [&](auto* to) {
    at::parallel_for(0, x.size(0), kRowGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        norm_row(from + row * stride, w, static_cast<float>(epsilon), n_columns,
                 to + row * n_columns);
      }
    });
  };
  if (is_half) {
    norm_rows(static_cast<std::uint16_t*>(result.mutable_data_ptr()));
  } else {
    norm_rows(result.mutable_data_ptr<float>());
  }
  return result;
}

void rotate_heads(at::Tensor x, const at::Tensor& cosines, const at::Tensor& sines) {
  const std::int64_t half = x.size(2) / 2;
  const bool is_half = x.is_cpu() && x.scalar_type() == at::kBFloat16 && x.stride(-1) == 1;
  if (x.is_cuda() && cuda_operators()) {
    cuda_operators()->rotate_heads.call(x, cosines, sines, x.size(1), 0, {}, {}, {});
    return;
  }
  if (!is_plain(x) && !is_half) {
    const at::Tensor c = cosines.unsqueeze(1);
    const at::Tensor s = sines.unsqueeze(1);
    const at::Tensor a = x.narrow(2, 0, half).to(at::kFloat, false, true);
    const at::Tensor b = x.narrow(2, half, half).to(at::kFloat, false, true);
    x.narrow(2, 0, half).copy_(a * c - b * s);
    x.narrow(2, half, half).copy_(b * c + a * s);
    return;
  }
  LABELPROBE_CHECK(x.stride(1) == x.size(2));
  const std::int64_t stride = x.stride(0);
  const float* c = cosines.const_data_ptr<float>();
  const float* s = sines.const_data_ptr<float>();
  const auto rotate_rows = [&](auto* heads) {
    at::parallel_for(0, x.size(0), kRowGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        rotate_row(heads + row * stride, x.size(1), c + row * half, s + row * half, half);
      }
    });
  };
  if (is_half) {
    rotate_rows(static_cast<std::uint16_t*>(x.mutable_data_ptr()));
  } else {
    rotate_rows(x.mutable_data_ptr<float>());
  }
}

void add_rows(at::Tensor& sum, const at::Tensor& part) {
  if (!is_plain(sum) || !part.is_cpu() || part.scalar_type() != at::kBFloat16 ||
      part.stride(-1) != 1) {
    sum.add_(part);
    return;
  }
  float* to = sum.mutable_data_ptr<float>();
  const auto* from = static_cast<const std::uint16_t*>(part.const_data_ptr());
  at::parallel_for(0, sum.size(0), kRowGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      add_row(to + row * sum.stride(0), from + row * part.stride(0), sum.size(1));
    }
  });
}

at::Tensor gated_silu(at::Tensor gate_up) {
  const std::int64_t width = gate_up.size(1) / 2;
  const bool is_half = gate_up.scalar_type() == at::kBFloat16;
  if (gate_up.is_cuda() && cuda_operators()) return cuda_operators()->gated_silu.call(gate_up);
  if (!gate_up.is_cpu() || gate_up.stride(1) != 1 ||
      !(is_half || gate_up.scalar_type() == at::kFloat)) {
    at::Tensor gate = gate_up.narrow(1, 0, width);
    at::silu_(gate);
    return gate.mul_(gate_up.narrow(1, width, width));
  }
  at::Tensor gated = at::empty({gate_up.size(0), width}, gate_up.options());
  if (is_half) {
    gate_rows<std::uint16_t>(gate_up, gated);
  } else {
    gate_rows<float>(gate_up, gated);
  }
  return gated;
}

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
  if (!is_plain(values)) {
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

float log_sum_exp(const float* x, std::int64_t n, float largest) {
  if (std::isinf(largest)) return largest;
  return static_cast<float>(largest + std::log(sum_of_exps(x, n, largest)));
}

}  // namespace labelprobe::model
