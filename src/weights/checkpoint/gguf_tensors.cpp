#include "weights/checkpoint/gguf_tensors.h"

#include <array>
#include <string>
#include <string_view>

#include "weights/checkpoint/dequantize.h"

namespace labelprobe::weights {
namespace {

struct Renaming {
  std::string_view gguf;
  std::string_view hugging_face;
};

constexpr std::array kOutsideLayers = {
    Renaming{"token_embd", "model.embed_tokens"},
    Renaming{"output_norm", "model.norm"},
    Renaming{"output", "lm_head"},
};

constexpr std::array kInLayers = {
    Renaming{"attn_norm", "input_layernorm"},    Renaming{"attn_q", "self_attn.q_proj"},
    Renaming{"attn_k", "self_attn.k_proj"},      Renaming{"attn_v", "self_attn.v_proj"},
    Renaming{"attn_output", "self_attn.o_proj"}, Renaming{"ffn_norm", "post_attention_layernorm"},
    Renaming{"ffn_gate", "mlp.gate_proj"},       Renaming{"ffn_up", "mlp.up_proj"},
    Renaming{"ffn_down", "mlp.down_proj"},
};

template <std::size_t N>
std::string_view renamed(const std::array<Renaming, N>& renamings, std::string_view name) {
  for (const Renaming& renaming : renamings) {
    if (renaming.gguf == name) {
      return renaming.hugging_face;
    }
  }
  return {};
}

// A GGUF name taken apart: "blk.7.attn_q.weight" is layer "7", module "attn_q", kind "weight".
struct Parts {
  std::string_view layer;  // empty outside the layers
  std::string_view module;
  std::string_view kind;
};

Parts split_name(std::string_view name) {
  Parts parts;
  if (name.starts_with("blk.")) {
    const std::size_t end = name.find('.', 4);
    parts.layer = name.substr(4, end == std::string_view::npos ? end : end - 4);
    name = end == std::string_view::npos ? std::string_view() : name.substr(end + 1);
  }
  const std::size_t dot = name.rfind('.');
  parts.module = name.substr(0, dot);
  parts.kind = dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
  return parts;
}

std::string hugging_face_name(const std::string& name) {
  const Parts parts = split_name(name);
  const std::string_view module = parts.layer.empty() ? renamed(kOutsideLayers, parts.module)
                                                      : renamed(kInLayers, parts.module);
  if (module.empty() || (parts.kind != "weight" && parts.kind != "bias")) {
    return name;
  }
  const std::string prefix =
      parts.layer.empty() ? "" : "model.layers." + std::string(parts.layer) + ".";
  return prefix + std::string(module) + "." + std::string(parts.kind);
}

}  // namespace

std::vector<StoredTensor> gguf_tensors(const files::GgufFile& file, const DecoderConfig& config) {
  // llama.cpp turns neighbours (0, 1), (2, 3), .. of a Llama head where transformers turns
  // (0, half), (1, half + 1), ..; its converter reorders the rows accordingly. Qwen2's stay.
  const bool is_interleaved = config.architecture == "LlamaForCausalLM";
  std::vector<StoredTensor> tensors;
  for (const files::GgufTensor& stored : file.tensors()) {
    const Parts parts = split_name(stored.name);
    if (parts.module == "rope_freqs" || parts.module == "attn_rot_embd") {
      continue;
    }
    StoredTensor tensor;
    tensor.name = hugging_face_name(stored.name);
    tensor.file_name = stored.name;
    tensor.file = file.path();
    tensor.type_name = type_name(stored.type);
    tensor.shape = stored.shape;
    tensor.bytes = stored.bytes;
    if (block_layout(static_cast<files::GgmlType>(stored.type))) {
      tensor.type = static_cast<files::GgmlType>(stored.type);
    }
    if (is_interleaved && parts.module == "attn_q") {
      tensor.n_interleaved_heads = config.n_heads;
    } else if (is_interleaved && parts.module == "attn_k") {
      tensor.n_interleaved_heads = config.n_kv_heads;
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace labelprobe::weights
