// Llama 1 to 3.3, Code Llama, SmolLM2 and whoever else names LlamaForCausalLM.
#pragma once

#include "weights/families/llama_block.h"

namespace labelprobe::weights {

inline constexpr Family kLlama = {
    .name = "Llama",
    .architecture = "LlamaForCausalLM",
    .model_type = "llama",
    .gguf_architecture = "llama",
    .are_gguf_heads_interleaved = true,
    .modules = kLlamaModules,
    .qkv_bias = Bias::AsConfigured,
    .o_bias = Bias::AsConfigured,
    .mlp_bias = Bias::AsConfigured,
    .default_max_position = 2048,
};

}  // namespace labelprobe::weights
