#include "weights/making/random_gguf.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/files/gguf.h"
#include "labelprobe/files/gguf_vocabulary.h"

#include "weights/families/family.h"
#include "weights/making/model_shapes.h"
#include "weights/making/normal_numbers.h"
#include "weights/packed/encode.h"

namespace labelprobe::weights {
namespace {

using files::GgmlType;

constexpr const char* kRopeFactors = "rope_freqs.weight";

// llama.cpp's number of what most of a file's matrices are (llama_ftype).
std::uint32_t file_type(GgmlType type) {
  switch (type) {
    case GgmlType::F32:
      return 0;
    case GgmlType::F16:
      return 1;
    case GgmlType::Q4_0:
      return 2;
    case GgmlType::Q8_0:
      return 7;
    case GgmlType::Q4_K:
      return 14;
    default:
      return 32;  // BF16
  }
}

std::uint32_t whole(std::int64_t number) {
  return static_cast<std::uint32_t>(number);
}

// What every frequency is divided by, where long wavelengths are scaled as Llama 3's are.
std::vector<float> rope_factors(const DecoderConfig& config) {
  if (config.rope_scaling.kind != RopeScaling::Kind::Llama3) return {};
  DecoderConfig plain = config;
  plain.rope_scaling = {};
  const std::vector<float> unscaled = rope_frequencies(plain);
  const std::vector<float> scaled = rope_frequencies(config);
  std::vector<float> factors;
  for (std::size_t i = 0; i < scaled.size(); ++i) factors.push_back(unscaled[i] / scaled[i]);
  return factors;
}

// A value of a file's header as a converter would write it.
template <class T>
files::GgufValueToWrite as_written(const T& value) {
  if constexpr (std::is_same_v<T, std::uint64_t>) {
    return static_cast<std::uint32_t>(value);
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    return static_cast<std::int32_t>(value);
  } else if constexpr (std::is_same_v<T, double>) {
    return static_cast<float>(value);
  } else if constexpr (std::is_same_v<T, std::vector<std::uint64_t>> ||
                       std::is_same_v<T, std::vector<std::int64_t>>) {
    return std::vector<std::int32_t>(value.begin(), value.end());
  } else if constexpr (std::is_same_v<T, std::vector<bool>>) {
    return std::vector<std::int32_t>(value.begin(), value.end());
  } else if constexpr (std::is_same_v<T, std::vector<double>>) {
    return std::vector<float>(value.begin(), value.end());
  } else {
    return value;
  }
}

// Tokens that stand for nothing, as converters add them where a model has more rows than its
// vocabulary tokens.
void fill_up(files::GgufMetadata& metadata, std::size_t n_tokens) {
  constexpr std::int32_t kUnused = 5;
  constexpr float kUnusedScore = -1000.0F;
  for (auto& [key, value] : metadata) {
    if (key == files::kGgufTokens) {
      auto& tokens = std::get<std::vector<std::string>>(value);
      while (tokens.size() < n_tokens) tokens.push_back(fmt::format("[PAD{}]", tokens.size()));
    } else if (key == "tokenizer.ggml.token_type") {
      std::get<std::vector<std::int32_t>>(value).resize(n_tokens, kUnused);
    } else if (key == "tokenizer.ggml.scores") {
      std::get<std::vector<float>>(value).resize(n_tokens, kUnusedScore);
    }
  }
}

void add_vocabulary(const RandomCheckpointOptions& options,
                    int vocab_size,
                    files::GgufMetadata& metadata) {
  if (options.vocabulary.empty()) {
    metadata.emplace_back("tokenizer.ggml.model", std::string("none"));
    return;
  }
  const files::GgufFile file = files::GgufFile::open(options.vocabulary);
  const std::size_t n_tokens = file.strings(files::kGgufTokens).size();
  if (n_tokens > static_cast<std::size_t>(vocab_size)) {
    throw ConfigError(fmt::format(
        "{}: expected a tokenizer of at most {} tokens, which is what {} has room for, found {}",
        options.vocabulary.string(), vocab_size, options.shape, n_tokens));
  }
  for (const auto& [key, value] : file.metadata()) {
    if (!key.starts_with("tokenizer.")) continue;
    metadata.emplace_back(key, std::visit([](const auto& one) { return as_written(one); }, value));
  }
  fill_up(metadata, static_cast<std::size_t>(vocab_size));
}

files::GgufMetadata metadata_of(const RandomCheckpointOptions& options,
                                const DecoderConfig& config) {
  const std::string name(config.family->gguf_architecture);
  files::GgufMetadata metadata;
  metadata.emplace_back("general.architecture", name);
  metadata.emplace_back("general.type", std::string("model"));
  metadata.emplace_back("general.name", fmt::format("random {}", options.shape));
  metadata.emplace_back("general.file_type", file_type(*options.gguf_type));
  metadata.emplace_back("general.quantization_version", std::uint32_t{2});
  const auto add = [&](const char* key, files::GgufValueToWrite value) {
    metadata.emplace_back(fmt::format("{}.{}", name, key), std::move(value));
  };
  add("block_count", whole(config.n_layers));
  add("context_length", whole(config.max_position_embeddings));
  add("embedding_length", whole(config.hidden_size));
  add("feed_forward_length", whole(config.intermediate_size));
  add("attention.head_count", whole(config.n_heads));
  add("attention.head_count_kv", whole(config.n_kv_heads));
  add("attention.key_length", whole(config.head_dim));
  add("attention.value_length", whole(config.head_dim));
  add("attention.layer_norm_rms_epsilon", static_cast<float>(config.rms_norm_eps));
  add("rope.dimension_count", whole(config.head_dim));
  add("rope.freq_base", static_cast<float>(config.rope_theta));
  add("vocab_size", whole(config.vocab_size));
  add_vocabulary(options, config.vocab_size, metadata);
  return metadata;
}

std::string stored_name(const DecoderConfig& config, const Parameter& parameter) {
  const std::string_view name = parameter.name;
  constexpr std::string_view kLayers = "model.layers.";
  const int layer =
      name.starts_with(kLayers) ? std::stoi(std::string(name.substr(kLayers.size()))) : 0;
  return gguf_name(module_of(*config.family, parameter.role),
                   name.ends_with(".bias") ? "bias" : "weight", layer);
}

// Whole rows of one parameter.
struct GgufPiece {
  const Parameter* parameter = nullptr;
  std::string name;
  GgmlType type = GgmlType::F32;
  std::uint64_t key = 0;  // of the stream of numbers; 0 = all are one
  std::int64_t first = 0;
  std::int64_t n = 0;
};

class RandomGgufWriter {
 public:
  RandomGgufWriter(const RandomCheckpointOptions& options, const std::filesystem::path& path)
      : options_(options),
        config_(decoder_config_of(options.shape, options.n_layers)),
        parameters_(parameters_of(config_)),
        numbers_(DType::Float32, kStandardDeviation),
        plan_(plan_gguf(options)),
        file_(path, plan_.metadata, plan_.tensors) {}

