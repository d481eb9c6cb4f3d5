// Quantised matrices in safetensors files, in the layout in which transformers saves bitsandbytes'.
// A matrix X.weight [height, width], n = height * width elements, row-major, is stored as
//   4 bits  X.weight            [(n + 1) / 2, 1]  U8 (or the same bytes as another type): two codes
//                               per byte, the earlier element in the high nibble
//           X.weight.absmax     [blocks]  F32; of blocks of 64 elements
//           X.weight.quant_map  [16]  F32: what the codes mean, as shares of a block's absmax
//           X.weight.quant_state.bitsandbytes__fp4 (or nf4)  U8: JSON text with quant_type,
//                               blocksize, dtype (of the matrix before quantising) and shape
//   nf4 with double quantisation, instead of its absmax and further:
//           X.weight.absmax            [blocks]  U8
//           X.weight.nested_absmax     [blocks of 256 of these]  F32
//           X.weight.nested_quant_map  [256]  F32
//           nested_blocksize, nested_dtype and nested_offset in the JSON text
//           absmax[i] = nested_quant_map[X.weight.absmax[i]] * nested_absmax[i / 256]
//                       + nested_offset
//   int8    X.weight         [height, width]  I8
//           X.SCB            [height]  F32: the absmax of each row
//           X.weight_format  []  U8, 0: rows one behind the other
// Where the weights of a dtype below float32 were quantised, transformers rounds what it gets back
// to that dtype even if it computes in float32; we round to the type that we compute in only.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/files/safetensors_writer.h"
#include "labelprobe/weights/precision.h"

#include "weights/checkpoint/row_range.h"
#include "weights/checkpoint/staging.h"
#include "weights/checkpoint/stored_tensor.h"
#include "weights/families/parameters.h"
#include "weights/quantized/quantized_weight.h"

namespace labelprobe::weights {

// The names of the tensors of the matrix `name` ("X.weight"), itself first.
std::vector<std::string> quantized_names(const std::string& name, Quantization quantization);

// Whether the parameter is stored quantised; modules may be left out of a quantised checkpoint.
bool is_stored_quantized(const TensorMap& tensors,
                         const Parameter& parameter,
                         Quantization quantization);

// Checks that all tensors of the matrix are there, in the types and shapes of `quantization`, and
// that codes and blocks mean what they mean to us; reads the small ones. Throws ModelError (file,
// tensor, expected, found).
void check_quantized(const TensorMap& tensors, const Parameter& matrix, Quantization quantization);

// The matrix, in its own memory on the staging's device, to a GPU by way of its buffers: the
// machine's memory never holds all of its codes. It has been checked.
QuantizedWeight load_quantized(const TensorMap& tensors,
                               const Parameter& matrix,
                               Quantization quantization,
                               Staging& staging);

// Some of its rows (quantized_rows.h).
QuantizedWeight load_quantized_rows(const TensorMap& tensors,
                                    const Parameter& matrix,
                                    Quantization quantization,
                                    const RowRanges& rows,
                                    Staging& staging);

// What a file holds of a matrix, in the order of quantized_names().
std::vector<files::TensorToWrite> quantized_layout(const Parameter& matrix,
                                                   Quantization quantization);

// Writes the tensors of quantized_layout().
//   dtype  of the matrix before quantising
void write_quantized(const std::string& name,
                     const QuantizedWeight& weight,
                     DType dtype,
                     files::SafetensorsWriter& writer);

// The same part by part: first codes and absmax (Nf4Double: codes) of elements from `first` on,
// with which a block or row begins, as if they were a matrix of their own; from any thread.
void write_quantized_part(const std::string& name,
                          const QuantizedWeight& part,
                          std::int64_t first,
                          files::SafetensorsWriter& writer);

// Then what there is once for the whole matrix. Of `weight` neither codes nor absmax are needed.
void write_quantized_rest(const std::string& name,
                          const QuantizedWeight& weight,
                          DType dtype,
                          files::SafetensorsWriter& writer);

// The text of X.weight.quant_state, padded with spaces, as JSON allows, to kQuantStateBytes: what
// follows it in a file stays aligned, and its length does not depend on the weights.
constexpr std::size_t kQuantStateBytes = 256;
std::string quant_state_text(const QuantizedWeight& weight, DType dtype);

// X.weight.quant_map.
std::array<float, 16> quant_map(Quantization quantization);

}  // namespace labelprobe::weights
