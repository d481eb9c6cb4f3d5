// The quantization_config of a config.json: how bitsandbytes keeps the weights beside it.
#pragma once

#include "labelprobe/files/json.h"
#include "labelprobe/weights/precision.h"

namespace labelprobe::weights {

// `config`: the whole of config.json; without quantization_config: None. Throws ModelError (file,
// key, expected, found, what to use instead) for other methods, such as AWQ and GPTQ, and for what
// bitsandbytes can but we cannot.
Quantization read_quantization(const files::JsonView& config);

}  // namespace labelprobe::weights
