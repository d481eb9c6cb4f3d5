// Gemma 2 and 3 as text models: norms before and behind attention and MLP, whose weights are added
// to 1, scaled embeddings, GELU, layers with and without a window. Gemma 2 caps logits; Gemma 3
// norms queries and keys instead, and turns layers with a window by another theta.
#pragma once

#include "weights/families/llama_block.h"

namespace labelprobe::weights {

inline constexpr Module kGemmaAttentionNorm = {Role::AttentionNorm, "post_attention_layernorm",
                                               "post_attention_norm", Extent::Hidden, Extent::None};
inline constexpr Module kGemmaMlpNorm = {Role::MlpNorm, "pre_feedforward_layernorm", "ffn_norm",
                                         Extent::Hidden, Extent::None};
inline constexpr Module kGemmaMlpOutputNorm = {Role::MlpOutputNorm, "post_feedforward_layernorm",
                                               "post_ffw_norm", Extent::Hidden, Extent::None};

inline constexpr std::array kGemma2Modules = {
    kEmbedding,          kInputNorm,    kQuery, kKey, kValue, kAttentionOutput,
    kGemmaAttentionNorm, kGemmaMlpNorm, kGate,  kUp,  kDown,  kGemmaMlpOutputNorm,
    kFinalNorm,          kHead,
};

inline constexpr std::array kGemma3Modules = {
    kEmbedding,
    kInputNorm,
    kQuery,
    kKey,
    kValue,
    kQueryHeadNorm,
    kKeyHeadNorm,
    kAttentionOutput,
    kGemmaAttentionNorm,
    kGemmaMlpNorm,
    kGate,
    kUp,
    kDown,
    kGemmaMlpOutputNorm,
    kFinalNorm,
    kHead,
};

inline constexpr Setting kGemmaFinalCap = {"final_logit_softcapping", "final_logit_softcapping",
                                           &DecoderConfig::final_softcap, 0.0};

inline constexpr std::array kGemma2Settings = {
    Setting{"attn_logit_softcapping", "attn_logit_softcapping", &DecoderConfig::attention_softcap,
            50.0},
    Setting{"final_logit_softcapping", "final_logit_softcapping", &DecoderConfig::final_softcap,
            30.0},
};

inline constexpr std::array kGemma3Settings = {kGemmaFinalCap};

// The largest one scales attention by hidden_size / heads; GGUF files do not say so.
inline constexpr Family kGemma2 = {
    .name = "Gemma 2",
    .architecture = "Gemma2ForCausalLM",
    .model_type = "gemma2",
    .gguf_architecture = "gemma2",
    .modules = kGemma2Modules,
    .qkv_bias = Bias::AsConfigured,
    .o_bias = Bias::AsConfigured,
    .default_max_position = 8192,
    .default_window = 4096,
    .default_head_dim = 256,
    .is_tied_by_default = true,
    .windowed_layers = WindowedLayers::AllButEveryNth,
    .full_layer_interval = 2,
    .activation = Activation::GeluTanh,
    .are_norms_one_plus = true,
    .is_embedding_scaled = true,
    .settings = kGemma2Settings,
    .default_query_scalar = 256,
    .gguf_wide_scalar_layers = 46,
};

constexpr Family gemma3(std::string_view name,
                        std::string_view architecture,
                        std::string_view model_type) {
  return {
      .name = name,
      .architecture = architecture,
      .model_type = model_type,
      .gguf_architecture = "gemma3",
      .modules = kGemma3Modules,
      .qkv_bias = Bias::AsConfigured,
      .o_bias = Bias::AsConfigured,
      .default_max_position = 131072,
      .default_window = 4096,
      .default_n_heads = 8,
      .default_n_kv_heads = 4,
      .default_head_dim = 256,
      .default_vocab_size = 262208,
      .is_tied_by_default = true,
      .windowed_layers = WindowedLayers::AllButEveryNth,
      .full_layer_interval = 6,
      .default_theta = 1000000.0,
      .has_window_rope = true,
      .default_window_theta = 10000.0,
      .activation = Activation::GeluTanh,
      .are_norms_one_plus = true,
      .is_embedding_scaled = true,
      .settings = kGemma3Settings,
      .default_query_scalar = 256,
      .gguf_wide_scalar_layers = 62,
  };
}

inline constexpr Family kGemma3 = gemma3("Gemma 3", "Gemma3ForCausalLM", "gemma3_text");

// The text half of the models that see images too. llama.cpp writes it as the other one.
inline constexpr Family kGemma3WithImages = [] {
  Family family = gemma3("Gemma 3 with images", "Gemma3ForConditionalGeneration", "gemma3");
  family.gguf_architecture = {};
  family.is_text_part = true;
  return family;
}();

}  // namespace labelprobe::weights
