#include "model/decoder/decoder.h"

#include <functional>
#include <utility>
#include <vector>

#include <ATen/Functions.h>
#include <c10/core/DeviceGuard.h>

#include "labelprobe/core/error.h"

#include "model/attention/segment_attention_cpu.h"
#include "model/parallel/orders.h"
#include "model/products/add_rows.h"
#include "model/products/fixed_rows.h"
#include "model/products/gated_gelu.h"
#include "model/products/gated_silu.h"
#include "model/products/rms_norm.h"
#include "model/products/rotate_heads.h"
#include "model/products/softcap.h"
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
  c10::DeviceGuard on_device(device_);
  Rotations::Pass rotations(rotations_, positions);
  const at::ScalarType type = scalar_type();
  at::Tensor x = embed(tokens);
  if (has_fixed_rows()) x = filled_up(x);
  if (watcher != nullptr) watcher->see(0, x);
  for (int i = 0; i < config_.n_layers; ++i) {
    const Layer& layer = layers_[i];
    if (placement_.part_of(i) != part) {
      part = placement_.part_of(i);
      on_device.reset_device(placement_.of(i));
      x = x.to(placement_.of(i));
    }
    const at::Tensor qkv = multiply(layer.qkv_proj, normed(x, layer.input_norm))
                               .to(type)
                               .narrow(0, 0, n_rows)
                               .view({n_rows, n_heads + 2 * n_kv, n_dim});
    norm_heads(layer, qkv);
    const Turns& turns = rotations.of(i, part);
    attention.rotate(i, qkv, n_heads, n_kv, turns.cosines, turns.sines);
    const at::Tensor queries =
        qkv.narrow(1, 0, n_heads).view({n_rows, n_kv, n_heads / n_kv, n_dim});
    at::Tensor attended = attention.attend(i, queries, qkv.narrow(1, n_heads, n_kv),
                                           qkv.narrow(1, n_heads + n_kv, n_kv));
    attended = joined(attended, &Share::heads, n_dim);
    if (i + 1 == config_.n_layers && kept.defined()) {
      const at::Tensor rows = kept.to(x.device());
      x = x.index_select(0, rows);
      if (kept.size(0) == 0) break;
      attended = attended.index_select(0, rows);
    } else if (has_fixed_rows()) {
      attended = filled_up(attended);
    }
    add_part(x, layer.o_proj, attended, layer.attention_norm);
    if (watcher != nullptr) watcher->see(2 * i + 1, x);
    add_mlp(x, layer);
    if (watcher != nullptr) watcher->see(2 * i + 2, x);
  }
  return x.narrow(0, 0, kept.defined() ? kept.size(0) : n_rows).to(device_);
}

at::Tensor Decoder::embed(const at::Tensor& tokens) const {
  // What all layers add to: rounding it to bfloat16 would cost more than it saves.
  const bool is_wide = device_.is_cpu() && scalar_type() == at::kBFloat16;
  const at::Tensor rows =
      packed_embedding_ ? weights::packed_rows(*packed_embedding_, tokens) : embedding_rows(tokens);
  const at::Tensor x = rows.to(is_wide ? at::kFloat : scalar_type());
  return embedding_scale_ == 1.0 ? x : x * embedding_scale_;
}

// Rows of a matrix that has one for each token of the vocabulary, some of them in each process:
// `rows` gives those at places of its own part.
at::Tensor Decoder::token_rows(
    const at::Tensor& tokens,
    const std::function<at::Tensor(const at::Tensor& places)>& rows) const {
  if (team_ == nullptr) return rows(tokens);
  const weights::RowRange& own = share().vocabulary;
  at::Tensor owners = at::zeros_like(tokens);
  for (const Share& of_one : shares_) {
    if (of_one.vocabulary.first > 0) owners.add_(tokens.ge(of_one.vocabulary.first));
  }
  return team_->take_rows(rows((tokens - own.first).clamp(0, own.n - 1)), owners);
}

