// SmolLM3: Llama's block, in which every fourth layer turns nothing.
#pragma once

#include "weights/families/llama_block.h"

namespace labelprobe::weights {

inline constexpr Family kSmolLm3 = {
    .name = "SmolLM3",
    .architecture = "SmolLM3ForCausalLM",
    .model_type = "smollm3",
    .gguf_architecture = "smollm3",
    .are_gguf_heads_interleaved = true,
    .modules = kLlamaModules,
    .qkv_bias = Bias::AsConfigured,
    .o_bias = Bias::AsConfigured,
    .mlp_bias = Bias::AsConfigured,
    .default_max_position = 32768,
    .is_tied_by_default = true,
    .has_window_switch = true,
    .windowed_layers = WindowedLayers::WithoutRope,
    .default_theta = 2000000.0,
    .ropeless_interval = 4,
};

}  // namespace labelprobe::weights
