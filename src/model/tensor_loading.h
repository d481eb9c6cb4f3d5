// From the bytes of a weight file to a tensor.
#pragma once

#include <ATen/core/Tensor.h>

#include "labelprobe/model/language_model.h"

#include "stored_tensor.h"

namespace labelprobe::model {

// The tensor in `dtype` and in the row order of Hugging Face, contiguous, on the CPU, in its own
// memory. `stored` has a type we read and one or two dimensions; its rows are whole blocks.
at::Tensor load_tensor(const StoredTensor& stored, DType dtype);

}  // namespace labelprobe::model
