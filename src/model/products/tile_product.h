// Products on the CPU with weights that are kept in another form than the one that is multiplied: a
// few rows at a time are unpacked into memory that the processor's cache holds.
//   T  rows
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include <ATen/core/Tensor.h>

namespace labelprobe::model {

// Fills rows [n, in] of dot_type() with those of the weight from `first` on; called by several
// threads.
using Unpack = std::function<void(std::int64_t first, at::Tensor& rows)>;

// result [T, out], whose rows may be apart, = x [T, in] times a weight [out, in], plus the bias.
// x and result are of dot_type(), the bias of any. A row's numbers do not depend on the others.
void multiply_by_tiles(const at::Tensor& x,
                       const Unpack& unpack,
                       const std::optional<at::Tensor>& bias,
                       at::Tensor& result);

}  // namespace labelprobe::model
