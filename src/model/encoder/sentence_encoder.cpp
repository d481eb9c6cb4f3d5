// Dimensions: B texts of one length, S tokens of each, H heads, C hidden size.
#include "labelprobe/model/sentence_encoder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"

#include "weights/device/device.h"
#include "weights/device/threads.h"
#include "weights/encoder/encoder_config.h"
#include "weights/encoder/encoder_weights.h"

namespace labelprobe::model {
namespace {

using weights::EncoderConfig;
using weights::EncoderWeights;

// Tokens computed together at most, unless one text has more.
constexpr std::size_t kCpuTokens = 2048;
constexpr std::size_t kGpuTokens = 32768;

struct Linear {
  at::Tensor weight;
  at::Tensor bias;

  at::Tensor operator()(const at::Tensor& x) const { return at::linear(x, weight, bias); }
};

struct Norm {
  at::Tensor weight;
  at::Tensor bias;
};

struct Layer {
  Linear query_key_value;
  Linear attention_output;
  Norm attention_norm;
  Linear intermediate;
  Linear output;
  Norm output_norm;
};

// What either architecture calls the parts of its attention.
struct AttentionNames {
  std::array<const char*, 3> query_key_value;
  const char* output;
  const char* norm;
};

constexpr AttentionNames kBertNames = {
    {"attention.self.query", "attention.self.key", "attention.self.value"},
    "attention.output.dense",
    "attention.output.LayerNorm"};
constexpr AttentionNames kMpnetNames = {
    {"attention.attn.q", "attention.attn.k", "attention.attn.v"},
    "attention.attn.o",
    "attention.LayerNorm"};

class Loader {
 public:
  Loader(EncoderWeights& weights, at::Device device) : weights_(weights), device_(device) {}

  at::Tensor tensor(const std::string& name, std::initializer_list<std::int64_t> shape) {
    return weights_.take(name, {shape.begin(), shape.size()}).to(device_);
  }

  Linear linear(const std::string& name, int n_out, int n_in) {
    return {tensor(fmt::format("{}.weight", name), {n_out, n_in}),
            tensor(fmt::format("{}.bias", name), {n_out})};
  }

  Norm norm(const std::string& name, int n) {
    return {tensor(fmt::format("{}.weight", name), {n}), tensor(fmt::format("{}.bias", name), {n})};
  }

  Layer layer(const std::string& prefix, const EncoderConfig& config) {
    const bool is_bert = config.kind == EncoderConfig::Kind::Bert;
    const AttentionNames& names = is_bert ? kBertNames : kMpnetNames;
    const int n = config.hidden_size;
    std::vector<at::Tensor> matrices;
    std::vector<at::Tensor> biases;
    for (const char* name : names.query_key_value) {
      const Linear part = linear(prefix + name, n, n);
      matrices.push_back(part.weight);
      biases.push_back(part.bias);
    }
    return {{at::cat(matrices), at::cat(biases)},
            linear(prefix + names.output, n, n),
            norm(prefix + names.norm, n),
            linear(fmt::format("{}intermediate.dense", prefix), config.intermediate_size, n),
            linear(fmt::format("{}output.dense", prefix), n, config.intermediate_size),
            norm(fmt::format("{}output.LayerNorm", prefix), n)};
  }