  void write() {
    const std::vector<float> factors = rope_factors(config_);
    if (!factors.empty()) file_.write_part(kRopeFactors, 0, std::as_bytes(std::span(factors)));
    const std::vector<GgufPiece> pieces = this->pieces();
    std::atomic<std::size_t> next = 0;
    at::parallel_for(0, at::get_num_threads(), 1, [&](std::int64_t, std::int64_t) {
      const bool is_caller = at::get_thread_num() == 0;
      try {
        for (std::size_t i = next++; i < pieces.size(); i = next++) {
          write_piece(pieces[i]);
          if (is_caller) report();
        }
      } catch (...) {
        next = pieces.size();
        throw;
      }
    });
    report();
    file_.close();
  }

 private:
  std::vector<GgufPiece> pieces() const {
    std::vector<GgufPiece> pieces;
    for (const Parameter& parameter : parameters_) {
      GgufPiece piece{&parameter, stored_name(config_, parameter),
                      stored_as(parameter, *options_.gguf_type)};
      if (!is_norm(parameter.role)) {
        const std::string digits = fingerprint(fmt::format("{} {}", options_.seed, parameter.name));
        piece.key = std::stoull(digits.substr(0, 16), nullptr, 16) | 1U;
      }
      const std::int64_t width = parameter.shape.back();
      const std::int64_t n_most = std::max<std::int64_t>(1, kPieceNumbers / width) * width;
      for (; piece.first < parameter.n_elements(); piece.first += n_most) {
        piece.n = std::min(n_most, parameter.n_elements() - piece.first);
        pieces.push_back(piece);
      }
    }
    return pieces;
  }

  void write_piece(const GgufPiece& piece) {
    thread_local std::vector<float> numbers;
    thread_local std::vector<std::byte> blocks;
    numbers.assign(static_cast<std::size_t>(piece.n), 1.0F);
    if (piece.key != 0) {
      numbers_.fill(piece.key, piece.first, std::as_writable_bytes(std::span(numbers)));
    }
    const files::BlockLayout layout = *files::block_layout(piece.type);
    blocks.resize(static_cast<std::size_t>(piece.n / layout.n_elements * layout.n_bytes));
    encode_row(piece.type, numbers, blocks.data());
    file_.write_part(piece.name,
                     static_cast<std::size_t>(piece.first / layout.n_elements * layout.n_bytes),
                     blocks);
  }

  void report() {
    const auto n = static_cast<std::int64_t>(file_.n_bytes_written());
    if (options_.on_progress && n != std::exchange(n_reported_, n)) {
      options_.on_progress(n, static_cast<std::int64_t>(file_.n_bytes()));
    }
  }

  const RandomCheckpointOptions& options_;
  const DecoderConfig config_;
  const std::vector<Parameter> parameters_;
  NormalNumbers numbers_;
  const GgufPlan plan_;
  files::GgufWriter file_;
  std::int64_t n_reported_ = 0;
};

}  // namespace

GgmlType stored_as(const Parameter& parameter, GgmlType asked) {
  if (parameter.shape.size() < 2) return GgmlType::F32;
  const std::int64_t width = parameter.shape.back();
  if (width % files::block_layout(asked)->n_elements == 0) return asked;
  return width % files::block_layout(GgmlType::Q8_0)->n_elements == 0 ? GgmlType::Q8_0
                                                                      : GgmlType::F32;
}

GgufPlan plan_gguf(const RandomCheckpointOptions& options) {
  const DecoderConfig config = decoder_config_of(options.shape, options.n_layers);
  GgufPlan plan{metadata_of(options, config), {}};
  const std::vector<float> factors = rope_factors(config);
  if (!factors.empty()) {
    plan.tensors.push_back(
        {kRopeFactors, GgmlType::F32, {static_cast<std::int64_t>(factors.size())}});
  }
  for (const Parameter& parameter : parameters_of(config)) {
    plan.tensors.push_back({stored_name(config, parameter),
                            stored_as(parameter, *options.gguf_type), parameter.shape});
  }
  return plan;
}

void write_gguf(const RandomCheckpointOptions& options, const std::filesystem::path& path) {
  RandomGgufWriter(options, path).write();
}

}  // namespace labelprobe::weights
