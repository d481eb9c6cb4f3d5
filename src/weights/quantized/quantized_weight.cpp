#include "weights/quantized/quantized_weight.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <optional>
#include <vector>

#include <ATen/Dispatch.h>
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/record_function.h>

#include "labelprobe/core/error.h"

#include "weights/device/bfloat16.h"
#include "weights/device/cuda_operators.h"
#include "weights/device/processor.h"
#include "weights/quantized/dynamic_map.h"
#include "weights/quantized/four_bits.h"

namespace labelprobe::weights {
namespace {

// Blocks given to a thread at once. A multiple of kDynamicBlock.
constexpr std::int64_t kBlockGrain = 1024;

// Rows given to a thread, or converted, at once.
constexpr std::int64_t kRowGrain = 16;

// 1 / 127.
constexpr float kInt8Step = 7.874015718698502e-3F;

std::int64_t n_blocks_of(std::int64_t n_elements) {
  return (n_elements + kFourBitBlock - 1) / kFourBitBlock;
}

// Codes and absmax.
void quantize_to_4_bits(const at::Tensor& weight, QuantizedWeight& result) {
  const at::Tensor flat = weight.contiguous().view({-1});
  const std::int64_t n = flat.numel();
  const std::int64_t n_blocks = n_blocks_of(n);
  const FourBitCode& code = four_bit_code(result.quantization);
  result.codes = at::empty({(n + 1) / 2}, at::kByte);
  result.absmax = at::empty({n_blocks}, at::kFloat);
  auto* codes = result.codes.mutable_data_ptr<std::uint8_t>();
  auto* absmax = result.absmax.mutable_data_ptr<float>();
  at::parallel_for(0, n_blocks, kBlockGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t chunk = begin; chunk < end; chunk += kBlockGrain) {
      const std::int64_t chunk_end = std::min(end, chunk + kBlockGrain);
      const at::Tensor elements =
          flat.slice(0, chunk * kFourBitBlock, std::min(n, chunk_end * kFourBitBlock))
              .to(at::kFloat);
      const float* x = elements.const_data_ptr<float>();
      for (std::int64_t block = chunk; block < chunk_end; ++block, x += kFourBitBlock) {
        quantize_block(code, x, std::min(kFourBitBlock, n - block * kFourBitBlock), absmax + block,
                       codes + block * (kFourBitBlock / 2));
      }
    }
  });
}

void quantize_absmax(QuantizedWeight& result) {
  const at::Tensor offset = mean_of_absmax(result.absmax);
  DynamicCodes codes = quantize_with_dynamic_map(result.absmax - offset);
  result.offset = offset.item<float>();
  result.absmax_codes = std::move(codes.codes);
  result.outer_absmax = std::move(codes.absmax);
  result.absmax_map = dynamic_map();
  result.absmax.reset();
}

// Codes and absmax of a row whose elements are float16 numbers. NaN and what an infinite absmax
// leaves of the others become 0.
LABELPROBE_FOR_EACH_PROCESSOR
void quantize_row(const float* x, std::int64_t n, float* absmax, std::int8_t* codes) {
  // As bit patterns, so that a NaN is larger than all numbers.
  std::int32_t largest = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    largest = std::max(largest, std::bit_cast<std::int32_t>(x[i]) & 0x7FFFFFFF);
  }
  // One NaN for all: not every NaN stays one where its lower half is rounded away.
  constexpr std::int32_t kInfinityBits = 0x7F800000;
  *absmax = largest > kInfinityBits ? std::numeric_limits<float>::quiet_NaN()
                                    : std::bit_cast<float>(largest);
  const float factor = (1.0F / *absmax) * 127.0F;  // two roundings, as the reference has them
  // Adding 1.5 * 2^23 rounds to an integer, half to even, and leaves it in the lowest bits.
  constexpr float kRounder = 12582912.0F;
  for (std::int64_t i = 0; i < n; ++i) {
    const float level = x[i] * factor;
    const bool is_number = level == level;
    codes[i] = static_cast<std::int8_t>(
        std::bit_cast<std::int32_t>((is_number ? level : 0.0F) + kRounder));
  }
}

void quantize_to_int8(const at::Tensor& weight, QuantizedWeight& result) {
  result.codes = at::empty({result.height, result.width}, at::kChar);
  result.absmax = at::empty({result.height}, at::kFloat);
  auto* codes = result.codes.mutable_data_ptr<std::int8_t>();
  auto* absmax = result.absmax.mutable_data_ptr<float>();
  const std::int64_t width = result.width;
  at::parallel_for(0, result.height, kRowGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t first = begin; first < end; first += kRowGrain) {
      const std::int64_t last = std::min(end, first + kRowGrain);
      const at::Tensor rows =
          weight.slice(0, first, last).to(at::kHalf).to(at::kFloat).contiguous();
      const float* x = rows.const_data_ptr<float>();
      for (std::int64_t row = first; row < last; ++row, x += width) {
        quantize_row(x, width, absmax + row, codes + row * width);
      }
    }
  });
}

