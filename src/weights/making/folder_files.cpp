#include "weights/making/folder_files.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/files/copy_file.h"
#include "labelprobe/files/gguf.h"
#include "labelprobe/files/json.h"

#include "weights/checkpoint/load_config.h"
#include "weights/families/parameters.h"

namespace labelprobe::weights {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::array kCopied = {
    "generation_config.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.gguf",
};
constexpr const char* kChatTemplateKey = "tokenizer.chat_template";

void write_text(const fs::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) {
    throw ModelError(fmt::format("{}: cannot be written: {}", path.string(), std::strerror(errno)));
  }
}

// As transformers' BitsAndBytesConfig writes itself.
json quantization_config(DType dtype, Quantization quantization) {
  const bool is_int8 = quantization == Quantization::Int8;
  const bool is_fp4 = quantization == Quantization::Fp4 || is_int8;
  return {{"quant_method", "bitsandbytes"},
          {"_load_in_4bit", !is_int8},
          {"_load_in_8bit", is_int8},
          {"load_in_4bit", !is_int8},
          {"load_in_8bit", is_int8},
          {"bnb_4bit_compute_dtype", dtype_name(dtype)},
          {"bnb_4bit_quant_storage", "uint8"},
          {"bnb_4bit_quant_type", is_fp4 ? "fp4" : "nf4"},
          {"bnb_4bit_use_double_quant", quantization == Quantization::Nf4Double},
          {"llm_int8_enable_fp32_cpu_offload", false},
          {"llm_int8_has_fp16_weight", false},
          {"llm_int8_skip_modules", nullptr},
          {"llm_int8_threshold", 6.0}};
}

json rope_parameters(const fs::path& model, const DecoderConfig& config) {
  json rope = {{"rope_type", "default"}, {"rope_theta", config.rope_theta}};
  switch (config.rope_scaling.kind) {
    case RopeScaling::Kind::None:
      break;
    case RopeScaling::Kind::Linear:
      rope["rope_type"] = "linear";
      rope["factor"] = config.rope_scaling.factor;
      break;
    case RopeScaling::Kind::Llama3:
      rope["rope_type"] = "llama3";
      rope["factor"] = config.rope_scaling.factor;
      rope["low_freq_factor"] = config.rope_scaling.low_freq_factor;
      rope["high_freq_factor"] = config.rope_scaling.high_freq_factor;
      rope["original_max_position_embeddings"] = config.rope_scaling.original_max_position;
      break;
    case RopeScaling::Kind::Dynamic:
    case RopeScaling::Kind::Yarn:
    case RopeScaling::Kind::LongRope:
      throw ModelError(fmt::format(
          "{}: key 'rope.scaling.type': expected none or linear in a GGUF file whose copy is made, "
          "found another; make the copy from the model's safetensors",
          model.string()));
    case RopeScaling::Kind::Factors:
      throw ModelError(fmt::format(
          "{}: tensor rope_freqs.weight: expected rotary embeddings that config.json can describe, "
          "found a factor for every frequency; make the copy from the model's safetensors",
          model.string()));
  }
  return rope;
}

// The families with more than Llama's block has, but for further norms, say so in config.json by
// other keys than GGUF's.
void check_can_be_described(const fs::path& model, const DecoderConfig& config) {
  const Family& family = *config.family;
  if (!family.settings.empty() || family.are_norms_one_plus || family.ropeless_interval > 0 ||
      config.rotary_dim > 0 || !config.windowed_layers.empty() || family.experts != nullptr) {
    throw ModelError(
        fmt::format("{}: a copy of a {} is made from safetensors only; make it from the model's",
                    model.string(), family.architecture));
  }
}

json config_of_gguf(const fs::path& model, const DecoderConfig& config) {
  const Family& family = *config.family;
  check_can_be_described(model, config);
  json written = {{"architectures", {family.architecture}},
                  {"model_type", family.model_type},
                  {"hidden_act", "silu"},
                  {"hidden_size", config.hidden_size},
                  {"intermediate_size", config.intermediate_size},
                  {"num_hidden_layers", config.n_layers},
                  {"num_attention_heads", config.n_heads},
                  {"num_key_value_heads", config.n_kv_heads},
                  {"head_dim", config.head_dim},
                  {"vocab_size", config.vocab_size},
                  {"max_position_embeddings", config.max_position_embeddings},
                  {"rms_norm_eps", config.rms_norm_eps},
                  // In both spellings, for transformers 4 and 5.
                  {"rope_theta", config.rope_theta},
                  {"rope_parameters", rope_parameters(model, config)},
                  {"tie_word_embeddings", config.tie_word_embeddings},
                  // Only where the family has a say in them.
                  {"attention_bias", family.o_bias == Bias::AsConfigured && config.o_bias},
                  {"mlp_bias", family.mlp_bias == Bias::AsConfigured && config.mlp_bias},
                  {"eos_token_id", config.end_ids},
                  // A GGUF header has this one of the settings of generation.
                  {"repetition_penalty", config.rules.repetition_penalty}};
  if (config.sliding_window > 0) {
    written["sliding_window"] = config.sliding_window;
    if (family.has_window_switch) {
      written["use_sliding_window"] = true;
      written["max_window_layers"] = 0;
    }
  }
  return written;
}

// The header with its count of tensors, eight bytes from the eighth on, set to none; what described
// them stays behind as bytes that belong to nobody.
void write_gguf_tokenizer(const fs::path& model, const fs::path& folder) {
  const files::GgufFile gguf = files::GgufFile::open(model);
  const std::span<const std::byte> header = gguf.header_bytes();
  std::string text(reinterpret_cast<const char*>(header.data()), header.size());
  constexpr std::size_t kCountAt = 8;
  constexpr std::size_t kCountBytes = 8;
  LABELPROBE_CHECK(text.size() >= kCountAt + kCountBytes);
  text.replace(kCountAt, kCountBytes, kCountBytes, '\0');
  write_text(folder / "tokenizer.gguf", text);
  if (gguf.has(kChatTemplateKey)) {
    write_text(folder / "chat_template.jinja", gguf.string(kChatTemplateKey));
  }
}

}  // namespace

void write_folder_files(const fs::path& model,
                        const DecoderConfig& config,
                        DType dtype,
                        Quantization quantization,
                        const fs::path& folder) {
  json written;
  if (fs::is_directory(model)) {
    written = files::load_json_object(model / "config.json", ErrorKind::Model).value();
    // The head may be another than config.json says.
    written["tie_word_embeddings"] = config.tie_word_embeddings;
    for (const char* name : kCopied) {
      std::error_code error;
      if (!fs::exists(model / name, error)) continue;
      try {
        files::copy_file(model / name, folder / name);
      } catch (const Error& problem) {
        throw ModelError(problem.what());
      }
    }
  } else {
    written = config_of_gguf(model, config);
    write_gguf_tokenizer(model, folder);
  }
  // A copy of a quantised model keeps what it says about itself, such as modules left out.
  if (quantization == Quantization::None) {
    written.erase("quantization_config");
  } else if (config.quantization == Quantization::None) {
    written["quantization_config"] = quantization_config(dtype, quantization);
  }
  // In both spellings, for transformers 4 and 5.
  written["torch_dtype"] = written["dtype"] = dtype_name(dtype);
  write_text(folder / "config.json", fmt::format("{}\n", written.dump(2)));
  if (parameters_of(load_config(folder)).size() != parameters_of(config).size()) {
    throw ModelError(
        fmt::format("{}: expected biases that config.json can describe, found others; make the "
                    "copy from the model's safetensors",
                    model.string()));
  }
}

}  // namespace labelprobe::weights
