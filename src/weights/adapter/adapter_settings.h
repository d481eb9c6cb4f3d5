// What adapter_config.json says of a LoRA adapter. Knows nothing of its matrices.
#pragma once

#include <filesystem>

namespace labelprobe::weights {

inline constexpr const char* kAdapterConfigFile = "adapter_config.json";

struct AdapterSettings {
  double alpha = 0.0;      // lora_alpha
  bool is_rslora = false;  // use_rslora: alpha / sqrt(r) instead of alpha / r
};

// Throws ModelError (file, key, expected, found) for what is not plain LoRA.
AdapterSettings read_adapter_settings(const std::filesystem::path& folder);

}  // namespace labelprobe::weights