// The elements [begin, end) of the flattened matrix, which need not begin or end a block.
template <typename Real>
void dequantize_4_bits(const QuantizedWeight& weight,
                       std::int64_t begin,
                       std::int64_t end,
                       Real* result) {
  const FourBitCode& code = four_bit_code(weight.quantization);
  const auto* codes = weight.codes.const_data_ptr<std::uint8_t>();
  std::array<float, kDynamicBlock> absmax;
  while (begin < end) {
    const std::int64_t block = begin / kFourBitBlock;
    const std::int64_t first = begin % kFourBitBlock;
    const std::uint8_t* packed = codes + block * (kFourBitBlock / 2);
    const std::int64_t n_blocks = std::min((end - begin) / kFourBitBlock, kDynamicBlock);
    std::int64_t n = n_blocks * kFourBitBlock;
    if (first == 0 && n_blocks > 0) {
      block_absmax(weight, block, n_blocks, absmax.data());
      dequantize_blocks(code, packed, absmax.data(), n_blocks, result);
    } else {
      n = std::min(kFourBitBlock - first, end - begin);
      block_absmax(weight, block, 1, absmax.data());
      dequantize_part(code, packed, absmax[0], first, n, result);
    }
    result += n;
    begin += n;
  }
}

LABELPROBE_FOR_EACH_PROCESSOR
void dequantize_int8(const std::int8_t* codes, float absmax, std::int64_t n, float* result) {
  for (std::int64_t i = 0; i < n; ++i) {
    result[i] = static_cast<float>(codes[i]) * absmax * kInt8Step;
  }
}

LABELPROBE_FOR_EACH_PROCESSOR
void dequantize_int8(const std::int8_t* codes,
                     float absmax,
                     std::int64_t n,
                     c10::BFloat16* result) {
  for (std::int64_t i = 0; i < n; ++i) {
    result[i] = round_to_bfloat16(static_cast<float>(codes[i]) * absmax * kInt8Step);
  }
}

void dequantize_int8(const std::int8_t* codes, float absmax, std::int64_t n, c10::Half* result) {
  for (std::int64_t i = 0; i < n; ++i)
    result[i] = static_cast<float>(codes[i]) * absmax * kInt8Step;
}

template <typename Real>
void dequantize_rows_to(const QuantizedWeight& weight,
                        std::int64_t first_row,
                        std::int64_t n_rows,
                        Real* result) {
  const std::int64_t width = weight.width;
  if (weight.quantization == Quantization::Int8) {
    const auto* codes = weight.codes.const_data_ptr<std::int8_t>() + first_row * width;
    const auto* absmax = weight.absmax.const_data_ptr<float>() + first_row;
    at::parallel_for(0, n_rows, kRowGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        dequantize_int8(codes + row * width, absmax[row], width, result + row * width);
      }
    });
    return;
  }
  // Threads take whole blocks, counted from the first row's own beginning.
  const std::int64_t first = first_row * width;
  const std::int64_t n = n_rows * width;
  at::parallel_for(0, n_blocks_of(n), kBlockGrain, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t from = begin * kFourBitBlock;
    const std::int64_t to = std::min(n, end * kFourBitBlock);
    dequantize_4_bits(weight, first + from, first + to, result + from);
  });
}

}  // namespace

QuantizedWeight quantize(const at::Tensor& weight, Quantization quantization) {
  LABELPROBE_CHECK(weight.dim() == 2 && weight.is_cpu() &&
                   at::isFloatingType(weight.scalar_type()));
  QuantizedWeight result;
  result.quantization = quantization;
  result.height = weight.size(0);
  result.width = weight.size(1);
  switch (quantization) {
    case Quantization::Nf4Double:
      quantize_to_4_bits(weight, result);
      quantize_absmax(result);
      return result;
    case Quantization::Fp4:
    case Quantization::Nf4:
      quantize_to_4_bits(weight, result);
      return result;
    case Quantization::Int8:
      quantize_to_int8(weight, result);
      return result;
    case Quantization::None:
    case Quantization::Gguf:
      break;
  }
  LABELPROBE_CHECK(!"a quantisation that changes the weight");
  return result;
}

// On a GPU.
static void dequantize_by_kernel(const QuantizedWeight& weight, at::Tensor& result) {
  const CudaOperators& operators = *cuda_operators();
  if (weight.quantization == Quantization::Int8) {
    operators.dequantize_rows.call(weight.codes, weight.absmax, result);
    return;
  }
  const auto& values = four_bit_code(weight.quantization).values;
  const std::vector<double> levels(values.begin(), values.end());
  const auto given = [](const at::Tensor& part) {
    return part.defined() ? std::optional<at::Tensor>(part) : std::nullopt;
  };
  operators.dequantize_4bit.call(weight.codes, levels, given(weight.absmax),
                                 given(weight.absmax_codes), given(weight.absmax_map),
                                 given(weight.outer_absmax), double{weight.offset}, result);
}

