#include "weights/encoder/encoder_weights.h"

#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "weights/checkpoint/tensor_loading.h"

namespace labelprobe::weights {
namespace {

namespace fs = std::filesystem;

// The encoder's own name, "encoder.x", for a whole model's tensor "bert.encoder.x".
std::string_view bare_name(std::string_view name) {
  for (const std::string_view prefix : {"bert.", "mpnet.", "auto_model."}) {
    if (name.starts_with(prefix)) {
      return name.substr(prefix.size());
    }
  }
  return name;
}

bool is_beside_the_point(std::string_view name) {
  return name.starts_with("pooler.") || name.starts_with("cls.") || name.starts_with("lm_head.") ||
         name.starts_with("classifier.") || name == "embeddings.position_ids";
}

}  // namespace

EncoderWeights::EncoderWeights(const fs::path& folder)
    : files_(folder, [](std::string_view name) {
        const std::string_view bare = bare_name(name);
        return std::string(is_beside_the_point(bare) ? std::string_view() : bare);
      }) {
  std::vector<std::string> old_names;
  for (const auto& [name, tensor] : files_.tensors()) {
    if (name.ends_with("LayerNorm.gamma") || name.ends_with("LayerNorm.beta")) {
      old_names.push_back(name);
    }
  }
  for (const std::string& name : old_names) {
    const std::string stem = name.substr(0, name.rfind('.'));
    files_.rename(name, stem + (name.ends_with(".gamma") ? ".weight" : ".bias"));
  }
}

at::Tensor EncoderWeights::take(const std::string& name, std::span<const std::int64_t> shape) {
  const StoredTensor& tensor = files_.find(name);
  check_form(tensor, shape);
  taken_.insert(name);
  return load_tensor(tensor, DType::Float32);
}

void EncoderWeights::check_all_taken() const {
  for (const auto& [name, tensor] : files_.tensors()) {
    if (!taken_.contains(name)) {
      throw ModelError(
          fmt::format("{}: tensor {} belongs to no part of the encoder that config.json describes",
                      tensor.file.string(), tensor.file_name));
    }
  }
}

}  // namespace labelprobe::weights
