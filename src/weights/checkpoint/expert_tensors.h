// Experts that a file keeps in one tensor become a tensor each, under the names of parameters_of().
#pragma once

#include "weights/checkpoint/weight_files.h"
#include "weights/families/decoder_config.h"

namespace labelprobe::weights {

// In the forms that are met: one tensor of every expert's gates, ups and downs (GGUF); gates over
// ups, and downs (transformers 5); those of gpt-oss, which are transposed, their gates and ups
// alternating, or codes of MXFP4 beside their scales. What is in none of these stays as it is.
// Throws ModelError (tensor, expected, found) where shapes do not fit the configuration.
void split_experts(WeightFiles& weights, const DecoderConfig& config);

}  // namespace labelprobe::weights
