// Qwen2 and Qwen2.5.
#pragma once

#include "weights/families/llama_block.h"

namespace labelprobe::weights {

inline constexpr Family kQwen2 = {
    .name = "Qwen2",
    .architecture = "Qwen2ForCausalLM",
    .model_type = "qwen2",
    .gguf_architecture = "qwen2",
    .modules = kLlamaModules,
    .qkv_bias = Bias::Always,
    .default_max_position = 32768,
    .default_window = 4096,
    .has_window_switch = true,
    .windowed_layers = WindowedLayers::FromMaxWindow,
};

}  // namespace labelprobe::weights
