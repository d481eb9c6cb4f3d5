// What there is to say about a model before and after it is loaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/weights/precision.h"

namespace labelprobe::weights {

struct ModelInfo {
  std::string architecture;  // "LlamaForCausalLM"
  int vocab_size = 0;
  int max_context = 0;  // positions
  std::int64_t n_parameters = 0;
  std::size_t weight_bytes = 0;
  std::size_t cache_bytes_per_token = 0;  // keys and values of all layers
  weights::DType dtype = weights::DType::Float32;
  weights::Quantization quantization = weights::Quantization::None;
  std::string device;               // "cpu", "cuda:0"
  std::string device_name;          // of the GPU, or the number of CPU threads
  std::string fingerprint;          // of the weight files: headers and a sample of every tensor
  std::vector<TokenId> end_ids;     // from generation_config.json, config.json or the GGUF header
  double repetition_penalty = 1.0;  // of the model's own generation config
  std::string backend;              // whose code computes: "libtorch 2.11.0 with ..."
};

}  // namespace labelprobe::weights
