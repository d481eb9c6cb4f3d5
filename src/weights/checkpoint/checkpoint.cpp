#include "weights/checkpoint/checkpoint.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/files/mapped_file.h"

#include "weights/checkpoint/dequantize.h"
#include "weights/checkpoint/gguf_tensors.h"
#include "weights/checkpoint/quantized_tensors.h"
#include "weights/checkpoint/read_ahead.h"
#include "weights/checkpoint/safetensors.h"
#include "weights/checkpoint/tensor_loading.h"
#include "weights/device/dtype.h"

namespace labelprobe::weights {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSampleBytes = 4096;
constexpr std::size_t kMaxNamesShown = 5;

// "a, b, c and 4 more"
std::string list_names(const std::vector<std::string>& names) {
  std::string text;
  const std::size_t n_shown = std::min(names.size(), kMaxNamesShown);
  for (std::size_t i = 0; i < n_shown; ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  return names.size() == n_shown
             ? text
             : text + " and " + std::to_string(names.size() - n_shown) + " more";
}

// "model.norm.weight", or "model.norm.weight (output_norm.weight in the file)".
std::string describe_name(const StoredTensor& tensor) {
  return tensor.name == tensor.file_name ? tensor.name
                                         : tensor.name + " (" + tensor.file_name + " in the file)";
}

void add_tensor(TensorMap& tensors, StoredTensor tensor) {
  const std::string name = tensor.name;
  const auto [position, is_new] = tensors.try_emplace(name, std::move(tensor));
  if (!is_new) {
    throw ModelError(position->second.file.string() + ": tensor " + name +
                     " is there twice; expected every tensor once in all files of the model");
  }
}

void check_shape(const StoredTensor& tensor, std::span<const std::int64_t> expected) {
  if (!std::equal(tensor.shape.begin(), tensor.shape.end(), expected.begin(), expected.end())) {
    throw ModelError(tensor.file.string() + ": tensor " + describe_name(tensor) +
                     ": expected shape " + describe_shape(expected) + ", found " +
                     describe_shape(tensor.shape));
  }
}

// Tensors that repeat what the configuration says: rotary tables that old versions of transformers
// saved, and the head of a model whose embedding serves as head.
bool is_redundant(std::string_view name, const DecoderConfig& config) {
  return name.ends_with(".rotary_emb.inv_freq") ||
         (config.tie_word_embeddings && name == "lm_head.weight");
}

void check_both_ways(const fs::path& path, const TensorMap& tensors, const DecoderConfig& config) {
  std::vector<std::string> missing;
  std::set<std::string, std::less<>> expected;
  std::set<std::string, std::less<>> beside;  // the rest of quantised parameters
  for (const Parameter& parameter : parameters_of(config)) {
    expected.insert(parameter.name);
    const auto found = tensors.find(parameter.name);
    if (found == tensors.end()) {
      missing.push_back(parameter.name);
      continue;
    }
    if (is_stored_quantized(tensors, parameter.name, config.quantization)) {
      check_quantized(tensors, parameter.name, parameter.shape, config.quantization);
      for (const std::string& name : quantized_names(parameter.name, config.quantization)) {
        beside.insert(name);
      }
      continue;
    }
    const StoredTensor& tensor = found->second;
    check_shape(tensor, parameter.shape);
    if (!tensor.type) {
      throw ModelError(tensor.file.string() + ": tensor " + describe_name(tensor) +
                       ": expected a type of " + known_type_names() + "; found " +
                       tensor.type_name);
    }
  }
  if (!missing.empty()) {
    throw ModelError(path.string() + ": expected " + std::to_string(expected.size()) +
                     " tensors of a " + config.architecture + ", " +
                     std::to_string(missing.size()) + " of them missing: " + list_names(missing));
  }
  std::vector<std::string> left_over;
  for (const auto& [name, tensor] : tensors) {
    if (!expected.contains(name) && !beside.contains(name) && !is_redundant(name, config)) {
      left_over.push_back(name);
    }
  }
  if (!left_over.empty()) {
    throw ModelError(path.string() + ": expected only the tensors of a " + config.architecture +
                     " with the layers and biases of its configuration, found " +
                     std::to_string(left_over.size()) + " others: " + list_names(left_over));
  }
}

std::int64_t n_elements(const Parameter& parameter) {
  return std::accumulate(parameter.shape.begin(), parameter.shape.end(), std::int64_t{1},
                         std::multiplies<>());
}

}  // namespace

struct Checkpoint::Files {
  fs::path path;
  DecoderConfig config;
  std::vector<SafetensorsFile> safetensors;
  std::optional<files::GgufFile> gguf;
  TensorMap tensors;  // by Hugging Face name
  std::set<std::string, std::less<>> loaded;
  std::unique_ptr<ReadAhead> read_ahead;  // the last member: it reads the others' bytes
};

Checkpoint::Checkpoint(std::unique_ptr<Files> files) : files_(std::move(files)) {}
Checkpoint::~Checkpoint() = default;
Checkpoint::Checkpoint(Checkpoint&&) noexcept = default;
Checkpoint& Checkpoint::operator=(Checkpoint&&) noexcept = default;

Checkpoint Checkpoint::open(const fs::path& path) {
  auto files = std::make_unique<Files>();
  files->path = path;
  if (fs::is_directory(path)) {
    files->config = load_config(path);
    files->safetensors = open_safetensors(path);
    for (const SafetensorsFile& file : files->safetensors) {
      for (const StoredTensor& tensor : file.tensors()) {
        add_tensor(files->tensors, tensor);
      }
    }
  } else {
    files->gguf = files::GgufFile::open(path);
    files->config = load_config(*files->gguf);
    for (StoredTensor& tensor : gguf_tensors(*files->gguf, files->config)) {
      add_tensor(files->tensors, std::move(tensor));
    }
  }
  check_both_ways(path, files->tensors, files->config);
  return Checkpoint(std::move(files));
}

const DecoderConfig& Checkpoint::config() const {
  return files_->config;
}

bool Checkpoint::has(std::string_view name) const {
  return files_->tensors.contains(name);
}

Quantization Checkpoint::quantization_of(std::string_view name) const {
  return is_stored_quantized(files_->tensors, std::string(name), files_->config.quantization)
             ? files_->config.quantization
             : Quantization::None;
}

Quantization Checkpoint::quantization(Quantization asked) const {
  const Quantization stored = files_->config.quantization;
  if (stored != Quantization::None && asked != Quantization::None && asked != stored) {
    throw ModelError(files_->path.string() + ": expected weights to be quantised as " +
                     std::string(quantization_name(asked)) + ", found them stored as " +
                     std::string(quantization_name(stored)) +
                     "; leave the quantisation out, or use the model's original weights");
  }
  return stored != Quantization::None ? stored : asked;
}

Quantization Checkpoint::quantization_of(std::string_view name, Quantization asked) const {
  const Quantization kept = quantization(asked);
  // A quantised checkpoint says itself which modules it leaves out.
  if (files_->config.quantization != Quantization::None) {
    return quantization_of(name);
  }
  return is_block_linear(name) ? kept : Quantization::None;
}

const StoredTensor& Checkpoint::find(std::string_view name) const {
  const auto found = files_->tensors.find(name);
  if (found == files_->tensors.end()) {
    throw ModelError(files_->path.string() + ": tensor " + std::string(name) + " is missing");
  }
  return found->second;
}

// The tensors that hold the parameter.
std::vector<const StoredTensor*> Checkpoint::tensors_of(std::string_view name) const {
  std::vector<const StoredTensor*> tensors = {&find(name)};
  if (const Quantization stored = quantization_of(name); stored != Quantization::None) {
    for (const std::string& beside : quantized_names(std::string(name), stored)) {
      if (beside != name && has(beside)) {
        tensors.push_back(&find(beside));
      }
    }
  }
  return tensors;
}

void Checkpoint::start_reading() {
  std::vector<std::span<const std::byte>> order;
  for (const Parameter& parameter : parameters_of(files_->config)) {
    for (const StoredTensor* tensor : tensors_of(parameter.name)) {
      order.push_back(tensor->bytes);
    }
  }
  files_->read_ahead = std::make_unique<ReadAhead>(std::move(order));
}

void Checkpoint::set_loaded(std::string_view name) {
  files_->loaded.emplace(name);
  if (files_->read_ahead) {
    for (const StoredTensor* tensor : tensors_of(name)) {
      files_->read_ahead->let_go(tensor->bytes);
    }
  }
}

at::Tensor Checkpoint::load(std::string_view name,
                            std::span<const std::int64_t> shape,
                            DType dtype) {
  const StoredTensor& tensor = find(name);
  check_shape(tensor, shape);
  LABELPROBE_CHECK(quantization_of(name) == Quantization::None);
  at::Tensor result = load_tensor(tensor, dtype);
  set_loaded(name);
  return result;
}

void Checkpoint::load_into(std::string_view name, const at::Tensor& target, Staging& staging) {
  const StoredTensor& tensor = find(name);
  check_shape(tensor, target.sizes());
  LABELPROBE_CHECK(quantization_of(name) == Quantization::None);
  staging.send(target, [&](std::int64_t first_row, const at::Tensor& rows) {
    load_rows(tensor, first_row, rows);
  });
  set_loaded(name);
}

QuantizedWeight Checkpoint::load_quantized(std::string_view name,
                                           std::span<const std::int64_t> shape) {
  Staging in_place(at::kCPU);
  return load_quantized(name, shape, in_place);
}

QuantizedWeight Checkpoint::load_quantized(std::string_view name,
                                           std::span<const std::int64_t> shape,
                                           Staging& staging) {
  const Quantization stored = quantization_of(name);
  LABELPROBE_CHECK(stored != Quantization::None && shape.size() == 2);
  QuantizedWeight weight =
      weights::load_quantized(files_->tensors, std::string(name), shape, stored, staging);
  set_loaded(name);
  return weight;
}

void Checkpoint::check_all_loaded() const {
  std::vector<std::string> left_over;
  for (const Parameter& parameter : parameters_of(files_->config)) {
    if (!files_->loaded.contains(parameter.name)) {
      left_over.push_back(parameter.name);
    }
  }
  if (!left_over.empty()) {
    throw ModelError(files_->path.string() +
                     ": tensors that no part of the model has loaded: " + list_names(left_over));
  }
}

std::int64_t Checkpoint::n_parameters() const {
  std::int64_t n = 0;
  for (const Parameter& parameter : parameters_of(files_->config)) {
    n += n_elements(parameter);
  }
  return n;
}

std::string Checkpoint::fingerprint() const {
  Fingerprint print;
  if (files_->gguf) {
    print.add(files_->gguf->header_bytes());
    std::error_code error;  // the size of a file that went away meanwhile is no reason to stop
    print.add(std::to_string(fs::file_size(files_->path, error)));
  } else {
    print.add(files::MappedFile(files_->path / "config.json").text());
  }
  for (const SafetensorsFile& file : files_->safetensors) {
    print.add(file.header_bytes());
    print.add(std::to_string(file.bytes().size()));
  }
  for (const auto& [name, tensor] : files_->tensors) {
    print.add(name);
    expect_samples(tensor.bytes);
    print.add(tensor.bytes.first(std::min(kSampleBytes, tensor.bytes.size())));
  }
  return print.hex();
}

}  // namespace labelprobe::weights
