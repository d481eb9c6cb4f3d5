// Qwen3 whose MLPs are experts, in all layers or in some.
#pragma once

#include "weights/families/llama_block.h"

namespace labelprobe::weights {

inline constexpr std::array kQwen3MoeModules = {
    kEmbedding,
    kInputNorm,
    kQuery,
    kKey,
    kValue,
    kQueryHeadNorm,
    kKeyHeadNorm,
    kAttentionOutput,
    kMlpNorm,
    kGate,
    kUp,
    kDown,
    Module{Role::Router, "mlp.gate", "ffn_gate_inp", Extent::Experts, Extent::Hidden},
    Module{Role::ExpertGate, "mlp.experts.{}.gate_proj", "ffn_gate_exps", Extent::ExpertInner,
           Extent::Hidden},
    Module{Role::ExpertUp, "mlp.experts.{}.up_proj", "ffn_up_exps", Extent::ExpertInner,
           Extent::Hidden},
    Module{Role::ExpertDown, "mlp.experts.{}.down_proj", "ffn_down_exps", Extent::Hidden,
           Extent::ExpertInner},
    kFinalNorm,
    kHead,
};

inline constexpr ExpertRules kQwen3Experts = {
    .count_key = "num_experts",
    .size_key = "moe_intermediate_size",
    .n = 128,
    .n_per_token = 8,
    .intermediate_size = 768,
    .has_norm_switch = true,
};

inline constexpr Family kQwen3Moe = {
    .name = "Qwen3 MoE",
    .architecture = "Qwen3MoeForCausalLM",
    .model_type = "qwen3_moe",
    .gguf_architecture = "qwen3moe",
    .modules = kQwen3MoeModules,
    .qkv_bias = Bias::AsConfigured,
    .o_bias = Bias::AsConfigured,
    .default_max_position = 32768,
    .default_window = 4096,
    .has_window_switch = true,
    .experts = &kQwen3Experts,
};

}  // namespace labelprobe::weights
