// Qwen3 with one MLP for all tokens: queries and keys are normed head by head.
#pragma once

#include "weights/families/llama_block.h"

namespace labelprobe::weights {

inline constexpr std::array kQwen3Modules = {
    kEmbedding,       kInputNorm, kQuery, kKey, kValue, kQueryHeadNorm, kKeyHeadNorm,
    kAttentionOutput, kMlpNorm,   kGate,  kUp,  kDown,  kFinalNorm,     kHead,
};

inline constexpr Family kQwen3 = {
    .name = "Qwen3",
    .architecture = "Qwen3ForCausalLM",
    .model_type = "qwen3",
    .gguf_architecture = "qwen3",
    .modules = kQwen3Modules,
    .qkv_bias = Bias::AsConfigured,
    .o_bias = Bias::AsConfigured,
    .default_max_position = 32768,
    .default_window = 4096,
    .default_head_dim = 128,
    .has_window_switch = true,
    .windowed_layers = WindowedLayers::FromMaxWindow,
};

}  // namespace labelprobe::weights
