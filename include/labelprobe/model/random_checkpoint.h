// Checkpoints with random weights in the shapes of well-known models: for measuring speed and
// memory where the real weights are not at hand. What they say means nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "labelprobe/model/language_model.h"

namespace labelprobe::model {

struct ModelShape {
  std::string_view name;  // "llama-3.1-8b"
  std::string_view description;
  int n_layers = 0;
  int vocab_size = 0;
  std::int64_t n_parameters = 0;  // as published
};

// Every shape that write_random_checkpoint() knows, in the order --help shows them.
std::span<const ModelShape> model_shapes();

// The one of that name. Throws ConfigError for an unknown one, with the nearest.
const ModelShape& model_shape(std::string_view name);

struct RandomCheckpointOptions {
  std::string shape;
  DType dtype = DType::BFloat16;
  std::uint64_t seed = 0;
  int n_layers = 0;              // 0 = as many as the shape has, else at most so many
  std::filesystem::path folder;  // must not exist
  // Told how many bytes of the weights are written, of how many; called from one thread.
  std::function<void(std::int64_t n_written, std::int64_t n_total)> on_progress;
};

// Writes config.json, generation_config.json and safetensors in shards of at most 5 GB: normal
// weights of the usual initialisation, so that activations stay finite. Same options, same bytes;
// another dtype rounds the same weights. Holds a few MiB of them at a time. The folder appears when
// it is complete. Throws ConfigError for an unknown shape or too many layers, ModelError where the
// folder is there already, cannot be written, or needs more than the disk has left.
void write_random_checkpoint(const RandomCheckpointOptions& options);

}  // namespace labelprobe::model
