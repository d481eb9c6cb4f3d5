#include "model/decoder/rotations.h"

#include <algorithm>
#include <utility>

#include <ATen/Functions.h>

namespace labelprobe::model {
namespace {

// float32 throughout, as in transformers: the product's rounding matters at long positions.
std::vector<Turns> turns_of(const weights::RopeTurns& turns,
                            std::int64_t n_positions,
                            std::span<const c10::Device> devices) {
  const at::Tensor angles =
      at::outer(at::arange(n_positions, at::kFloat), at::tensor(turns.frequencies));
  at::Tensor cosines = angles.cos();
  at::Tensor sines = angles.sin();
  if (turns.factor != 1.0) {
    cosines.mul_(turns.factor);
    sines.mul_(turns.factor);
  }
  std::vector<Turns> by_device;
  for (const c10::Device device : devices) {
    by_device.push_back({cosines.to(device), sines.to(device)});
  }
  return by_device;
}

}  // namespace

Rotations::Rotations(const weights::DecoderConfig& config, std::span<const c10::Device> devices) {
  using weights::TextLength;
  const std::int64_t n_original = weights::original_length(config);
  const bool has_two_kinds = config.window_rope.has_value();
  for (int layer = 0; layer < config.n_layers; ++layer) {
    if (!config.layer_has_rope(layer)) {
      kind_of_layer_.push_back(-1);
    } else {
      kind_of_layer_.push_back(has_two_kinds && config.layer_window(layer) > 0 ? 1 : 0);
    }
  }
  const auto add_kind = [&](const weights::Rope& rope) {
    const bool has_two =
        n_original > 0 && rope.scaling.kind == weights::RopeScaling::Kind::LongRope;
    Kind& kind = kinds_.emplace_back();
    kind.original = turns_of(weights::rope_turns(config, rope),
                             has_two ? n_original : config.max_position_embeddings, devices);
    if (has_two) {
      kind.beyond = turns_of(weights::rope_turns(config, rope, TextLength::Beyond),
                             config.max_position_embeddings, devices);
    }
  };
  add_kind({config.rope_theta, config.rope_scaling});
  if (has_two_kinds) add_kind(*config.window_rope);
}

Rotations::Pass::Pass(const Rotations& all, at::Tensor positions)
    : all_(all), positions_(std::move(positions)), by_kind_(all.kinds_.size()) {}

const Turns& Rotations::Pass::of(int layer, std::size_t device) {
  static const Turns kNone;
  if (device != device_) {
    device_ = device;
    std::fill(by_kind_.begin(), by_kind_.end(), std::nullopt);
  }
  const int number = all_.kind_of_layer_[layer];
  if (number < 0) return kNone;
  std::optional<Turns>& turns = by_kind_[number];
  if (!turns) {
    const Kind& kind = all_.kinds_[number];
    const bool is_beyond = all_.length_ == weights::TextLength::Beyond && !kind.beyond.empty();
    const Turns& table = (is_beyond ? kind.beyond : kind.original)[device];
    const at::Tensor here = positions_.to(table.cosines.device());
    turns = {table.cosines.index_select(0, here), table.sines.index_select(0, here)};
  }
  return *turns;
}

}  // namespace labelprobe::model
