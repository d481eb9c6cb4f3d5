// What the headers of a checkpoint say about the model in it.
#pragma once

#include "labelprobe/model/language_model.h"

#include "weights/checkpoint/checkpoint.h"

namespace labelprobe::model {

// Weight and cache bytes are those of `dtype` and of weights quantised as asked for; device fields
// stay empty. Throws ModelError if the checkpoint is quantised in another way than asked for.
ModelInfo describe(const weights::Checkpoint& checkpoint, DType dtype, Quantization asked);

}  // namespace labelprobe::model
