// Checkpoints with random weights in the shapes of well-known models: for measuring speed and
// memory where the real weights are not at hand. What they say means nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "labelprobe/model/language_model.h"

namespace labelprobe::model {

struct ModelShape {
  std::string_view name;  // "llama-3.1-8b"
  std::string_view description;
  std::int64_t n_parameters = 0;
};

// Every shape that write_random_checkpoint() knows, in the order --help shows them.
std::span<const ModelShape> model_shapes();

struct RandomCheckpointOptions {
  std::string shape;
  DType dtype = DType::BFloat16;
  std::uint64_t seed = 0;
  int n_layers = 0;              // 0 = as many as the shape has
  std::filesystem::path folder;  // must not exist
};

// Writes config.json and safetensors in shards of at most 5 GB, one tensor in memory at a time:
// normal weights of the usual initialisation, so that activations stay finite. Same options, same
// bytes. Throws ConfigError for an unknown shape, ModelError where the folder cannot be written.
void write_random_checkpoint(const RandomCheckpointOptions& options);

}  // namespace labelprobe::model
