// gpt-oss: experts with biases and a cut activation, a sink in every head, every other layer with a
// window. Its makers store the experts in MXFP4.
#pragma once

#include "weights/families/llama_block.h"

namespace labelprobe::weights {

inline constexpr std::array kGptOssModules = {
    kEmbedding,
    kInputNorm,
    kQuery,
    kKey,
    kValue,
    Module{Role::Sinks, "self_attn.sinks", "attn_sinks", Extent::Heads, Extent::None},
    kAttentionOutput,
    Module{Role::MlpNorm, "post_attention_layernorm", "post_attention_norm", Extent::Hidden,
           Extent::None},
    Module{Role::Router, "mlp.router", "ffn_gate_inp", Extent::Experts, Extent::Hidden,
           &DecoderConfig::mlp_bias},
    Module{Role::ExpertGate, "mlp.experts.{}.gate_proj", "ffn_gate_exps", Extent::ExpertInner,
           Extent::Hidden, &DecoderConfig::mlp_bias},
    Module{Role::ExpertUp, "mlp.experts.{}.up_proj", "ffn_up_exps", Extent::ExpertInner,
           Extent::Hidden, &DecoderConfig::mlp_bias},
    Module{Role::ExpertDown, "mlp.experts.{}.down_proj", "ffn_down_exps", Extent::Hidden,
           Extent::ExpertInner, &DecoderConfig::mlp_bias},
    kFinalNorm,
    kHead,
};

inline constexpr ExpertRules kGptOssExperts = {
    .count_key = "num_local_experts",
    .size_key = "intermediate_size",
    .n = 128,
    .n_per_token = 4,
    .intermediate_size = 2880,
    .swiglu_alpha = 1.702,
    .swiglu_limit = 7.0,
    .are_alternating = true,
};

inline constexpr Family kGptOss = {
    .name = "gpt-oss",
    .architecture = "GptOssForCausalLM",
    .model_type = "gpt_oss",
    .gguf_architecture = "gpt-oss",
    .modules = kGptOssModules,
    .qkv_bias = Bias::Always,
    .o_bias = Bias::Always,
    .mlp_bias = Bias::Always,
    .default_max_position = 131072,
    .default_window = 128,
    .default_head_dim = 64,
    .default_norm_eps = 1e-5,
    .windowed_layers = WindowedLayers::AllButEveryNth,
    .full_layer_interval = 2,
    .default_theta = 150000.0,
    .is_gguf_yarn_truncated = false,
    .has_sinks = true,
    .experts = &kGptOssExperts,
};

}  // namespace labelprobe::weights
