// From the bytes of a weight file to a tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <ATen/core/Tensor.h>

#include "labelprobe/weights/precision.h"

#include "weights/checkpoint/stored_tensor.h"

namespace labelprobe::weights {

// Writes the rows of the tensor from `first_row` on, as many as `rows` has, into `rows`: a
// contiguous CPU tensor of a floating type and the tensor's shape but for their number. Converts
// (round to nearest even) on all threads of ATen's pool; rows are in the order of Hugging Face.
// `stored` has a type we read and one or two dimensions; its rows are whole blocks.
void load_rows(const StoredTensor& stored, std::int64_t first_row, const at::Tensor& rows);

// Copies bytes of a weight file as they are, on all threads of ATen's pool: taking them out of the
// system's cache costs more than one core's time where a disk is fast.
void copy_bytes(std::span<const std::byte> from, std::byte* to);

// Whether the tensor is a matrix of whole rows of blocks, one behind the other.
bool holds_codes(const StoredTensor& stored);

// The blocks of such a matrix in their own memory, uint8 [rows, bytes of a row]; rows are in the
// order of Hugging Face.
at::Tensor load_blocks(const StoredTensor& stored);

// The whole tensor in `dtype`, in its own memory.
at::Tensor load_tensor(const StoredTensor& stored, DType dtype);

}  // namespace labelprobe::weights
