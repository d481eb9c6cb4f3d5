// How the opening of a setting's model is told.
#pragma once

#include <string>
#include <string_view>

#include "app/options/run_options.h"

namespace labelprobe::app {

// A warning if TF32 was asked for where it changes nothing, else empty. `device` is the one used.
std::string warn_of_idle_tf32(const ModelLoading& loading, std::string_view device);

// "float32", or "FP4 weights, float32" where weights are kept otherwise than they are computed.
std::string describe_numerics(weights::Quantization quantization, weights::DType dtype);

}  // namespace labelprobe::app