at::Tensor Decoder::embedding_rows(const at::Tensor& tokens) const {
  return token_rows(tokens,
                    [&](const at::Tensor& places) { return embedding_.index_select(0, places); });
}

at::Tensor Decoder::joined(const at::Tensor& part,
                           weights::RowRange Share::*range,
                           std::int64_t n_each) const {
  if (team_ == nullptr) return part;
  return team_->join_columns(part, widths_of(shares_, range, n_each));
}

at::Tensor Decoder::normed(const at::Tensor& x, const at::Tensor& norm) const {
  return norm.defined() ? rms_norm(x, norm, config_.rms_norm_eps, scalar_type())
                        : x.to(scalar_type());
}

void Decoder::norm_joined_heads(const Layer& layer, const at::Tensor& qkv) const {
  const std::int64_t n_dim = config_.head_dim;
  const auto norm_some = [&](std::int64_t first, const weights::RowRange Share::*range,
                             const at::Tensor& norm) {
    if (!norm.defined()) return;
    const at::Tensor heads = qkv.narrow(1, first, (share().*range).n);
    // Key heads that several processes have count once.
    std::vector<std::int64_t> widths;
    for (const Share& of_one : shares_) {
      const bool is_counted = range != &Share::key_heads || !of_one.repeats_keys;
      widths.push_back(is_counted ? (of_one.*range).n * n_dim : 0);
    }
    const bool is_own_counted = widths[static_cast<std::size_t>(team_->rank())] > 0;
    const at::Tensor own = heads.reshape({heads.size(0), -1});
    const at::Tensor all =
        team_->join_columns(own.narrow(1, 0, is_own_counted ? own.size(1) : 0), widths);
    heads.copy_(normed(all, norm)
                    .narrow(1, (share().*range).first * n_dim, own.size(1))
                    .view(heads.sizes()));
  };
  norm_some(0, &Share::heads, layer.query_norm);
  norm_some(config_.n_heads, &Share::key_heads, layer.key_norm);
}

void Decoder::norm_heads(const Layer& layer, const at::Tensor& qkv) const {
  if (team_ != nullptr && norms_all_heads(config_)) return norm_joined_heads(layer, qkv);
  const auto norm_some = [&](std::int64_t first, std::int64_t n, const at::Tensor& norm) {
    if (!norm.defined()) return;
    const at::Tensor heads = qkv.narrow(1, first, n);
    heads.copy_(normed(heads.reshape({-1, norm.size(0)}), norm).view_as(heads));
  };
  norm_some(0, config_.n_heads, layer.query_norm);
  norm_some(config_.n_heads, config_.n_kv_heads, layer.key_norm);
}

at::Tensor Decoder::gated(at::Tensor gate_up) const {
  return config_.activation == weights::Activation::Silu ? gated_silu(std::move(gate_up))
                                                         : gated_gelu(std::move(gate_up));
}

// The others get the hidden states too: they may be of rows that the first process has chosen.
void Decoder::tell_hidden(const at::Tensor& hidden) const {
  team_->begin_pass();
  team_->tell(Parcel(Order::Logits, number_).put(hidden.size(0)).put(hidden.scalar_type()).bytes());
  team_->send_from_first(hidden);
}

void Decoder::follow_logits(Parcel& parcel) const {
  const auto n_rows = parcel.take<std::int64_t>();
  const auto type = parcel.take<at::ScalarType>();
  const at::Tensor hidden =
      at::empty({n_rows, config_.hidden_size}, at::TensorOptions().dtype(type).device(device_));
  team_->send_from_first(hidden);
  logits(hidden);
}

