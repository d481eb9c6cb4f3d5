// Which libraries and which code of ours compute, for the log: everything that may change the last
// bits of a result. Asks those who choose.
#pragma once

#include <string>

#include <c10/core/Device.h>

#include "labelprobe/model/language_model.h"

#include "weights/families/decoder_config.h"

namespace labelprobe::model {

// "libtorch 2.11.0 with AVX512; products: oneDNN float32; ..." of a model that computes in `dtype`
// with weights in `quantization`. For a GPU ask after open_device() and allow_tf32().
std::string describe_backend(const weights::DecoderConfig& config,
                             DType dtype,
                             Quantization quantization,
                             c10::Device device,
                             bool is_fast = false);

// "libtorch 2.11.0"
std::string describe_libtorch();

}  // namespace labelprobe::model
