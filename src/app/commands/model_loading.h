// How the model of a setting is opened, and how that is said.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "labelprobe/model/language_model.h"

#include "app/options/options.h"

namespace labelprobe::app {

struct ModelLoading {
  std::filesystem::path model;
  model::OpenOptions options;
  // Where the quantised weights are written before they are run from there; empty = nowhere.
  std::filesystem::path packed_copy;
  std::string packed_copy_place;  // where that was asked for, for messages
  std::string tf32_place;
};

// From kLoadingGroup, and the model's name in `name_or_path`. Throws ConfigError for flags that
// contradict each other, ModelError for a model that is not found.
ModelLoading make_model_loading(const Options& options, const std::string& name_or_path);

// A warning if TF32 was asked for where it changes nothing, else empty. `device` is the one used.
std::string warn_of_idle_tf32(const ModelLoading& loading, std::string_view device);

// "float32", or "FP4 weights, float32" where weights are kept otherwise than they are computed.
std::string describe_numerics(weights::Quantization quantization, weights::DType dtype);

}  // namespace labelprobe::app
