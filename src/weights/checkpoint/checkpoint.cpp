#include "weights/checkpoint/checkpoint.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <ATen/Functions.h>
#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/files/gguf.h"

#include "weights/adapter/adapter.h"
#include "weights/checkpoint/expert_tensors.h"
#include "weights/checkpoint/gguf_tensors.h"
#include "weights/checkpoint/load_config.h"
#include "weights/checkpoint/parameter_checks.h"
#include "weights/checkpoint/quantized_tensors.h"
#include "weights/checkpoint/read_ahead.h"
#include "weights/checkpoint/tensor_loading.h"
#include "weights/checkpoint/weight_files.h"

namespace labelprobe::weights {

namespace fs = std::filesystem;

struct Checkpoint::Files {
  fs::path path;
  DecoderConfig config;
  WeightFiles weights;
  std::vector<std::string> warnings = {};
  std::set<std::string, std::less<>> loaded = {};
  std::optional<Adapter> adapter = std::nullopt;
  std::unique_ptr<ReadAhead> read_ahead = nullptr;  // the last member: it reads the others' bytes
};

Checkpoint::Checkpoint(std::unique_ptr<Files> files) : files_(std::move(files)) {}
Checkpoint::~Checkpoint() = default;
Checkpoint::Checkpoint(Checkpoint&&) noexcept = default;
Checkpoint& Checkpoint::operator=(Checkpoint&&) noexcept = default;

Checkpoint Checkpoint::open(const fs::path& path) {
  std::unique_ptr<Files> files;
  if (fs::is_directory(path)) {
    DecoderConfig config = load_config(path);
    const auto naming = config.family->is_text_part ? text_part_name : WeightFiles::Naming();
    files.reset(new Files{path, std::move(config), WeightFiles(path, naming)});
    untie_stored_head(path, files->weights, files->config, files->warnings);
  } else {
    files::GgufFile file = files::GgufFile::open(path);
    DecoderConfig config = load_config(file);
    std::vector<StoredTensor> tensors = gguf_tensors(file, config);
    files.reset(
        new Files{path, std::move(config), WeightFiles(std::move(file), std::move(tensors))});
  }
  split_experts(files->weights, files->config);
  check_both_ways(path, files->weights.tensors(), files->config);
  return Checkpoint(std::move(files));
}

void Checkpoint::add_adapter(const fs::path& folder) {
  Adapter adapter = Adapter::open(folder, files_->config);
  if (!adapter.base_fingerprint().empty() &&
      adapter.base_fingerprint() != files_->weights.fingerprint()) {
    throw ModelError(
        fmt::format("{}: expected the weights that the adapter was made for, with the fingerprint "
                    "{}, found those "
                    "of {} with {}",
                    (folder / kAdapterNoteFile).string(), adapter.base_fingerprint(),
                    files_->path.string(), files_->weights.fingerprint()));
  }
  files_->adapter = std::move(adapter);
}

bool Checkpoint::is_adapted(const Parameter& parameter) const {
  return files_->adapter && files_->adapter->changes(parameter);
}

const DecoderConfig& Checkpoint::config() const {
  return files_->config;
}

const std::vector<std::string>& Checkpoint::warnings() const {
  return files_->warnings;
}

Quantization Checkpoint::quantization_of(const Parameter& parameter) const {
  return is_stored_quantized(files_->weights.tensors(), parameter, files_->config.quantization)
             ? files_->config.quantization
             : Quantization::None;
}

Quantization Checkpoint::quantization(Quantization asked) const {
  const Quantization stored = files_->config.quantization;
  if (stored != Quantization::None && asked != Quantization::None && asked != stored) {
    throw ModelError(
        fmt::format("{}: expected weights to be quantised as {}, found them stored as {}; leave "
                    "the quantisation out, or use the model's original weights",
                    files_->path.string(), quantization_name(asked), quantization_name(stored)));
  }
  return stored != Quantization::None ? stored : asked;
}

Quantization Checkpoint::quantization_of(const Parameter& parameter, Quantization asked) const {
  const Quantization kept = quantization(asked);
  if (is_adapted(parameter)) return Quantization::None;
  // A quantised checkpoint says itself which modules it leaves out.
  if (files_->config.quantization != Quantization::None) {
    return quantization_of(parameter);
  }
  if (kept == Quantization::Gguf) {
    return holds_codes(files_->weights.find(parameter.name)) ? kept : Quantization::None;
  }
  return parameter.is_block_linear() ? kept : Quantization::None;
}

bool Checkpoint::can_stay_packed() const {
  const TensorMap& tensors = files_->weights.tensors();
  return std::any_of(tensors.begin(), tensors.end(),
                     [](const auto& tensor) { return holds_codes(tensor.second); });
}

std::size_t Checkpoint::stored_bytes(const Parameter& parameter) const {
  return files_->weights.find(parameter.name).bytes.size();
}

// The tensors that hold the parameter.
std::vector<const StoredTensor*> Checkpoint::tensors_of(const Parameter& parameter) const {
  const TensorMap& all = files_->weights.tensors();
  std::vector<const StoredTensor*> tensors = {&files_->weights.find(parameter.name)};
  if (const Quantization stored = quantization_of(parameter); stored != Quantization::None) {
    for (const std::string& name : quantized_names(parameter.name, stored)) {
      const auto beside = all.find(name);
      if (name != parameter.name && beside != all.end()) {
        tensors.push_back(&beside->second);
      }
    }
  }
  return tensors;
}

void Checkpoint::start_reading(const std::function<RowRanges(const Parameter&)>& rows_of) {
  std::vector<std::span<const std::byte>> order;
  for (const Parameter& parameter : parameters_of(files_->config)) {
    const RowRanges rows = rows_of ? rows_of(parameter) : RowRanges();
    for (const auto bytes : bytes_of(parameter, rows)) order.push_back(bytes);
  }
  files_->read_ahead = std::make_unique<ReadAhead>(std::move(order));
}

// What is read of the parameter for these rows: of tensors beside it, and of parts of larger ones,
// all.
std::vector<std::span<const std::byte>> Checkpoint::bytes_of(const Parameter& parameter,
                                                             const RowRanges& rows) const {
  std::vector<std::span<const std::byte>> parts;
  for (const StoredTensor* tensor : tensors_of(parameter)) {
    if (rows.empty() || tensor != tensors_of(parameter).front() || tensor->row_stride > 0) {
      parts.push_back(tensor->bytes);
      continue;
    }
    const std::size_t n_row = tensor->bytes.size() / static_cast<std::size_t>(parameter.shape[0]);
    for (const RowRange& range : rows) {
      parts.push_back(tensor->bytes.subspan(static_cast<std::size_t>(range.first) * n_row,
                                            static_cast<std::size_t>(range.n) * n_row));
    }
  }
  return parts;
}

void Checkpoint::set_loaded(const Parameter& parameter, const RowRanges& rows) {
  files_->loaded.insert(parameter.name);
  if (!files_->read_ahead) return;
  for (const auto bytes : bytes_of(parameter, rows)) files_->read_ahead->let_go(bytes);
}

at::Tensor Checkpoint::load(const Parameter& parameter, DType dtype) {
  LABELPROBE_CHECK(quantization_of(parameter) == Quantization::None && !is_adapted(parameter));
  at::Tensor result = load_tensor(files_->weights.find(parameter.name), dtype);
  set_loaded(parameter);
  return result;
}

void Checkpoint::load_into(const Parameter& parameter, const at::Tensor& target, Staging& staging) {
  LABELPROBE_CHECK(quantization_of(parameter) == Quantization::None && !is_adapted(parameter) &&
                   target.sizes() == at::IntArrayRef(parameter.shape));
  const StoredTensor& tensor = files_->weights.find(parameter.name);
  staging.send(target, [&](std::int64_t first_row, const at::Tensor& rows) {
    load_rows(tensor, first_row, rows);
  });
  set_loaded(parameter);
}

void Checkpoint::load_rows_into(const Parameter& parameter,
                                const RowRanges& rows,
                                const at::Tensor& target,
                                Staging& staging) {
  LABELPROBE_CHECK(quantization_of(parameter) == Quantization::None && !is_adapted(parameter) &&
                   target.size(0) == n_rows_of(rows));
  const StoredTensor& tensor = files_->weights.find(parameter.name);
  std::int64_t row = 0;
  for (const RowRange& range : rows) {
    staging.send(target.narrow(0, row, range.n),
                 [&](std::int64_t first_row, const at::Tensor& part) {
                   load_rows(tensor, range.first + first_row, part);
                 });
    row += range.n;
  }
  set_loaded(parameter, rows);
}

void Checkpoint::load_effective(const Parameter& parameter,
                                Quantization asked,
                                const at::Tensor& target) {
  const bool is_stored_quantized = quantization_of(parameter) != Quantization::None;
  at::Tensor weight = at::empty(parameter.shape, at::kFloat);
  if (is_stored_quantized) {
    dequantize(load_quantized(parameter), weight);
  } else {
    const at::Tensor exact = at::empty(parameter.shape, target.scalar_type());
    load_rows(files_->weights.find(parameter.name), 0, exact);
    if (const Quantization kept = quantization(asked);
        kept != Quantization::None && parameter.is_block_linear()) {
      dequantize(quantize(exact, kept), weight);
    } else {
      weight.copy_(exact);
    }
    set_loaded(parameter);
  }
  if (is_adapted(parameter)) files_->adapter->add_to(parameter, weight);
  target.copy_(weight);
}

QuantizedWeight Checkpoint::load_quantized(const Parameter& parameter) {
  Staging in_place(at::kCPU);
  return load_quantized(parameter, in_place);
}

QuantizedWeight Checkpoint::load_quantized(const Parameter& parameter, Staging& staging) {
  const Quantization stored = quantization_of(parameter);
  LABELPROBE_CHECK(stored != Quantization::None);
  QuantizedWeight weight =
      weights::load_quantized(files_->weights.tensors(), parameter, stored, staging);
  set_loaded(parameter);
  return weight;
}

PackedWeight Checkpoint::load_packed(const Parameter& parameter) {
  const StoredTensor& tensor = files_->weights.find(parameter.name);
  LABELPROBE_CHECK(holds_codes(tensor) && !is_adapted(parameter));
  PackedWeight weight{*tensor.type, tensor.shape[0], tensor.shape[1], load_blocks(tensor)};
  set_loaded(parameter);
  return weight;
}

QuantizedWeight Checkpoint::load_quantized_rows(const Parameter& parameter,
                                                const RowRanges& rows,
                                                Staging& staging) {
  const Quantization stored = quantization_of(parameter);
  LABELPROBE_CHECK(stored != Quantization::None);
  QuantizedWeight weight =
      weights::load_quantized_rows(files_->weights.tensors(), parameter, stored, rows, staging);
  set_loaded(parameter, rows);
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
    throw ModelError(fmt::format("{}: tensors that no part of the model has loaded: {}",
                                 files_->path.string(), list_names(left_over)));
  }
}

std::int64_t Checkpoint::n_parameters() const {
  std::int64_t n = 0;
  for (const Parameter& parameter : parameters_of(files_->config)) {
    n += parameter.n_elements();
  }
  return n;
}

std::string Checkpoint::fingerprint() const {
  if (!files_->adapter) return files_->weights.fingerprint();
  Fingerprint both;
  both.add(files_->weights.fingerprint());
  both.add(files_->adapter->fingerprint());
  return both.hex();
}

}  // namespace labelprobe::weights
