// What a LoRA decoder computes in one of its blocks.
#include <cmath>
#include <optional>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "training/lora/lora_decoder.h"
#include "training/lora/mixed_seed.h"
#include "training/lora/row_operators.h"

namespace labelprobe::training {

at::Tensor LoraDecoder::project(const Projection& projection,
                                const at::Tensor& x,
                                std::uint64_t dropout_seed) const {
  at::Tensor result = projection.frozen(x);
  if (!projection.a.defined()) return result;
  at::Tensor dropped = x;
  if (dropout_seed != 0 && dropout_ > 0) {
    at::Generator generator =
        at::detail::createCPUGenerator(mixed_seed(dropout_seed, projection.number));
    dropped = x * at::empty(x.sizes(), at::kFloat)
                      .bernoulli_(1.0 - dropout_, generator)
                      .div_(1.0 - dropout_)
                      .to(device_, x.scalar_type());
  }
  const at::Tensor inner = at::linear(dropped, projection.a.to(type_));
  return result + at::linear(inner, projection.b.to(type_)) * scale_;
}

std::vector<at::Tensor> LoraDecoder::project_all(const std::vector<Projection>& projections,
                                                 const at::Tensor& x,
                                                 const std::vector<std::int64_t>& sizes,
                                                 std::uint64_t dropout_seed) const {
  if (projections.size() == 1) {
    return project(projections.front(), x, dropout_seed).split_with_sizes(sizes, 1);
  }
  std::vector<at::Tensor> products;
  for (const Projection& projection : projections) {
    products.push_back(project(projection, x, dropout_seed));
  }
  return products;
}

at::Tensor LoraDecoder::normed(const at::Tensor& x, const at::Tensor& norm) const {
  return (norm.defined() ? rms_norm(x.to(at::kFloat), norm, config_.rms_norm_eps) : x).to(type_);
}

at::Tensor LoraDecoder::heads(const Layer& layer,
                              const at::Tensor& rows,
                              const at::Tensor& norm,
                              std::int64_t n_blocks) const {
  const std::int64_t n_rows = rows.size(0), n_tokens = n_rows / n_blocks;
  const at::Tensor ready =
      norm.defined() ? normed(rows.view({n_rows, -1, norm.size(0)}), norm) : rows;
  const at::Tensor heads = ready.view({n_blocks, n_tokens, -1, config_.head_dim}).transpose(1, 2);
  if (!layer.cosines.defined()) return heads;
  return rotate(heads, layer.cosines.narrow(0, 0, n_tokens), layer.sines.narrow(0, 0, n_tokens));
}

at::Tensor LoraDecoder::weigh(const Layer& layer,
                              const at::Tensor& queries,
                              const at::Tensor& keys,
                              const at::Tensor& values) const {
  const std::int64_t n_tokens = queries.size(2);
  const bool is_windowed = layer.window > 0 && layer.window < n_tokens;
  const auto seen = [&] {
    const at::Tensor before =
        at::ones({n_tokens, n_tokens}, queries.options().dtype(at::kBool)).tril();
    return is_windowed ? before.triu(1 - layer.window) : before;
  };
  if (config_.attention_softcap == 0.0) {
    const auto mask = is_windowed ? std::optional(seen()) : std::nullopt;
    const auto scale =
        config_.attention_scale > 0.0 ? std::optional(config_.attention_scale) : std::nullopt;
    return at::scaled_dot_product_attention(queries, keys, values, mask, 0.0,
                                            /*is_causal=*/!is_windowed, scale);
  }
  const double cap = config_.attention_softcap;
  const at::Tensor scores =
      at::tanh(at::matmul(queries, keys.transpose(2, 3)) * (config_.score_scale() / cap)) * cap;
  const at::Tensor shares =
      scores.masked_fill(seen().logical_not(), -INFINITY).softmax(-1, at::kFloat);
  return at::matmul(shares.to(type_), values);
}

at::Tensor LoraDecoder::attend(const Layer& layer,
                               const at::Tensor& x,
                               std::int64_t n_blocks,
                               std::uint64_t dropout_seed) const {
  const std::int64_t n_rows = x.size(0);
  const std::int64_t n_keys = std::int64_t{config_.n_kv_heads} * config_.head_dim;
  const std::vector<at::Tensor> qkv =
      project_all(layer.qkv, x, {std::int64_t{config_.n_heads} * config_.head_dim, n_keys, n_keys},
                  dropout_seed);
  const at::Tensor queries = heads(layer, qkv[0], layer.query_norm, n_blocks);
  at::Tensor keys = heads(layer, qkv[1], layer.key_norm, n_blocks);
  at::Tensor values =
      qkv[2].view({n_blocks, n_rows / n_blocks, -1, config_.head_dim}).transpose(1, 2);
  if (const std::int64_t n_shared = config_.n_heads / config_.n_kv_heads; n_shared > 1) {
    keys = keys.repeat_interleave(n_shared, 1);
    values = values.repeat_interleave(n_shared, 1);
  }
  const at::Tensor attended = weigh(layer, queries, keys, values);
  return project(layer.output, attended.transpose(1, 2).reshape({n_rows, -1}), dropout_seed);
}

at::Tensor LoraDecoder::add(const at::Tensor& x,
                            const at::Tensor& part,
                            const at::Tensor& norm) const {
  const at::Tensor added = normed(part, norm);
  return x + (config_.residual_scale == 1.0 ? added : added * config_.residual_scale);
}

at::Tensor LoraDecoder::pass(const Layer& layer,
                             const at::Tensor& x,
                             std::int64_t n_blocks,
                             std::uint64_t dropout_seed) const {
  const at::Tensor attended = add(
      x, attend(layer, normed(x, layer.input_norm), n_blocks, dropout_seed), layer.attention_norm);
  const std::int64_t n_inner = config_.intermediate_size;
  const std::vector<at::Tensor> gate_up = project_all(
      layer.gate_up, normed(attended, layer.mlp_norm), {n_inner, n_inner}, dropout_seed);
  const at::Tensor inner = config_.activation == weights::Activation::Silu
                               ? gated_silu(gate_up[0], gate_up[1])
                               : gated_gelu(gate_up[0], gate_up[1]);
  return add(attended, project(layer.down, inner, dropout_seed), layer.mlp_output_norm);
}

at::Tensor LoraDecoder::embed(const at::Tensor& tokens) const {
  const at::Tensor x = embedding_.index_select(0, tokens.flatten().to(device_)).to(at::kFloat);
  return embedding_scale_ == 1.0 ? x : x * embedding_scale_;
}

}  // namespace labelprobe::training
