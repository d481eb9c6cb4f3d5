// The modules of Llama's block and what stands around the blocks, which other families share.
#pragma once

#include <array>

#include "weights/families/family.h"

namespace labelprobe::weights {

inline constexpr std::array kLlamaModules = {
    Module{Role::Embedding, "model.embed_tokens", "token_embd", Extent::Vocabulary, Extent::Hidden},
    Module{Role::InputNorm, "input_layernorm", "attn_norm", Extent::Hidden, Extent::None},
    Module{Role::Query, "self_attn.q_proj", "attn_q", Extent::QueryRows, Extent::Hidden,
           &DecoderConfig::qkv_bias},
    Module{Role::Key, "self_attn.k_proj", "attn_k", Extent::KeyRows, Extent::Hidden,
           &DecoderConfig::qkv_bias},
    Module{Role::Value, "self_attn.v_proj", "attn_v", Extent::KeyRows, Extent::Hidden,
           &DecoderConfig::qkv_bias},
    Module{Role::AttentionOutput, "self_attn.o_proj", "attn_output", Extent::Hidden,
           Extent::QueryRows, &DecoderConfig::o_bias},
    Module{Role::MlpNorm, "post_attention_layernorm", "ffn_norm", Extent::Hidden, Extent::None},
    Module{Role::Gate, "mlp.gate_proj", "ffn_gate", Extent::Inner, Extent::Hidden,
           &DecoderConfig::mlp_bias},
    Module{Role::Up, "mlp.up_proj", "ffn_up", Extent::Inner, Extent::Hidden,
           &DecoderConfig::mlp_bias},
    Module{Role::Down, "mlp.down_proj", "ffn_down", Extent::Hidden, Extent::Inner,
           &DecoderConfig::mlp_bias},
    Module{Role::FinalNorm, "model.norm", "output_norm", Extent::Hidden, Extent::None},
    Module{Role::Head, "lm_head", "output", Extent::Vocabulary, Extent::Hidden},
};

}  // namespace labelprobe::weights
