#include "weights/checkpoint/gguf_tensors.h"

#include <string>
#include <string_view>
#include <utility>

#include "weights/families/parameters.h"

namespace labelprobe::weights {
namespace {

// Tables of rotary embeddings, which the configuration was made from.
bool is_rotary(std::string_view name) {
  return name.starts_with("rope_freqs.") || name.starts_with("rope_factors_") ||
         (name.starts_with("blk.") && name.find(".attn_rot_embd.") != name.npos);
}

int n_interleaved_heads(const DecoderConfig& config, const Module* module) {
  if (module == nullptr || !config.family->are_gguf_heads_interleaved) {
    return 0;
  }
  return module->role == Role::Query ? config.n_heads
         : module->role == Role::Key ? config.n_kv_heads
                                     : 0;
}

}  // namespace

std::vector<StoredTensor> gguf_tensors(const files::GgufFile& file, const DecoderConfig& config) {
  std::vector<StoredTensor> tensors;
  for (const files::GgufTensor& stored : file.tensors()) {
    if (is_rotary(stored.name)) {
      continue;
    }
    GgufName name = read_gguf_name(*config.family, stored.name);
    StoredTensor tensor;
    tensor.name = std::move(name.hugging_face);
    tensor.file_name = stored.name;
    tensor.file = file.path();
    tensor.type_name = files::ggml_type_name(stored.type);
    tensor.shape = stored.shape;
    tensor.bytes = stored.bytes;
    if (files::block_layout(static_cast<files::GgmlType>(stored.type))) {
      tensor.type = static_cast<files::GgmlType>(stored.type);
    }
    tensor.n_interleaved_heads = n_interleaved_heads(config, name.module);
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace labelprobe::weights
