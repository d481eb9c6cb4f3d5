// OLMo 2 and 3: norms stand behind attention and MLP, none before them; queries and keys are normed
// over all heads. OLMo 3 has windows, and scales the rotary embedding of layers without one. Its
// GGUF files have the name of OLMo 2.
#pragma once

#include "weights/families/llama_block.h"

namespace labelprobe::weights {

inline constexpr std::array kOlmoModules = {
    kEmbedding,
    kQuery,
    kKey,
    kValue,
    Module{Role::QueryNorm, "self_attn.q_norm", "attn_q_norm", Extent::QueryRows, Extent::None},
    Module{Role::KeyNorm, "self_attn.k_norm", "attn_k_norm", Extent::KeyRows, Extent::None},
    kAttentionOutput,
    Module{Role::AttentionNorm, "post_attention_layernorm", "post_attention_norm", Extent::Hidden,
           Extent::None},
    kGate,
    kUp,
    kDown,
    Module{Role::MlpOutputNorm, "post_feedforward_layernorm", "post_ffw_norm", Extent::Hidden,
           Extent::None},
    kFinalNorm,
    kHead,
};

inline constexpr Family kOlmo2 = {
    .name = "OLMo 2",
    .architecture = "Olmo2ForCausalLM",
    .model_type = "olmo2",
    .gguf_architecture = "olmo2",
    .modules = kOlmoModules,
    .qkv_bias = Bias::AsConfigured,
    .o_bias = Bias::AsConfigured,
    .default_max_position = 2048,
    .default_norm_eps = 1e-5,
};

inline constexpr Family kOlmo3 = {
    .name = "OLMo 3",
    .architecture = "Olmo3ForCausalLM",
    .model_type = "olmo3",
    .gguf_architecture = "olmo2",
    .modules = kOlmoModules,
    .qkv_bias = Bias::AsConfigured,
    .o_bias = Bias::AsConfigured,
    .default_max_position = 2048,
    .default_window = 4096,
    .default_norm_eps = 1e-5,
    .windowed_layers = WindowedLayers::AllButEveryNth,
    .full_layer_interval = 4,
    .default_theta = 500000.0,
    .has_window_rope = true,
};

}  // namespace labelprobe::weights