at::Tensor Decoder::logits(const at::Tensor& hidden) const {
  const bool tells = team_ != nullptr && team_->is_first();
  if (tells) tell_hidden(hidden);
  at::Tensor logits =
      multiply(head_, rms_norm(hidden, norm_, config_.rms_norm_eps, scalar_type())).to(at::kFloat);
  if (team_ != nullptr) {
    logits = team_->join_columns_at_first(logits, widths_of(shares_, &Share::vocabulary));
    if (!logits.defined()) return logits;
    team_->end_pass();
  }
  if (config_.logits_divisor != 1.0) logits = logits / config_.logits_divisor;
  return config_.final_softcap == 0.0 ? logits : softcapped(logits, config_.final_softcap);
}

at::Tensor Decoder::final_norm(const at::Tensor& hidden) const {
  return rms_norm(hidden, norm_, config_.rms_norm_eps, scalar_type()).to(at::kFloat);
}

at::Tensor Decoder::head_rows(const TokenIds& tokens) const {
  const bool tells = team_ != nullptr && team_->is_first();
  if (tells) {
    team_->begin_pass();
    team_->tell(Parcel(Order::HeadRows, number_).put(tokens).bytes());
  }
  const at::Tensor rows =
      token_rows(weights::send(std::vector<std::int64_t>(tokens.begin(), tokens.end()), device_),
                 [&](const at::Tensor& places) { return head_.rows(places); });
  if (tells) team_->end_pass();
  return rows;
}

at::Tensor Decoder::project_attention(int layer,
                                      const at::Tensor& x,
                                      const at::Tensor& whole) const {
  LABELPROBE_CHECK(team_ == nullptr);
  const c10::DeviceGuard on_device(placement_.of(layer));
  const at::Tensor& norm = layers_[layer].attention_norm;
  // The last row of zeros gives the bias.
  const at::Tensor zeros = at::zeros({1, x.size(1)}, x.options());
  const at::Tensor rows =
      (norm.defined() ? at::cat({x, whole, zeros}) : at::cat({x, zeros})).to(scalar_type());
  const at::Tensor added =
      multiply(layers_[layer].o_proj, has_fixed_rows() ? filled_up(rows) : rows)
          .narrow(0, 0, rows.size(0))
          .to(at::kFloat);
  const at::Tensor parts =
      (added.narrow(0, 0, x.size(0)) - added[rows.size(0) - 1]) * config_.residual_scale;
  if (!norm.defined()) return parts.to(device_);
  const at::Tensor scale = added[x.size(0)].square().mean().add_(config_.rms_norm_eps).rsqrt_();
  return (parts * scale * norm).to(device_);
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

void Decoder::add_part(at::Tensor& sum,
                       const Linear& weight,
                       const at::Tensor& x,
                       const at::Tensor& norm) const {
  if (team_ == nullptr && !norm.defined() && config_.residual_scale == 1.0) {
    add_product(sum, weight, x);
    return;
  }
  add_scaled(sum, joined(multiply(weight, x), &Share::hidden), norm);
}

void Decoder::add_mlp(at::Tensor& sum, const Layer& layer) const {
  const at::Tensor x = normed(sum, layer.mlp_norm);
  if (layer.experts) {
    const auto join_inner = [&](const at::Tensor& inner) {
      return joined(inner, &Share::expert_inner);
    };
    const at::Tensor added =
        team_ == nullptr
            ? (*layer.experts)(x, has_fixed_rows())
            : joined((*layer.experts)(x, has_fixed_rows(), join_inner), &Share::hidden);
    add_scaled(sum, added, layer.mlp_output_norm);
  } else {
    const at::Tensor inner = joined(gated(multiply(layer.gate_up_proj, x)), &Share::inner);
    add_part(sum, layer.down_proj, inner, layer.mlp_output_norm);
  }
}

void Decoder::add_scaled(at::Tensor& sum, at::Tensor part, const at::Tensor& norm) const {
  if (norm.defined()) part = normed(part, norm);
  if (config_.residual_scale != 1.0) part = part * config_.residual_scale;
  add_rows(sum, part);
}

}  // namespace labelprobe::model