 private:
  EncoderWeights& weights_;
  at::Device device_;
};

// MPNet's bucket of the distance from a token to another: exact when near, by logarithms when far,
// one half of the buckets for either direction.
std::int64_t bucket_of(std::int64_t to, std::int64_t from, std::int64_t n_buckets) {
  constexpr double kMaxDistance = 128;
  const std::int64_t n_half = n_buckets / 2;
  const std::int64_t n_exact = n_half / 2;
  const std::int64_t distance = std::abs(to - from);
  const std::int64_t base = to > from ? n_half : 0;
  if (distance < n_exact) {
    return base + distance;
  }
  // In the types and the order of operations of transformers.
  const float share = std::log(static_cast<float>(distance) / static_cast<float>(n_exact)) /
                      static_cast<float>(std::log(kMaxDistance / static_cast<double>(n_exact)));
  const auto beyond = static_cast<std::int64_t>(share * static_cast<float>(n_half - n_exact));
  return base + std::min(n_exact + beyond, n_half - 1);
}

class Encoder final : public SentenceEncoder {
 public:
  Encoder(const std::filesystem::path& folder, c10::Device device)
      : config_(weights::load_sentence_encoder_config(folder)), device_(device) {
    EncoderWeights weights(folder);
    Loader loader(weights, device);
    const int n = config_.hidden_size;
    word_embeddings_ = loader.tensor("embeddings.word_embeddings.weight", {config_.vocab_size, n});
    position_embeddings_ =
        loader.tensor("embeddings.position_embeddings.weight", {config_.n_positions, n});
    if (config_.kind == EncoderConfig::Kind::Bert) {
      type_embedding_ =
          loader.tensor("embeddings.token_type_embeddings.weight", {config_.n_token_types, n})[0];
    } else {
      attention_bias_ = loader.tensor("encoder.relative_attention_bias.weight",
                                      {config_.n_buckets, config_.n_heads});
    }
    embedding_norm_ = loader.norm("embeddings.LayerNorm", n);
    for (int i = 0; i < config_.n_layers; ++i) {
      layers_.push_back(loader.layer(fmt::format("encoder.layer.{}.", i), config_));
    }
    weights.check_all_taken();
    info_ = {config_.kind == EncoderConfig::Kind::Bert ? "bert" : "mpnet",
             n,
             config_.max_tokens,
             config_.vocab_size,
             device.str(),
             labelprobe::fingerprint(
                 fmt::format("{} max_tokens {}", weights.fingerprint(), config_.max_tokens))};
  }

  // Texts of one length go together: none needs padding.
  std::vector<float> encode(std::span<const TokenIds> texts) override {
    const c10::InferenceMode no_gradients;
    std::vector<TokenIds> cut;
    for (const TokenIds& text : texts) {
      cut.push_back(checked(text));
    }
    std::vector<std::size_t> order(cut.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return cut[a].size() < cut[b].size(); });
    std::vector<float> vectors(cut.size() * static_cast<std::size_t>(info_.n_dims));
    const std::size_t n_most = device_.is_cpu() ? kCpuTokens : kGpuTokens;
    for (std::size_t first = 0; first < order.size();) {
      const std::size_t n_tokens = cut[order[first]].size();
      std::size_t end = first + 1;
      while (end < order.size() && cut[order[end]].size() == n_tokens &&
             (end + 1 - first) * n_tokens <= n_most) {
        ++end;
      }
      try {
        encode_batch(cut, std::span(order).subspan(first, end - first), vectors);
      } catch (const c10::Error& error) {
        throw ModelError(
            fmt::format("sentence encoder on {}: {}", info_.device,
                        weights::is_out_of_memory(error)
                            ? "out of memory; use --sentence-device cpu"
                            : fmt::format("libtorch failed: {}", error.what_without_backtrace())));
      }
      first = end;
    }
    return vectors;
  }

  const SentenceEncoderInfo& info() const override { return info_; }

 private:
  TokenIds checked(TokenIds text) const {
    LABELPROBE_CHECK(!text.empty());
    const auto n_most = static_cast<std::size_t>(config_.max_tokens);
    if (text.size() > n_most) {
      text[n_most - 1] = text.back();
      text.resize(n_most);
    }
    for (const TokenId id : text) {
      if (id < 0 || id >= config_.vocab_size) {
        throw ModelError(
            fmt::format("sentence encoder: expected token ids below its vocabulary size, {}, found "
                        "{}; is the tokenizer in its folder its own?",
                        config_.vocab_size, id));
      }
    }
    return text;
  }

  // MPNet's positions begin behind the padding token's id, which such tokens keep.
  void append_positions(const TokenIds& text, std::vector<std::int64_t>& positions) const {
    const bool is_bert = config_.kind == EncoderConfig::Kind::Bert;
    std::int64_t next = is_bert ? 0 : config_.pad_id + 1;
    for (const TokenId id : text) {
      positions.push_back(!is_bert && id == config_.pad_id ? config_.pad_id : next++);
    }
  }

