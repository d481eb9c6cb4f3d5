// Dimensions: B sequences, S tokens of each, H heads, C hidden size, L labels, P label places.
#include "training/demux/demux_model.h"

#include <cmath>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "weights/encoder/encoder_weights.h"

namespace labelprobe::training {

namespace {

at::Generator make_generator(std::uint64_t seed, at::Device device) {
  if (device.is_cpu()) return at::detail::createCPUGenerator(seed);
  at::Generator generator = at::globalContext().defaultGenerator(device).clone();
  generator.set_current_seed(seed);
  return generator;
}

struct Shape {
  std::string name;
  std::vector<std::int64_t> sizes;
};

// All parameters of the encoder, in the order of its files.
std::vector<Shape> shapes_of(const weights::EncoderConfig& config) {
  std::vector<Shape> shapes;
  const std::int64_t n = config.hidden_size;
  const auto add_both = [&](const std::string& name, std::vector<std::int64_t> weight) {
    const std::int64_t n_out = weight.front();
    shapes.push_back({name + ".weight", std::move(weight)});
    shapes.push_back({name + ".bias", {n_out}});
  };
  shapes.push_back({"embeddings.word_embeddings.weight", {config.vocab_size, n}});
  shapes.push_back({"embeddings.position_embeddings.weight", {config.n_positions, n}});
  shapes.push_back({"embeddings.token_type_embeddings.weight", {config.n_token_types, n}});
  add_both("embeddings.LayerNorm", {n});
  for (int i = 0; i < config.n_layers; ++i) {
    const std::string layer = fmt::format("encoder.layer.{}.", i);
    for (const char* part : {"query", "key", "value"}) {
      add_both(layer + "attention.self." + part, {n, n});
    }
    add_both(layer + "attention.output.dense", {n, n});
    add_both(layer + "attention.output.LayerNorm", {n});
    add_both(layer + "intermediate.dense", {config.intermediate_size, n});
    add_both(layer + "output.dense", {n, config.intermediate_size});
    add_both(layer + "output.LayerNorm", {n});
  }
  return shapes;
}

weights::EncoderConfig load_bert_config(const std::filesystem::path& folder) {
  weights::EncoderConfig config = weights::load_encoder_config(folder);
  if (config.kind != weights::EncoderConfig::Kind::Bert || config.n_token_types < 2) {
    throw ModelError(fmt::format(
        "{}: expected a BERT encoder with two types of segments, found {}",
        (folder / "config.json").string(),
        config.kind == weights::EncoderConfig::Kind::Bert ? "one with one" : "an MPNet"));
  }
  return config;
}

}  // namespace

Dropout::Dropout(double p, std::uint64_t seed, at::Device device)
    : p_(p), generator_(make_generator(seed, device)) {}

at::Tensor Dropout::operator()(const at::Tensor& x) {
  if (p_ == 0.0) return x;
  const at::Tensor kept = at::empty_like(x, x.options().requires_grad(false))
                              .bernoulli_(1.0 - p_, generator_)
                              .div_(1.0 - p_);
  return x * kept;
}

DemuxModel::DemuxModel(const std::filesystem::path& folder, std::uint64_t seed, at::Device device)
    : config_(load_bert_config(folder)) {
  const auto add = [&](const std::string& name, const at::Tensor& tensor) {
    places_[name] = parameters_.size();
    parameters_.push_back({name, tensor.to(device).detach().set_requires_grad(true)});
  };
  weights::EncoderWeights weights(folder);
  for (const auto& [name, sizes] : shapes_of(config_)) add(name, weights.take(name, sizes));
  weights.check_all_taken();
  at::Generator generator = at::detail::createCPUGenerator(seed);
  const std::int64_t n = config_.hidden_size;
  const double bound = 1.0 / std::sqrt(static_cast<double>(n));
  for (const auto& [name, sizes] :
       {Shape{"head.dense.weight", {n, n}}, Shape{"head.dense.bias", {n}},
        Shape{"head.out.weight", {1, n}}, Shape{"head.out.bias", {1}}}) {
    add(name, at::empty(sizes).uniform_(-bound, bound, generator));
  }
}

std::int64_t DemuxModel::n_numbers() const {
  std::int64_t n = 0;
  for (const NamedParameter& each : parameters_) n += each.tensor.numel();
  return n;
}

const at::Tensor& DemuxModel::parameter(const std::string& name) const {
  return parameters_[places_.at(name)].tensor;
}

at::Tensor DemuxModel::linear(const at::Tensor& x, const std::string& name) const {
  return at::linear(x, parameter(name + ".weight"), parameter(name + ".bias"));
}

at::Tensor DemuxModel::norm(const at::Tensor& x, const std::string& name) const {
  return at::layer_norm(x, {config_.hidden_size}, parameter(name + ".weight"),
                        parameter(name + ".bias"), config_.norm_eps);
}

at::Tensor DemuxModel::embed(const PairBatch& batch) const {
  const auto part = [&](const char* name) {
    return parameter(fmt::format("embeddings.{}_embeddings.weight", name));
  };
  const at::Tensor sum = at::embedding(part("word"), batch.ids) +
                         part("position").slice(0, 0, batch.ids.size(1)) +
                         at::embedding(part("token_type"), batch.segments);
  return norm(sum, "embeddings.LayerNorm");
}

at::Tensor DemuxModel::attend(const at::Tensor& x,
                              const at::Tensor& mask,
                              const std::string& layer,
                              Dropout* dropout) const {
  const std::int64_t n_head = config_.hidden_size / config_.n_heads;
  const auto project = [&](const char* part) {  // [B, H, S, C / H]
    return linear(x, layer + "attention.self." + part)
        .view({x.size(0), x.size(1), config_.n_heads, n_head})
        .transpose(1, 2);
  };
  const at::Tensor products = at::matmul(project("query"), project("key").transpose(2, 3));
  at::Tensor shares = at::softmax(products / std::sqrt(static_cast<double>(n_head)) + mask, -1);
  if (dropout) shares = (*dropout)(shares);
  const at::Tensor mixed = at::matmul(shares, project("value"));
  return linear(mixed.transpose(1, 2).reshape(x.sizes()), layer + "attention.output.dense");
}

at::Tensor DemuxModel::logits(const PairBatch& batch,
                              std::span<const std::vector<std::int64_t>> positions,
                              Dropout* dropout) const {
  const auto dropped = [&](const at::Tensor& x) { return dropout ? (*dropout)(x) : x; };
  at::Tensor x = dropped(embed(batch));  // [B, S, C]
  for (int i = 0; i < config_.n_layers; ++i) {
    const std::string layer = fmt::format("encoder.layer.{}.", i);
    x = norm(dropped(attend(x, batch.mask, layer, dropout)) + x,
             layer + "attention.output.LayerNorm");
    const at::Tensor wide = at::gelu(linear(x, layer + "intermediate.dense"));
    x = norm(dropped(linear(wide, layer + "output.dense")) + x, layer + "output.LayerNorm");
  }
  std::vector<std::int64_t> places;
  std::vector<std::int64_t> n_places;
  for (const std::vector<std::int64_t>& own : positions) {
    places.insert(places.end(), own.begin(), own.end());
    n_places.push_back(static_cast<std::int64_t>(own.size()));
  }
  const at::Tensor at_places = x.index_select(1, at::tensor(places).to(x.device()));  // [B, P, C]
  const at::Tensor each =
      linear(dropped(at::tanh(linear(at_places, "head.dense"))), "head.out").squeeze(-1);  // [B, P]
  std::vector<at::Tensor> labels;
  for (const at::Tensor& own : each.split_with_sizes(n_places, 1)) labels.push_back(own.amax(1));
  return at::stack(labels, 1);
}

std::map<std::string, at::Tensor> DemuxModel::values() const {
  std::map<std::string, at::Tensor> result;
  for (const auto& [name, tensor] : parameters_) {
    result[name] = tensor.detach().to(at::kCPU, at::kFloat, false, true);
  }
  return result;
}

void DemuxModel::set_values(const std::map<std::string, at::Tensor>& values) {
  for (const auto& [name, tensor] : parameters_) {
    const auto found = values.find(name);
    if (found == values.end() || found->second.sizes() != tensor.sizes()) {
      throw DataError(fmt::format("weights: expected a tensor {} of {} numbers, found {}", name,
                                  tensor.numel(),
                                  found == values.end() ? "none" : "another shape"));
    }
    tensor.detach().copy_(found->second);
  }
}

namespace {

// For examples, the mean over all k x k pairs of labels of exp(U), U holding v_i + v_j above the
// diagonal and 0 elsewhere, as the published code counts; 0 where there is no label.
//   has  [B, L], float32: 1 for the labels that count
at::Tensor pair_term(const at::Tensor& values, const at::Tensor& has) {
  const std::int64_t n = values.size(1);
  const at::Tensor pairs = (has.unsqueeze(2) * has.unsqueeze(1)).triu(1);  // [B, L, L]
  const at::Tensor sums = values.unsqueeze(2) + values.unsqueeze(1);
  const at::Tensor above = at::where(pairs > 0, sums, at::zeros_like(sums));
  const at::Tensor count = has.sum(1).square();  // [B]
  const auto n_all = static_cast<double>(n * n);
  return (at::exp(above).sum({1, 2}) - n_all + count) / count.clamp_min(1);
}

at::Tensor intra_loss(const at::Tensor& logits, const at::Tensor& targets) {
  const at::Tensor present = (targets >= 0.5).to(at::kFloat);
  const at::Tensor absent = 1 - present;
  const at::Tensor has_present = (present.sum(1) > 0).to(at::kFloat);
  const at::Tensor has_absent = (absent.sum(1) > 0).to(at::kFloat);
  const at::Tensor sum =
      pair_term(logits, absent) * has_absent + pair_term(-logits, present) * has_present;
  return (sum / (has_present + has_absent)).mean();
}

}  // namespace

at::Tensor demux_loss(const at::Tensor& logits, const at::Tensor& targets, double intra_loss_coef) {
  if (targets.scalar_type() == at::kLong) return at::cross_entropy_loss(logits, targets);
  const at::Tensor counts = (targets >= 0).to(at::kFloat);
  const at::Tensor each = at::binary_cross_entropy_with_logits(logits, targets.clamp_min(0), {}, {},
                                                               at::Reduction::None);
  const at::Tensor entropy = (each * counts).sum() / counts.sum();
  return intra_loss_coef == 0.0 ? entropy : entropy + intra_loss_coef * intra_loss(logits, targets);
}

}  // namespace labelprobe::training