void dequantize(const QuantizedWeight& weight, at::Tensor& result) {
  if (weight.codes.is_cpu()) {
    dequantize_rows(weight, 0, result);
  } else if (weight.codes.is_cuda() && cuda_operators()) {
    dequantize_by_kernel(weight, result);
  } else {
    dequantize_with_operators(weight, result);
  }
}

void dequantize_rows(const QuantizedWeight& weight, std::int64_t first_row, at::Tensor& rows) {
  RECORD_FUNCTION("labelprobe::dequantize_rows", {});
  LABELPROBE_CHECK(rows.is_cpu() && rows.is_contiguous() && rows.size(1) == weight.width);
  const std::int64_t n_rows = rows.size(0);
  LABELPROBE_CHECK(0 <= first_row && first_row + n_rows <= weight.height);
  AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kBFloat16, at::kHalf, rows.scalar_type(), "dequantize_rows", [&] {
        if constexpr (!std::is_same_v<scalar_t, double>) {
          dequantize_rows_to(weight, first_row, n_rows, rows.mutable_data_ptr<scalar_t>());
        }
      });
}

void dequantize_with_operators(const QuantizedWeight& weight, at::Tensor& result) {
  if (weight.quantization == Quantization::Int8) {
    result.copy_(weight.codes.to(at::kFloat)
                     .mul_(weight.absmax.unsqueeze(1))
                     .mul_(static_cast<double>(kInt8Step)));
    return;
  }
  at::Tensor absmax = weight.absmax;
  if (!absmax.defined()) {
    const at::Tensor outer = weight.outer_absmax.repeat_interleave(kDynamicBlock)
                                 .slice(0, 0, weight.absmax_codes.numel());
    absmax = weight.absmax_map.index_select(0, weight.absmax_codes.to(at::kInt))
                 .mul_(outer)
                 .add_(static_cast<double>(weight.offset));
  }
  const FourBitCode& code = four_bit_code(weight.quantization);
  const at::Tensor values =
      at::tensor(at::ArrayRef<float>(code.values), at::kFloat).to(weight.codes.device());
  const at::Tensor nibbles =
      at::stack({weight.codes.bitwise_right_shift(4), weight.codes.bitwise_and(0xF)}, 1);
  const std::int64_t n = weight.height * weight.width;
  at::Tensor shares = values.index_select(0, nibbles.view({-1}).to(at::kInt)).slice(0, 0, n);
  const std::int64_t n_whole = n / kFourBitBlock * kFourBitBlock;
  shares.slice(0, 0, n_whole)
      .view({-1, kFourBitBlock})
      .mul_(absmax.slice(0, 0, n_whole / kFourBitBlock).unsqueeze(1));
  if (n_whole < n) shares.slice(0, n_whole).mul_(absmax.slice(0, -1));
  result.copy_(shares.view({weight.height, weight.width}));
}

void block_absmax(const QuantizedWeight& weight,
                  std::int64_t first_block,
                  std::int64_t n_blocks,
                  float* result) {
  if (weight.absmax.defined()) {
    std::copy_n(weight.absmax.const_data_ptr<float>() + first_block, n_blocks, result);
    return;
  }
  const auto* codes = weight.absmax_codes.const_data_ptr<std::uint8_t>();
  const auto* map = weight.absmax_map.const_data_ptr<float>();
  const auto* outer = weight.outer_absmax.const_data_ptr<float>();
  for (std::int64_t i = 0; i < n_blocks; ++i) {
    const std::int64_t block = first_block + i;
    result[i] = map[codes[block]] * outer[block / kDynamicBlock] + weight.offset;
  }
}

std::size_t quantized_bytes(std::int64_t height, std::int64_t width, Quantization quantization) {
  const std::int64_t n = height * width;
  const std::int64_t n_blocks = n_blocks_of(n);
  const std::int64_t n_outer_blocks = (n_blocks + kDynamicBlock - 1) / kDynamicBlock;
  std::int64_t bytes = 0;
  switch (quantization) {
    case Quantization::None:
    case Quantization::Gguf:
      break;
    case Quantization::Fp4:
    case Quantization::Nf4:
      bytes = (n + 1) / 2 + 4 * n_blocks;
      break;
    case Quantization::Nf4Double:
      bytes = (n + 1) / 2 + n_blocks + 4 * n_outer_blocks + 4 * 256;
      break;
    case Quantization::Int8:
      bytes = n + 4 * height;
      break;
  }
  return static_cast<std::size_t>(bytes);
}

}  // namespace labelprobe::weights
