#include "model/decoder/decoder.h"

#include <ATen/Functions.h>
#include <c10/core/DeviceGuard.h>

#include "model/attention/segment_attention_cpu.h"
#include "model/products/fixed_rows.h"
#include "model/products/gated_silu.h"
#include "model/products/rms_norm.h"
#include "model/products/rotate_heads.h"
#include "weights/device/dtype.h"
#include "weights/device/send.h"

namespace labelprobe::model {

c10::ScalarType activation_type(DType dtype, c10::Device device) {
  const at::ScalarType type = weights::scalar_type(dtype);
  return device.is_cpu() && !CpuSegmentPlan::can_attend(type) ? at::kFloat : type;
}

void Attention::rotate(int /*layer*/,
                       const at::Tensor& heads,
                       std::int64_t n_queries,
                       std::int64_t n_keys,
                       const at::Tensor& cosines,
                       const at::Tensor& sines) {
  if (cosines.defined()) rotate_heads(heads.narrow(1, 0, n_queries + n_keys), cosines, sines);
}

at::Tensor Decoder::forward(const at::Tensor& tokens,
                            const at::Tensor& positions,
                            Attention& attention,
                            const at::Tensor& kept,
                            LayerWatcher* watcher) const {
  const std::int64_t n_rows = tokens.size(0);
  const std::int64_t n_heads = config_.n_heads;
  const std::int64_t n_kv = config_.n_kv_heads;
  const std::int64_t n_dim = config_.head_dim;
  std::size_t part = 0;
  c10::OptionalDeviceGuard on_device;
  Rotations::Pass rotations(rotations_, positions);
  const at::ScalarType type = scalar_type();
  // What all layers add to: rounding it to bfloat16 would cost more than it saves.
  const bool is_wide = device_.is_cpu() && type == at::kBFloat16;
  at::Tensor x = embedding_.index_select(0, tokens).to(is_wide ? at::kFloat : type);
  if (has_fixed_rows()) x = filled_up(x);
  if (watcher != nullptr) watcher->see(0, x);
  for (int i = 0; i < config_.n_layers; ++i) {
    const Layer& layer = layers_[i];
    if (placement_.part_of(i) != part) {
      part = placement_.part_of(i);
      on_device.reset_device(placement_.of(i));
      x = x.to(placement_.of(i));
    }
    const at::Tensor normed = rms_norm(x, layer.input_layernorm, config_.rms_norm_eps, type);
    const at::Tensor qkv = multiply(layer.qkv_proj, normed)
                               .to(type)
                               .narrow(0, 0, n_rows)
                               .view({n_rows, n_heads + 2 * n_kv, n_dim});
    const Turns& turns = rotations.of(i, part);
    attention.rotate(i, qkv, n_heads, n_kv, turns.cosines, turns.sines);
    const at::Tensor queries =
        qkv.narrow(1, 0, n_heads).view({n_rows, n_kv, n_heads / n_kv, n_dim});
    at::Tensor attended = attention.attend(i, queries, qkv.narrow(1, n_heads, n_kv),
                                           qkv.narrow(1, n_heads + n_kv, n_kv));
    if (i + 1 == config_.n_layers && kept.defined()) {
      const at::Tensor rows = kept.to(x.device());
      x = x.index_select(0, rows);
      if (kept.size(0) == 0) break;
      attended = attended.index_select(0, rows);
    } else if (has_fixed_rows()) {
      attended = filled_up(attended);
    }
    add_product(x, layer.o_proj, attended);
    if (watcher != nullptr) watcher->see(2 * i + 1, x);
    const at::Tensor inner =
        multiply(layer.gate_up_proj,
                 rms_norm(x, layer.post_attention_layernorm, config_.rms_norm_eps, type));
    add_product(x, layer.down_proj, gated_silu(inner));
    if (watcher != nullptr) watcher->see(2 * i + 2, x);
  }
  return x.narrow(0, 0, kept.defined() ? kept.size(0) : n_rows).to(device_);
}

at::Tensor Decoder::logits(const at::Tensor& hidden) const {
  return multiply(head_, rms_norm(hidden, norm_, config_.rms_norm_eps, scalar_type()))
      .to(at::kFloat);
}

at::Tensor Decoder::final_norm(const at::Tensor& hidden) const {
  return rms_norm(hidden, norm_, config_.rms_norm_eps, scalar_type()).to(at::kFloat);
}

at::Tensor Decoder::head_rows(const TokenIds& tokens) const {
  return head_.rows(
      weights::send(std::vector<std::int64_t>(tokens.begin(), tokens.end()), device_));
}

at::Tensor Decoder::project_attention(int layer, const at::Tensor& x) const {
  const c10::DeviceGuard on_device(placement_.of(layer));
  // The last row of zeros gives the bias.
  const at::Tensor rows = at::cat({x, at::zeros({1, x.size(1)}, x.options())}).to(scalar_type());
  const at::Tensor added =
      multiply(layers_[layer].o_proj, has_fixed_rows() ? filled_up(rows) : rows)
          .narrow(0, 0, rows.size(0))
          .to(at::kFloat);
  return (added.narrow(0, 0, x.size(0)) - added[x.size(0)]).to(device_);
}

at::Tensor Decoder::multiply(const Linear& weight, const at::Tensor& x) const {
  return has_fixed_rows() ? multiply_by_fixed_rows(weight, x) : weight(x);
}

void Decoder::add_product(at::Tensor& sum, const Linear& weight, const at::Tensor& x) const {
  if (has_fixed_rows()) {
    add_by_fixed_rows(sum, weight, x);
  } else {
    weight.add_to(sum, x);
  }
}

}  // namespace labelprobe::model
