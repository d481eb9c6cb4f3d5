// A LoRA adapter (Hu et al. 2021) in the folder that peft writes: adapter_config.json and
// adapter_model.safetensors. To the weight W [out, in] of a linear layer it adds s B A, with A [r,
// in], B [out, r] and s = alpha / r (rslora: alpha / sqrt(r)). Goals: plain LoRA on any linear
// layer of a family we know. Non-goals: DoRA, embeddings, whole modules saved beside, ranks or
// alphas by pattern; they are refused by their key.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <ATen/core/Tensor.h>

#include "weights/adapter/adapter_settings.h"
#include "weights/families/parameters.h"

namespace labelprobe::weights {

struct LoraUpdate {
  at::Tensor a;  // [r, in], float32
  at::Tensor b;  // [out, r], float32
  double scale = 1.0;
};

class Adapter {
 public:
  // Throws ModelError (file, key or tensor, expected, found) for what it does not read, and where
  // the matrices do not fit the decoder: then the adapter is for another base.
  static Adapter open(const std::filesystem::path& folder, const DecoderConfig& config);

  // By the name of the weight: "model.layers.0.self_attn.q_proj.weight"; never empty.
  const std::map<std::string, LoraUpdate, std::less<>>& updates() const { return updates_; }
  bool changes(const Parameter& parameter) const { return updates_.contains(parameter.name); }

  // Adds the update to the parameter's weight, float32 on the CPU. It is one that changes() names.
  void add_to(const Parameter& parameter, at::Tensor& weight) const;

  // The matrices, and what they are multiplied with.
  const std::string& fingerprint() const { return fingerprint_; }
  // The base's weights, where the adapter was made by this program; or empty.
  const std::string& base_fingerprint() const { return base_fingerprint_; }

 private:
  std::map<std::string, LoraUpdate, std::less<>> updates_;
  std::string fingerprint_;
  std::string base_fingerprint_;
};

// The files of a folder.
inline constexpr const char* kAdapterFile = "adapter_model.safetensors";
// Our own, beside peft's: {"base_fingerprint": ".."}.
inline constexpr const char* kAdapterNoteFile = "labelprobe_adapter.json";

// What peft calls the matrices of a parameter:
// "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight".
std::string lora_name(const std::string& parameter, char matrix);

}  // namespace labelprobe::weights
