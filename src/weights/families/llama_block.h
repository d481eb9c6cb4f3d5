// The modules of Llama's block and what stands around the blocks, which other families share.
#pragma once

#include <array>

#include "weights/families/family.h"

namespace labelprobe::weights {

inline constexpr Module kEmbedding = {Role::Embedding, "model.embed_tokens", "token_embd",
                                      Extent::Vocabulary, Extent::Hidden};
inline constexpr Module kInputNorm = {Role::InputNorm, "input_layernorm", "attn_norm",
                                      Extent::Hidden, Extent::None};
inline constexpr Module kQuery = {Role::Query,       "self_attn.q_proj", "attn_q",
                                  Extent::QueryRows, Extent::Hidden,     &DecoderConfig::qkv_bias};
inline constexpr Module kKey = {Role::Key,       "self_attn.k_proj", "attn_k",
                                Extent::KeyRows, Extent::Hidden,     &DecoderConfig::qkv_bias};
inline constexpr Module kValue = {Role::Value,     "self_attn.v_proj", "attn_v",
                                  Extent::KeyRows, Extent::Hidden,     &DecoderConfig::qkv_bias};
inline constexpr Module kAttentionOutput = {Role::AttentionOutput, "self_attn.o_proj",
                                            "attn_output",         Extent::Hidden,
                                            Extent::QueryRows,     &DecoderConfig::o_bias};
inline constexpr Module kMlpNorm = {Role::MlpNorm, "post_attention_layernorm", "ffn_norm",
                                    Extent::Hidden, Extent::None};
inline constexpr Module kGate = {Role::Gate,    "mlp.gate_proj", "ffn_gate",
                                 Extent::Inner, Extent::Hidden,  &DecoderConfig::mlp_bias};
inline constexpr Module kUp = {Role::Up,      "mlp.up_proj",  "ffn_up",
                               Extent::Inner, Extent::Hidden, &DecoderConfig::mlp_bias};
inline constexpr Module kDown = {Role::Down,     "mlp.down_proj", "ffn_down",
                                 Extent::Hidden, Extent::Inner,   &DecoderConfig::mlp_bias};
inline constexpr Module kFinalNorm = {Role::FinalNorm, "model.norm", "output_norm", Extent::Hidden,
                                      Extent::None};
inline constexpr Module kHead = {Role::Head, "lm_head", "output", Extent::Vocabulary,
                                 Extent::Hidden};

// Every head is taken by itself.
inline constexpr Module kQueryHeadNorm = {Role::QueryNorm, "self_attn.q_norm", "attn_q_norm",
                                          Extent::HeadSize, Extent::None};
inline constexpr Module kKeyHeadNorm = {Role::KeyNorm, "self_attn.k_norm", "attn_k_norm",
                                        Extent::HeadSize, Extent::None};

inline constexpr std::array kLlamaModules = {
    kEmbedding, kInputNorm, kQuery, kKey,  kValue,     kAttentionOutput,
    kMlpNorm,   kGate,      kUp,    kDown, kFinalNorm, kHead,
};

}  // namespace labelprobe::weights
