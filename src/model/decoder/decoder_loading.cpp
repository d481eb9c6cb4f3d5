// A decoder's parameters from a checkpoint onto its device: in the order in which the checkpoint
// reads ahead, each by way of as little memory as can be.
#include "model/decoder/decoder_loading.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include <ATen/Functions.h>
#include <c10/core/DeviceGuard.h>
#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "model/decoder/decoder.h"
#include "weights/checkpoint/quantized_rows.h"
#include "weights/device/dtype.h"

namespace labelprobe::model {

ParameterLoader::ParameterLoader(weights::Checkpoint& checkpoint,
                                 DType dtype,
                                 c10::Device device,
                                 Quantization quantization,
                                 const Share* share)
    : checkpoint_(checkpoint), dtype_(dtype), quantization_(quantization), share_(share) {
  staging_.emplace(device);
  checkpoint.start_reading(
      [this](const weights::Parameter& parameter) { return rows_of(parameter); });
}

void ParameterLoader::go_to(c10::Device device) {
  if (staging_->device() != device) staging_.emplace(device);
}

at::Tensor ParameterLoader::tensor(const weights::Parameter& parameter) {
  const at::Tensor result =
      at::empty(shape_of(parameter),
                at::TensorOptions().dtype(weights::scalar_type(dtype_)).device(staging_->device()));
  load_plain(parameter, result);
  return result;
}

at::Tensor ParameterLoader::norm(weights::Role role, int layer) {
  if (!weights::has_module(*checkpoint_.config().family, role)) return {};
  const at::Tensor weight = tensor(weight_of(role, layer)).to(at::kFloat);
  return checkpoint_.config().are_norms_one_plus ? weight + 1.0 : weight;
}

Linear ParameterLoader::linear(const std::vector<weights::Role>& roles, int layer, int expert) {
  std::vector<weights::Parameter> matrices;
  for (const weights::Role role : roles) matrices.push_back(weight_of(role, layer, expert));
  // One of them that an adapter changes is not quantised, and they are computed together.
  if (is_adapted(matrices)) return Linear(plain(matrices), bias(roles, layer, expert));
  const weights::Parameter& first = matrices.front();
  if (std::all_of(matrices.begin(), matrices.end(),
                  [&](const weights::Parameter& matrix) { return is_packed(matrix); })) {
    std::vector<weights::PackedWeight> weights;
    for (const weights::Parameter& matrix : matrices) weights.push_back(packed(matrix));
    return Linear(std::move(weights), weights::scalar_type(dtype_), bias(roles, layer, expert));
  }
  for (const weights::Parameter& matrix : matrices) {
    if (is_quantized(matrix) != is_quantized(first)) {
      throw ModelError(
          fmt::format("tensors {} and {}: expected both quantised or neither, as they are computed "
                      "together; found one of them left out of the quantisation",
                      first.name, matrix.name));
    }
  }
  if (!is_quantized(first)) {
    const at::Tensor weight = plain(matrices);
    return Linear(weight, bias(roles, layer, expert));
  }
  std::vector<weights::QuantizedWeight> weights;
  for (const weights::Parameter& matrix : matrices) weights.push_back(quantized(matrix));
  return Linear(std::move(weights), weights::scalar_type(dtype_), bias(roles, layer, expert));
}

ExpertMlp ParameterLoader::experts(int layer) {
  using weights::Role;
  Linear router = linear({Role::Router}, layer);
  std::vector<ExpertMlp::Expert> all;
  for (int e = 0; e < checkpoint_.config().experts.n; ++e) {
    Linear gate_up = linear({Role::ExpertGate, Role::ExpertUp}, layer, e);
    all.push_back({std::move(gate_up), linear({Role::ExpertDown}, layer, e)});
  }
  return {checkpoint_.config().experts, std::move(router), std::move(all)};
}

weights::Parameter ParameterLoader::weight_of(weights::Role role, int layer, int expert) const {
  return weights::weight_of(checkpoint_.config(), role, layer, expert);
}

Quantization ParameterLoader::kept_as(const weights::Parameter& weight) const {
  return checkpoint_.quantization_of(weight, quantization_);
}

weights::RowRanges ParameterLoader::rows_of(const weights::Parameter& parameter) const {
  return share_ == nullptr ? weights::RowRanges()
                           : model::rows_of(checkpoint_.config(), *share_, parameter);
}

// The shape of the rows that are loaded.
std::vector<std::int64_t> ParameterLoader::shape_of(const weights::Parameter& parameter) const {
  std::vector<std::int64_t> shape = parameter.shape;
  if (const weights::RowRanges rows = rows_of(parameter); !rows.empty()) {
    shape[0] = weights::n_rows_of(rows);
  }
  return shape;
}

bool ParameterLoader::is_quantized(const weights::Parameter& weight) const {
  return kept_as(weight) != Quantization::None && !is_packed(weight);
}

bool ParameterLoader::is_packed(const weights::Parameter& matrix) const {
  return kept_as(matrix) == Quantization::Gguf;
}

weights::PackedWeight ParameterLoader::packed(const weights::Parameter& matrix) {
  LABELPROBE_CHECK(staging_->device().is_cpu());
  return checkpoint_.load_packed(matrix);
}

bool ParameterLoader::is_adapted(const std::vector<weights::Parameter>& matrices) const {
  return std::any_of(matrices.begin(), matrices.end(), [&](const weights::Parameter& matrix) {
    return checkpoint_.is_adapted(matrix);
  });
}

// In full: what is kept quantised by itself comes here beside what an adapter changes.
void ParameterLoader::load_plain(const weights::Parameter& weight, const at::Tensor& target) {
  const weights::RowRanges rows = rows_of(weight);
  if (checkpoint_.is_adapted(weight) || is_quantized(weight)) {
    if (rows.empty()) return checkpoint_.load_effective(weight, quantization_, target);
    const at::Tensor whole = at::empty(weight.shape, target.options().device(at::kCPU));
    checkpoint_.load_effective(weight, quantization_, whole);
    std::vector<at::Tensor> parts;
    for (const weights::RowRange& range : rows) {
      parts.push_back(whole.narrow(0, range.first, range.n));
    }
    target.copy_(at::cat(parts));
  } else if (rows.empty()) {
    checkpoint_.load_into(weight, target, *staging_);
  } else {
    checkpoint_.load_rows_into(weight, rows, target, *staging_);
  }
}

// One below the other.
at::Tensor ParameterLoader::plain(const std::vector<weights::Parameter>& matrices) {
  std::int64_t height = 0;
  for (const weights::Parameter& matrix : matrices) height += shape_of(matrix)[0];
  const at::Tensor all = buffer({height, matrices.front().shape[1]}, staging_->device());
  std::int64_t row = 0;
  for (const weights::Parameter& matrix : matrices) {
    const std::int64_t n_rows = shape_of(matrix)[0];
    load_plain(matrix, all.narrow(0, row, n_rows));
    row += n_rows;
  }
  return all;
}

std::optional<at::Tensor> ParameterLoader::bias(const std::vector<weights::Role>& roles,
                                                int layer,
                                                int expert) {
  std::vector<at::Tensor> parts;
  for (const weights::Role role : roles) {
    if (const auto part = weights::bias_of(checkpoint_.config(), role, layer, expert)) {
      parts.push_back(tensor(*part));
    }
  }
  LABELPROBE_CHECK(parts.empty() || parts.size() == roles.size());
  return parts.empty() ? std::nullopt : std::optional(at::cat(parts));
}

weights::QuantizedWeight ParameterLoader::quantized(const weights::Parameter& weight) {
  const weights::RowRanges rows = rows_of(weight);
  if (checkpoint_.quantization_of(weight) != Quantization::None) {
    return rows.empty() ? checkpoint_.load_quantized(weight, *staging_)
                        : checkpoint_.load_quantized_rows(weight, rows, *staging_);
  }
  // Converted on the CPU, where the codes are made too.
  weights::Staging in_place(at::kCPU);
  // The absmax of all of a matrix are quantised together.
  const bool is_whole = rows.empty() || quantization_ == Quantization::Nf4Double;
  weights::check_whole_blocks(weight, quantization_, rows);
  const at::Tensor exact = buffer(is_whole ? weight.shape : shape_of(weight), at::kCPU);
  if (is_whole) {
    checkpoint_.load_into(weight, exact, in_place);
  } else {
    checkpoint_.load_rows_into(weight, rows, exact, in_place);
  }
  weights::QuantizedWeight made = weights::quantize(exact, quantization_);
  if (is_whole && !rows.empty()) made = weights::quantized_rows(weight, made, rows);
  return weights::to_device(made, *staging_);
}

// Memory that has just been let go is taken again: getting it from the system anew costs as much
// time as the conversion.
at::Tensor ParameterLoader::buffer(at::IntArrayRef shape, c10::Device device) {
  const auto options = at::TensorOptions().dtype(weights::scalar_type(dtype_)).device(device);
  const std::int64_t n =
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  // Whoever was given the buffer may have kept it.
  const bool is_free = buffer_.defined() && buffer_.storage().use_count() == 1;
  if (!buffer_.defined() || buffer_.device() != device) {
    buffer_ = at::empty({n}, options);
  } else if (!is_free) {
    return at::empty(shape, options);
  } else if (buffer_.numel() < n) {
    buffer_ = at::Tensor();
    buffer_ = at::empty({n}, options);
  }
  return buffer_.narrow(0, 0, n).view(shape);
}

namespace {

using weights::Role;

// Those that the family has instead of `one`, or that one.
std::vector<Role> parts_of(const weights::Family& family, Role one, std::vector<Role> parts) {
  return weights::has_module(family, one) ? std::vector{one} : std::move(parts);
}

// transformers rounds to the embedding's type what a family makes of the hidden size.
double embedding_scale(const weights::DecoderConfig& config, at::ScalarType type) {
  return config.family->is_embedding_scaled
             ? at::scalar_tensor(config.embedding_scale, at::kFloat).to(type).item<double>()
             : config.embedding_scale;
}

}  // namespace

// In the order of parameters_of().
Decoder::Layer Decoder::load_layer(ParameterLoader& loader, int layer) {
  const weights::Family& family = *config_.family;
  Layer loaded;
  loaded.input_norm = loader.norm(Role::InputNorm, layer);
  loaded.qkv_proj = loader.linear(
      parts_of(family, Role::QueryKeyValue, {Role::Query, Role::Key, Role::Value}), layer);
  loaded.query_norm = loader.norm(Role::QueryNorm, layer);
  loaded.key_norm = loader.norm(Role::KeyNorm, layer);
  // A score is no weight: it is float32 of the model's type, as norms are.
  attention_forms_[layer].sinks = loader.norm(Role::Sinks, layer);
  loaded.o_proj = loader.linear({Role::AttentionOutput}, layer);
  loaded.attention_norm = loader.norm(Role::AttentionNorm, layer);
  loaded.mlp_norm = loader.norm(Role::MlpNorm, layer);
  if (config_.experts.are_in(layer)) {
    loaded.experts = loader.experts(layer);
  } else {
    loaded.gate_up_proj =
        loader.linear(parts_of(family, Role::GateUp, {Role::Gate, Role::Up}), layer);
    loaded.down_proj = loader.linear({Role::Down}, layer);
  }
  loaded.mlp_output_norm = loader.norm(Role::MlpOutputNorm, layer);
  return loaded;
}

Decoder::Decoder(weights::Checkpoint& checkpoint,
                 DType dtype,
                 Placement placement,
                 Quantization quantization,
                 bool is_fast,
                 Team* team)
    : team_(team),
      whole_(checkpoint.config()),
      shares_(team == nullptr ? std::vector<Share>() : divide_model(whole_, team->size())),
      config_(team == nullptr ? whole_ : part_of(whole_, share())),
      dtype_(dtype),
      placement_(std::move(placement)),
      device_(placement_.first()),
      is_fast_(is_fast) {
  ParameterLoader loader(checkpoint, dtype, device_, quantization,
                         team == nullptr ? nullptr : &share());
  const weights::Parameter embedding = weights::weight_of(config_, Role::Embedding);
  if (loader.is_packed(embedding)) {
    packed_embedding_ = loader.packed(embedding);
  } else {
    embedding_ = loader.tensor(embedding);
  }
  embedding_scale_ = embedding_scale(config_, weights::scalar_type(dtype));
  attention_forms_.resize(config_.n_layers);
  for (int i = 0; i < config_.n_layers; ++i) {
    AttentionForm& form = attention_forms_[i];
    form.scale = config_.attention_scale;
    form.softcap = config_.attention_softcap;
    form.window = config_.layer_window(i);
  }
  for (int i = 0; i < config_.n_layers; ++i) {
    const c10::DeviceGuard on_device(placement_.of(i));
    loader.go_to(placement_.of(i));
    layers_.push_back(load_layer(loader, i));
  }
  loader.go_to(device_);
  norm_ = loader.norm(Role::FinalNorm);
  head_ = !config_.tie_word_embeddings ? loader.linear({Role::Head})
          : packed_embedding_          ? Linear({*packed_embedding_}, weights::scalar_type(dtype))
                                       : Linear(embedding_);
  checkpoint.check_all_loaded();

  rotations_ = Rotations(config_, placement_.devices());
}

}  // namespace labelprobe::model
