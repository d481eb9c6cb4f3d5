#include "weights/checkpoint/quantized_rows.h"

#include <vector>

#include <ATen/Functions.h>
#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "weights/quantized/four_bits.h"

namespace labelprobe::weights {

void check_whole_blocks(const Parameter& matrix, Quantization quantization, const RowRanges& rows) {
  if (quantization == Quantization::Int8 || quantization == Quantization::None) return;
  for (const RowRange& range : rows) {
    const std::int64_t first = range.first * matrix.shape[1];
    const std::int64_t n = range.n * matrix.shape[1];
    const bool is_last = range.first + range.n == matrix.shape[0] && &range == &rows.back();
    if (first % kFourBitBlock == 0 && (n % kFourBitBlock == 0 || is_last)) continue;
    throw ModelError(fmt::format(
        "tensor {}: expected processes to take whole blocks of {} numbers, which share one absmax "
        "in {}; found rows {} to {} of {} numbers each, which cut a block; use another number of "
        "processes, --quant int8 or none",
        matrix.name, kFourBitBlock, quantization_name(quantization), range.first,
        range.first + range.n - 1, matrix.shape[1]));
  }
}

QuantizedWeight quantized_rows(const Parameter& matrix,
                               const QuantizedWeight& whole,
                               const RowRanges& rows) {
  check_whole_blocks(matrix, whole.quantization, rows);
  const bool is_int8 = whole.quantization == Quantization::Int8;
  at::Tensor absmax = whole.absmax;
  if (!absmax.defined()) {
    absmax = at::empty({whole.absmax_codes.numel()}, at::kFloat);
    block_absmax(whole, 0, absmax.numel(), absmax.mutable_data_ptr<float>());
  }
  QuantizedWeight part;
  part.quantization = is_int8                                         ? whole.quantization
                      : whole.quantization == Quantization::Nf4Double ? Quantization::Nf4
                                                                      : whole.quantization;
  part.height = n_rows_of(rows);
  part.width = whole.width;
  std::vector<at::Tensor> codes;
  std::vector<at::Tensor> scales;
  for (const RowRange& range : rows) {
    if (is_int8) {
      codes.push_back(whole.codes.narrow(0, range.first, range.n));
      scales.push_back(absmax.narrow(0, range.first, range.n));
      continue;
    }
    const std::int64_t first = range.first * whole.width;
    const std::int64_t n = range.n * whole.width;
    codes.push_back(whole.codes.narrow(0, first / 2, (n + 1) / 2));
    scales.push_back(
        absmax.narrow(0, first / kFourBitBlock, (n + kFourBitBlock - 1) / kFourBitBlock));
  }
  part.codes = at::cat(codes);
  part.absmax = at::cat(scales);
  return part;
}

}  // namespace labelprobe::weights
