// Mixtral 8x7B and 8x22B: Mistral whose MLPs are experts. llama.cpp writes them as Llama with
// experts.
#pragma once

#include "weights/families/llama_block.h"

namespace labelprobe::weights {

inline constexpr std::array kMixtralModules = {
    kEmbedding,
    kInputNorm,
    kQuery,
    kKey,
    kValue,
    kAttentionOutput,
    kMlpNorm,
    Module{Role::Router, "block_sparse_moe.gate", "ffn_gate_inp", Extent::Experts, Extent::Hidden},
    Module{Role::ExpertGate, "block_sparse_moe.experts.{}.w1", "ffn_gate_exps", Extent::ExpertInner,
           Extent::Hidden},
    Module{Role::ExpertUp, "block_sparse_moe.experts.{}.w3", "ffn_up_exps", Extent::ExpertInner,
           Extent::Hidden},
    Module{Role::ExpertDown, "block_sparse_moe.experts.{}.w2", "ffn_down_exps", Extent::Hidden,
           Extent::ExpertInner},
    kFinalNorm,
    kHead,
};

inline constexpr ExpertRules kMixtralExperts = {
    .count_key = "num_local_experts",
    .size_key = "intermediate_size",
    .n = 8,
    .n_per_token = 2,
    .intermediate_size = 14336,
};

inline constexpr Family kMixtral = {
    .name = "Mixtral",
    .architecture = "MixtralForCausalLM",
    .model_type = "mixtral",
    .gguf_architecture = "llama",
    .are_gguf_heads_interleaved = true,
    .modules = kMixtralModules,
    .default_max_position = 131072,
    .default_norm_eps = 1e-5,
    .default_theta = 1000000.0,
    .experts = &kMixtralExperts,
};

}  // namespace labelprobe::weights
