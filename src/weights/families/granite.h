// Granite 3 with one MLP for all tokens: Llama's block with four scales.
#pragma once

#include "weights/families/llama_block.h"

namespace labelprobe::weights {

inline constexpr std::array kGraniteSettings = {
    Setting{"embedding_multiplier", "embedding_scale", &DecoderConfig::embedding_scale, 1.0},
    Setting{"attention_multiplier", "attention.scale", &DecoderConfig::attention_scale, 1.0},
    Setting{"residual_multiplier", "residual_scale", &DecoderConfig::residual_scale, 1.0},
    Setting{"logits_scaling", "logit_scale", &DecoderConfig::logits_divisor, 1.0},
};

inline constexpr Family kGranite = {
    .name = "Granite",
    .architecture = "GraniteForCausalLM",
    .model_type = "granite",
    .gguf_architecture = "granite",
    .are_gguf_heads_interleaved = true,
    .modules = kLlamaModules,
    .qkv_bias = Bias::AsConfigured,
    .o_bias = Bias::AsConfigured,
    .mlp_bias = Bias::AsConfigured,
    .default_max_position = 2048,
    .settings = kGraniteSettings,
};

}  // namespace labelprobe::weights