  void encode_batch(const std::vector<TokenIds>& texts,
                    std::span<const std::size_t> batch,
                    std::vector<float>& vectors) const {
    std::vector<std::int64_t> ids;
    std::vector<std::int64_t> positions;
    for (const std::size_t i : batch) {
      ids.insert(ids.end(), texts[i].begin(), texts[i].end());
      append_positions(texts[i], positions);
    }
    const auto n_texts = static_cast<std::int64_t>(batch.size());
    const auto n_tokens = static_cast<std::int64_t>(ids.size()) / n_texts;
    const auto on_device = [&](const std::vector<std::int64_t>& numbers) {
      return at::tensor(numbers).view({n_texts, n_tokens}).to(device_);
    };
    const at::Tensor hidden = forward(on_device(ids), on_device(positions));  // [B, S, C]
    const at::Tensor means = hidden.mean(1);
    const at::Tensor unit =
        (means / means.norm(2, {1}, true).clamp_min(1e-12)).to(at::kCPU).contiguous();
    const auto n_dims = static_cast<std::size_t>(info_.n_dims);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      std::memcpy(vectors.data() + batch[i] * n_dims, unit.const_data_ptr<float>() + i * n_dims,
                  n_dims * sizeof(float));
    }
  }

  at::Tensor normed(const at::Tensor& x, const Norm& norm) const {
    return at::layer_norm(x, {config_.hidden_size}, norm.weight, norm.bias, config_.norm_eps);
  }

  at::Tensor forward(const at::Tensor& ids, const at::Tensor& positions) const {
    at::Tensor x =
        at::embedding(word_embeddings_, ids) + at::embedding(position_embeddings_, positions);
    if (type_embedding_.defined()) {
      x = x + type_embedding_;
    }
    x = normed(x, embedding_norm_);
    std::optional<at::Tensor> bias;  // [1, H, S, S]
    if (attention_bias_.defined()) {
      bias = relative_bias(ids.size(1));
    }
    for (const Layer& layer : layers_) {
      x = normed(attend(layer, x, bias) + x, layer.attention_norm);
      x = normed(layer.output(at::gelu(layer.intermediate(x))) + x, layer.output_norm);
    }
    return x;
  }

  at::Tensor attend(const Layer& layer,
                    const at::Tensor& x,
                    const std::optional<at::Tensor>& bias) const {
    const std::int64_t n_texts = x.size(0);
    const std::int64_t n_tokens = x.size(1);
    const at::Tensor split =
        layer.query_key_value(x)
            .view({n_texts, n_tokens, 3, config_.n_heads, config_.hidden_size / config_.n_heads})
            .permute({2, 0, 3, 1, 4});
    const std::optional<at::Tensor> mask =
        bias ? std::optional(bias->expand({n_texts, -1, -1, -1})) : std::nullopt;
    const at::Tensor mixed =
        at::scaled_dot_product_attention(split[0], split[1], split[2], mask);  // [B, H, S, C / H]
    return layer.attention_output(
        mixed.transpose(1, 2).reshape({n_texts, n_tokens, config_.hidden_size}));
  }

  at::Tensor relative_bias(std::int64_t n_tokens) const {
    std::vector<std::int64_t> buckets;
    for (std::int64_t from = 0; from < n_tokens; ++from) {
      for (std::int64_t to = 0; to < n_tokens; ++to) {
        buckets.push_back(bucket_of(to, from, config_.n_buckets));
      }
    }
    const at::Tensor index = at::tensor(buckets).view({n_tokens, n_tokens}).to(device_);
    return at::embedding(attention_bias_, index).permute({2, 0, 1}).unsqueeze(0).contiguous();
  }

  EncoderConfig config_;
  c10::Device device_;
  at::Tensor word_embeddings_;
  at::Tensor position_embeddings_;
  at::Tensor type_embedding_;  // Bert only, [C]
  at::Tensor attention_bias_;  // Mpnet only, [n_buckets, H]
  Norm embedding_norm_;
  std::vector<Layer> layers_;
  SentenceEncoderInfo info_;
};

}  // namespace

std::unique_ptr<SentenceEncoder> open_sentence_encoder(const std::filesystem::path& folder,
                                                       const std::string& device,
                                                       int n_threads) {
  const c10::Device opened = weights::open_device(device);
  at::set_num_threads(weights::n_threads_of(n_threads));
  const c10::InferenceMode no_gradients;
  return std::make_unique<Encoder>(folder, opened);
}

}  // namespace labelprobe::model
