// Phi-3, Phi-3.5 and Phi-4 (-mini): queries, keys and values are one matrix, gate and up another;
// some turn only a part of each head.
#pragma once

#include "weights/families/llama_block.h"

namespace labelprobe::weights {

inline constexpr std::array kPhi3Modules = {
    kEmbedding,
    kInputNorm,
    Module{Role::QueryKeyValue, "self_attn.qkv_proj", "attn_qkv", Extent::QueryKeyValueRows,
           Extent::Hidden},
    kAttentionOutput,
    kMlpNorm,
    Module{Role::GateUp, "mlp.gate_up_proj", "ffn_up", Extent::InnerTwice, Extent::Hidden},
    kDown,
    kFinalNorm,
    kHead,
};

inline constexpr Family kPhi3 = {
    .name = "Phi-3",
    .architecture = "Phi3ForCausalLM",
    .model_type = "phi3",
    .gguf_architecture = "phi3",
    .modules = kPhi3Modules,
    .default_max_position = 4096,
    .default_norm_eps = 1e-5,
    .has_partial_rotary = true,
};

}  // namespace labelprobe::weights
