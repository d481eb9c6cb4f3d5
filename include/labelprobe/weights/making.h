// Makes model folders: copies with quantised weights, for loading without quantising again, and
// checkpoints with random weights in the shapes of well-known models, for measuring speed and
// memory where the real weights are not at hand. What random ones say means nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/files/ggml_types.h"
#include "labelprobe/weights/precision.h"

namespace labelprobe::weights {

// Writes a copy of the model with quantised weights to the folder `to`, which open() reads as it is
// (safetensors in the layout of transformers' bitsandbytes checkpoints; its tokenizer's files come
// along). Holds one tensor at a time. Throws as open() does, and ModelError where `to` is there.
void save_quantized(const std::filesystem::path& model,
                    DType dtype,
                    Quantization quantization,
                    const std::filesystem::path& to);

// Writes a copy of the model to the folder `to` whose weights have the adapter's updates in them,
// in full and in `dtype`; otherwise as save_quantized(). Linear layers are first made what
// `quantization` leaves of them, as they were when the adapter was trained on them so; None = as
// the checkpoint has them. Throws as save_quantized(), and as open() for an adapter that does not
// fit.
void merge_adapter(const std::filesystem::path& model,
                   const std::filesystem::path& adapter,
                   DType dtype,
                   Quantization quantization,
                   const std::filesystem::path& to);

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
  // How the linear layers of the decoder blocks are kept, as save_quantized() writes them.
  Quantization quantization = Quantization::None;
  // Set: a GGUF file is written, its matrices as this type, plainly quantised; one of
  // gguf_types_to_make(). `dtype` and `quantization` are not looked at then.
  std::optional<files::GgmlType> gguf_type;
  std::filesystem::path vocabulary;  // a GGUF file whose tokenizer comes along; or empty
  std::uint64_t seed = 0;
  int n_layers = 0;              // 0 = as many as the shape has, else at most so many
  std::filesystem::path folder;  // or file; must not exist
  // Told how many bytes of the weights are written, of how many; called from one thread.
  std::function<void(std::int64_t n_written, std::int64_t n_total)> on_progress;
};

// The weights of one kind, in memory.
struct WeightPart {
  std::string_view name;  // "embedding"
  std::int64_t n_numbers = 0;
  std::size_t unquantized_bytes = 0;
  std::size_t bytes = 0;  // quantised as asked for
};

struct RandomCheckpointPlan {
  std::vector<WeightPart> parts;          // that the model has, all its weights together
  std::size_t disk_bytes = 0;             // of all weight files
  std::size_t cache_bytes_per_token = 0;  // keys and values of all layers
  int max_context = 0;                    // positions
};

// "q4_k" and the others that --quant takes with GGUF; rows that are no whole blocks of them become
// Q8_0.
struct GgufTypeToMake {
  std::string_view name;
  files::GgmlType type;
};
std::span<const GgufTypeToMake> gguf_types_to_make();

// What a checkpoint takes, with nothing written. Throws ConfigError as below.
RandomCheckpointPlan plan_random_checkpoint(const RandomCheckpointOptions& options);

// Writes a GGUF file, or config.json, generation_config.json and safetensors in shards of at most 5
// GB: normal weights of the usual initialisation, so that activations stay finite. Same options,
// same bytes, whatever the number of threads; another dtype rounds the same weights. Holds a few
// MiB of them at a time, with Nf4Double some hundred. The folder appears when it is complete.
// Throws ConfigError for an unknown shape or too many layers, ModelError where the folder is there
// already, cannot be written, or needs more than the disk has left.
void write_random_checkpoint(const RandomCheckpointOptions& options);

}  // namespace labelprobe::weights
