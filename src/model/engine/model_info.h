// What the headers of a checkpoint say about the model in it.
#pragma once

#include "labelprobe/model/language_model.h"

#include "model/parallel/share.h"
#include "weights/checkpoint/checkpoint.h"

namespace labelprobe::model {

// Weight and cache bytes are those of `dtype` and of weights quantised as asked for; device fields
// stay empty. Throws ModelError if the checkpoint is quantised in another way than asked for.
ModelInfo describe(const weights::Checkpoint& checkpoint, DType dtype, Quantization asked);

// Bytes of the weights that a process keeps of them.
std::size_t share_bytes(const weights::Checkpoint& checkpoint,
                        DType dtype,
                        Quantization asked,
                        const Share& share);

}  // namespace labelprobe::model
