// Products on the CPU with weights that stay in the blocks of a GGUF file, by whole numbers.
// An element of such a weight is scale * code + offset with a code of 8 bits. The other factor is
// rounded, in each row and run of 32, to whole numbers of 24 bits with a scale of their own, which
// are multiplied digit by digit. The sums of a group of 16 or 32 codes are exact; they are scaled
// and added up in float32, in order: a row's numbers are the same bits in any company, with any
// number of threads and on any processor.
//   T  rows
#pragma once

#include <optional>
#include <string_view>

#include <ATen/core/Tensor.h>

#include "model/products/rounded_rows.h"
#include "weights/packed/packed_weight.h"

namespace labelprobe::model {

// What becomes of a product.
enum class Into { Result, Sum };

// Who multiplies: the processor's own instructions where it has them, or plain code with the same
// bits.
enum class Code { Best, Plain };

// result [T, out], float32 and with its rows as far apart as they are, becomes x [T, in] times the
// weight [out, in], plus the bias [out] in float32; or that is added to it.
void multiply_packed(const RoundedRows& x,
                     const weights::PackedWeight& weight,
                     const std::optional<at::Tensor>& bias,
                     at::Tensor& result,
                     Into into = Into::Result,
                     Code code = Code::Best);

// What multiplies here: "VNNI" or "any processor".
std::string_view packed_code();
// Whether that is faster than products of unpacked weights in float32.
bool is_packed_faster();

}  // namespace labelprobe::model
