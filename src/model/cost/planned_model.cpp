#include "model/cost/planned_model.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "labelprobe/model/cost.h"
#include "labelprobe/weights/making.h"

#include "model/decoder/placement.h"
#include "model/engine/model_info.h"
#include "weights/checkpoint/checkpoint.h"
#include "weights/device/dtype.h"
#include "weights/making/model_shapes.h"

namespace labelprobe::model {
namespace cost {
namespace {

namespace fs = std::filesystem;

// Everything in the folder that may hold weights.
double bytes_on_disk(const fs::path& model) {
  if (!fs::is_directory(model)) return static_cast<double>(fs::file_size(model));
  double sum = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(model)) {
    if (entry.path().extension() == ".safetensors") sum += static_cast<double>(entry.file_size());
  }
  return sum;
}

// As make-model would write it.
double bytes_of_shape(const std::string& shape, Quantization quantization) {
  weights::RandomCheckpointOptions options;
  options.shape = shape;
  options.quantization = quantization;
  return static_cast<double>(weights::plan_random_checkpoint(options).disk_bytes);
}

}  // namespace

// As the engine places them, on cards whose whole memory is free.
CardPart fullest_part(const PlannedModel& model, int n_cards, double card_bytes) {
  if (n_cards == 1) return {model, model.config.n_layers};
  const auto dtype_bytes = weights::dtype_bytes(model.info.dtype);
  const auto n_matrix = static_cast<std::size_t>(model.config.vocab_size) *
                        static_cast<std::size_t>(model.config.hidden_size) * dtype_bytes;
  const std::size_t n_first = model.config.tie_word_embeddings ? n_matrix : 2 * n_matrix;
  const std::vector<std::size_t> n_free(static_cast<std::size_t>(n_cards),
                                        static_cast<std::size_t>(card_bytes));
  const std::vector<int> n_layers = divide_layers(model.config.n_layers, n_free, n_first);
  const auto all_layers = static_cast<double>(model.config.n_layers);
  const double layer_bytes =
      (static_cast<double>(model.info.weight_bytes) - static_cast<double>(n_first)) / all_layers;
  CardPart part{model, *std::max_element(n_layers.begin(), n_layers.end())};
  double fullest = 0;
  for (std::size_t i = 0; i < n_layers.size(); ++i) {
    const double bytes = n_layers[i] * layer_bytes + (i == 0 ? static_cast<double>(n_first) : 0.0);
    fullest = std::max(fullest, bytes);
  }
  part.model.info.weight_bytes = static_cast<std::size_t>(fullest);
  part.model.info.cache_bytes_per_token = model.info.cache_bytes_per_token *
                                          static_cast<std::size_t>(part.n_layers) /
                                          static_cast<std::size_t>(model.config.n_layers);
  return part;
}

PlannedModel planned_model(const std::string& model, DType dtype, Quantization quantization) {
  PlannedModel planned;
  if (fs::exists(model)) {
    const weights::Checkpoint checkpoint = weights::Checkpoint::open(model);
    planned.config = checkpoint.config();
    planned.info = describe(checkpoint, dtype, quantization);
    planned.disk_bytes = bytes_on_disk(model);
    return planned;
  }
  planned.info = inspect_shape(model, dtype, quantization);
  planned.config = weights::decoder_config_of(model, 0);
  planned.disk_bytes = bytes_of_shape(model, quantization);
  return planned;
}

}  // namespace cost

ModelInfo inspect_shape(const std::string& shape, DType dtype, Quantization quantization) {
  const weights::DecoderConfig config = weights::decoder_config_of(shape, 0);
  weights::RandomCheckpointOptions options;
  options.shape = shape;
  options.dtype = dtype;
  options.quantization = quantization;
  const weights::RandomCheckpointPlan plan = weights::plan_random_checkpoint(options);
  ModelInfo info;
  info.architecture = config.family->architecture;
  info.vocab_size = config.vocab_size;
  info.max_context = config.max_position_embeddings;
  for (const weights::WeightPart& part : plan.parts) {
    info.n_parameters += part.n_numbers;
    info.weight_bytes += part.bytes;
  }
  info.cache_bytes_per_token = plan.cache_bytes_per_token;
  info.dtype = dtype;
  info.quantization = quantization;
  info.fingerprint = shape;
  return info;
}

}  // namespace labelprobe::model
