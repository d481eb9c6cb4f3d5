// Checkpoints that transformers saved through bitsandbytes, and weights quantised while loading.
#include <cstring>
#include <functional>
#include <string>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/model/open.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/generate.h"
#include "support/paths.h"
#include "support/reference.h"
#include "support/tolerance.h"
#include "support/weight_files.h"
#include "weights/checkpoint/checkpoint.h"
#include "weights/checkpoint/quantized_tensors.h"

namespace labelprobe::model {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using support::TempFolder;

struct Saved {
  const char* folder;
  Quantization quantization;
};

constexpr Saved kSaved[] = {{"fp4", Quantization::Fp4},
                            {"nf4", Quantization::Nf4},
                            {"nf4_double", Quantization::Nf4Double},
                            {"int8", Quantization::Int8}};

fs::path saved(const std::string& folder) {
  return support::fixture("model/bitsandbytes/" + folder);
}

void check_same(const at::Tensor& found, const at::Tensor& expected) {
  REQUIRE(found.defined() == expected.defined());
  if (found.defined()) {
    CHECK(found.scalar_type() == expected.scalar_type());
    CHECK(found.equal(expected));
  }
}

std::vector<Generation> answers_of(const fs::path& path,
                                   const OpenOptions& options,
                                   const std::vector<support::ReferencePrompt>& references,
                                   GenerateOptions asked = {}) {
  asked.stop.max_new_tokens = static_cast<int>(references.front().greedy_ids.size());
  asked.keep_logits = true;
  const auto language_model = open(path, options);
  return support::generate_all(*language_model, support::prompts_of(references), asked);
}

OpenOptions on_cpu(DType dtype, Quantization quantization = Quantization::None) {
  return {
      .dtype = dtype, .device = "cpu", .n_threads = 2, .quantization = quantization, .adapter = {}};
}

// A saved folder to be broken: config.json, the header of its one file and the bytes behind it.
struct Parts {
  json config;
  json header;
  std::string bytes;

  explicit Parts(const std::string& folder) {
    config = json::parse(support::read_file(saved(folder) / "config.json"));
    const std::string file = support::read_file(saved(folder) / "model.safetensors");
    std::uint64_t n_header = 0;
    std::memcpy(&n_header, file.data(), sizeof n_header);
    header = json::parse(file.substr(8, n_header));
    bytes = file.substr(8 + n_header);
  }

  // The bytes of a tensor, to be written over.
  char* at(const std::string& name) {
    return bytes.data() + header.at(name)["data_offsets"][0].get<std::size_t>();
  }

  // Replaces text in a tensor by as much text.
  void replace(const std::string& name, const std::string& from, const std::string& to) {
    const std::size_t begin = header.at(name)["data_offsets"][0];
    const std::size_t found = bytes.find(from, begin);
    REQUIRE(found < header.at(name)["data_offsets"][1].get<std::size_t>());
    REQUIRE(from.size() == to.size());
    bytes.replace(found, from.size(), to);
  }

  void rename(const std::string& from, const std::string& to) {
    header[to] = header.at(from);
    header.erase(from);
  }

  // The matrix in float32, all zero, instead of its codes.
  void make_plain(const std::string& name, const std::vector<std::int64_t>& shape) {
    json kept = json::object();
    std::string kept_bytes;
    for (const auto& [held, entry] : header.items()) {
      if (held.starts_with(name) || held == "__metadata__") continue;
      const std::size_t begin = entry["data_offsets"][0];
      const std::size_t end = entry["data_offsets"][1];
      kept[held] = entry;
      kept[held]["data_offsets"] = {kept_bytes.size(), kept_bytes.size() + end - begin};
      kept_bytes += bytes.substr(begin, end - begin);
    }
    const std::size_t n_zeros = static_cast<std::size_t>(4 * shape[0] * shape[1]);
    kept[name] = {{"dtype", "F32"},
                  {"shape", shape},
                  {"data_offsets", {kept_bytes.size(), kept_bytes.size() + n_zeros}}};
    header = kept;
    bytes = kept_bytes + std::string(n_zeros, '\0');
  }

  void write(const fs::path& folder) const {
    support::write_file(folder / "config.json", config.dump());
    support::write_file(folder / "model.safetensors",
                        support::safetensors_bytes(header.dump(), bytes));
  }

  std::string message() const {
    const TempFolder folder;
    write(folder.path());
    return support::message_of<ModelError>([&] { weights::Checkpoint::open(folder.path()); });
  }
};

const std::string kQuery = "model.layers.1.self_attn.q_proj.";

}  // namespace

TEST_CASE("Weights that transformers saved are those that we quantise", "[golden]") {
  weights::Checkpoint plain = weights::Checkpoint::open(saved("plain"));
  for (const auto& [folder, quantization] : kSaved) {
    INFO(folder);
    weights::Checkpoint packed = weights::Checkpoint::open(saved(folder));
    CHECK(packed.config().quantization == quantization);
    for (const weights::Parameter& parameter : weights::parameters_of(packed.config())) {
      INFO(parameter.name);
      const at::Tensor exact = plain.load(parameter, DType::Float32);
      if (!parameter.is_block_linear()) {
        CHECK(packed.load(parameter, DType::Float32).equal(exact));
        continue;
      }
      CHECK(packed.quantization_of(parameter) == quantization);
      const weights::QuantizedWeight found = packed.load_quantized(parameter);
      const weights::QuantizedWeight expected = weights::quantize(exact, quantization);
      CHECK(found.height == expected.height);
      CHECK(found.width == expected.width);
      check_same(found.codes, expected.codes);
      check_same(found.absmax, expected.absmax);
      check_same(found.absmax_codes, expected.absmax_codes);
      check_same(found.absmax_map, expected.absmax_map);
      check_same(found.outer_absmax, expected.outer_absmax);
      CHECK(found.offset == expected.offset);
    }
    packed.check_all_loaded();
  }
}

TEST_CASE("Logits of saved 4-bit checkpoints are those of transformers", "[golden]") {
  const std::string folder = GENERATE(as<std::string>(), "fp4", "nf4", "nf4_double");
  INFO(folder);
  const auto references = support::read_reference(saved(folder));
  const auto answers = answers_of(saved(folder), on_cpu(DType::Float32), references);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    INFO("prompt " << i);
    CHECK(answers[i].token_ids == references[i].greedy_ids);
    CHECK(support::differences(answers[i].logits, references[i].logits,
                               support::tolerance_for("cpu", DType::Float32).logit) == "");
  }
}

TEST_CASE("Logits of saved bfloat16 checkpoints are near transformers'", "[golden]") {
  const std::string folder = GENERATE(as<std::string>(), "nf4_double_bf16_biases", "fp4_bf16");
  INFO(folder);
  const fs::path path = saved(folder);
  const auto references = support::read_reference(path);
  const auto answers = answers_of(path, on_cpu(DType::BFloat16), references);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    INFO("prompt " << i);
    // The first step only: after it the greedy paths may part.
    const std::size_t n = answers[i].logits.size() / answers[i].token_ids.size();
    CHECK(support::differences(std::span(answers[i].logits).first(n),
                               std::span(references[i].logits).first(n),
                               support::tolerance_for("cpu", DType::BFloat16).logit) == "");
  }
}

TEST_CASE("Logits of a saved 8-bit checkpoint are those of bitsandbytes' products", "[golden]") {
  const auto references = support::read_reference(saved("int8"));
  // Each prompt alone, as in the reference: which columns hold outliers depends on all rows of a
  // product. Activations are rounded to 8 bits, where a last bit could become a whole step, which
  // moves logits by 0.01; here none does, whatever instructions and order of sums.
  GenerateOptions alone;
  alone.batch_size = 1;
  alone.share_prefixes = false;
  const auto answers = answers_of(saved("int8"), on_cpu(DType::Float32), references, alone);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    INFO("prompt " << i);
    CHECK(answers[i].token_ids == references[i].greedy_ids);
    CHECK(support::differences(answers[i].logits, references[i].logits,
                               support::tolerance_for("cpu", DType::Float32).logit) == "");
  }
}

TEST_CASE("Prompts computed together move 8-bit logits by the error of 8 bits", "[golden]") {
  const auto references = support::read_reference(saved("int8"));
  const auto answers = answers_of(saved("int8"), on_cpu(DType::Float32), references);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    INFO("prompt " << i);
    // The first step only: after it the greedy paths may part. Differences are up to 0.14.
    const std::size_t n = answers[i].logits.size() / answers[i].token_ids.size();
    CHECK(support::differences(std::span(answers[i].logits).first(n),
                               std::span(references[i].logits).first(n), 0.25) == "");
  }
}

TEST_CASE("Quantising while loading gives what the saved checkpoint gives", "[golden]") {
  for (const auto& [folder, quantization] : kSaved) {
    INFO(folder);
    const auto references = support::read_reference(saved(folder));
    const auto from_plain =
        answers_of(saved("plain"), on_cpu(DType::Float32, quantization), references);
    const auto from_packed = answers_of(saved(folder), on_cpu(DType::Float32), references);
    for (std::size_t i = 0; i < from_plain.size(); ++i) {
      CHECK(from_plain[i].logits == from_packed[i].logits);
    }
  }
}

TEST_CASE("Inspecting tells how weights will be kept", "[unit]") {
  const std::size_t n_embedding = 128 * 64;
  const std::size_t n_norms = 5 * 64;
  // q, o, gate, up and down of 64 x 64, k and v of 32 x 64, in two layers
  const std::size_t n_linear = 2 * (5 * 64 * 64 + 2 * 32 * 64);
  const std::size_t n_rest = n_embedding + n_norms;
  const ModelInfo f32 = inspect(saved("plain"), {.dtype = DType::Float32});
  CHECK(f32.quantization == Quantization::None);
  CHECK(f32.weight_bytes == 4 * (n_linear + n_rest));
  const ModelInfo fp4 =
      inspect(saved("plain"), {.dtype = DType::BFloat16, .quantization = Quantization::Fp4});
  CHECK(fp4.quantization == Quantization::Fp4);
  CHECK(fp4.weight_bytes == n_linear / 2 + n_linear / 64 * 4 + 2 * n_rest);
  CHECK(fp4.n_parameters == f32.n_parameters);
  const ModelInfo int8 = inspect(saved("int8"), {.dtype = DType::Float32});
  CHECK(int8.quantization == Quantization::Int8);
  CHECK(int8.weight_bytes == n_linear + 2 * 4 * (5 * 64 + 2 * 32) + 4 * n_rest);
  CHECK(open(saved("fp4"), on_cpu(DType::Float32))->info().quantization == Quantization::Fp4);

  CHECK(inspect(saved("nf4"), {.dtype = DType::Float32, .quantization = Quantization::Nf4})
            .quantization == Quantization::Nf4);
  CHECK_THAT(
      support::message_of<ModelError>([] {
        inspect(saved("nf4"), {.dtype = DType::Float32, .quantization = Quantization::Int8});
      }),
      ContainsSubstring("expected weights to be quantised as int8, found them stored as nf4; leave "
                        "the quantisation out, or use the model's original weights"));
}

TEST_CASE("Modules may be left out of a quantised checkpoint, whole products at a time", "[unit]") {
  const auto open_with_plain = [](const std::string& module) {
    Parts parts("fp4");
    parts.make_plain("model.layers.0." + module + ".weight", {64, 64});
    const TempFolder folder;
    parts.write(folder.path());
    return support::message_of<ModelError>([&] {
      const auto language_model = open(folder.path(), on_cpu(DType::Float32));
      const ModelInfo quantized = inspect(saved("fp4"), {.dtype = DType::Float32});
      CHECK(language_model->info().weight_bytes ==
            quantized.weight_bytes + 64 * 64 * 4 - 64 * 64 / 2 - 64 * 4);
    });
  };
  CHECK(open_with_plain("mlp.down_proj") == "no error");
  CHECK_THAT(open_with_plain("mlp.up_proj"),
             ContainsSubstring("model.layers.0.mlp.gate_proj.weight and "
                               "model.layers.0.mlp.up_proj.weight: expected both quantised or "
                               "neither"));
}

TEST_CASE("Broken 4-bit checkpoints are refused by name", "[unit]") {
  const auto message_with = [](const std::function<void(Parts&)>& change,
                               const std::string& folder = "fp4") {
    Parts parts(folder);
    change(parts);
    return parts.message();
  };
  CHECK(message_with([](Parts&) {}) == "no error");
  const std::string weight = kQuery + "weight";
  const std::string state = weight + ".quant_state.bitsandbytes__fp4";
  CHECK_THAT(message_with([&](Parts& parts) { parts.rename(weight + ".absmax", "x"); }),
             ContainsSubstring("tensor " + weight + ".absmax is missing; expected it beside " +
                               weight + ", whose weights are fp4"));
  CHECK_THAT(message_with([&](Parts& parts) { parts.rename(state, "x"); }),
             ContainsSubstring("tensor " + state + " is missing"));
  CHECK_THAT(message_with([&](Parts& parts) {
               parts.header[weight + ".absmax"]["shape"] = {8, 8};
             }),
             ContainsSubstring("absmax: expected F32 [64], found F32 [8, 8]"));
  CHECK_THAT(message_with([&](Parts& parts) { parts.header[weight + ".absmax"]["dtype"] = "I32"; }),
             ContainsSubstring("absmax: expected F32 [64], found I32 [64]"));
  CHECK_THAT(message_with([&](Parts& parts) {
               const std::string other = "model.layers.1.self_attn.k_proj.weight";
               std::swap(parts.header[weight], parts.header[other]);
             }),
             ContainsSubstring("q_proj.weight: expected 2048 bytes of 4-bit codes for [64, 64], "
                               "found 1024 (U8 [1024, 1])"));
  CHECK_THAT(
      message_with([&](Parts& parts) { std::memset(parts.at(weight + ".quant_map") + 4, 0, 4); }),
      ContainsSubstring("quant_map: expected 0.005208 for code 1, found 0.000000"));
  CHECK_THAT(message_with(
                 [&](Parts& parts) { std::memset(parts.at(weight + ".quant_map") + 4, 0xFF, 4); }),
             ContainsSubstring("for code 1, found "));
  const auto with_state = [&](const std::string& from, const std::string& to) {
    return message_with([&](Parts& parts) { parts.replace(state, from, to); });
  };
  CHECK_THAT(with_state("\"blocksize\": 64", "\"blocksize\": 32"),
             ContainsSubstring("key 'blocksize': expected an integer from 64 to 64, found 32"));
  CHECK_THAT(with_state("[64, 64]", "[32, 64]"),
             ContainsSubstring("key 'shape': expected [64, 64], found [32,64]"));
  CHECK_THAT(with_state("\"fp4\"", "\"nf4\""), ContainsSubstring("key 'quant_type': expected fp4"));
  CHECK_THAT(with_state("\"shape\"", "\"shopp\""), ContainsSubstring("key 'shape' is missing"));
  CHECK_THAT(with_state("{", "["), ContainsSubstring("expected JSON, found an error at byte"));
  CHECK_THAT(with_state("\"blocksize\": 64", "\"quant_type\": 4"),
             ContainsSubstring("there twice"));

  const std::string double_state = weight + ".quant_state.bitsandbytes__nf4";
  CHECK_THAT(message_with([&](Parts& parts) { parts.rename(weight + ".nested_absmax", "x"); },
                          "nf4_double"),
             ContainsSubstring(".nested_absmax is missing"));
  CHECK_THAT(message_with(
                 [&](Parts& parts) {
                   parts.header[weight + ".nested_quant_map"]["shape"] = {16, 16};
                 },
                 "nf4_double"),
             ContainsSubstring("expected F32 [256], found F32 [16, 16]"));
  CHECK_THAT(
      message_with([&](Parts& parts) { parts.replace(double_state, "256", "128"); }, "nf4_double"),
      ContainsSubstring("key 'nested_blocksize': expected an integer from 256 to 256"));
  // A configuration of another kind than the tensors.
  CHECK_THAT(message_with([](Parts& parts) {
               parts.config["quantization_config"]["bnb_4bit_quant_type"] = "nf4";
             }),
             ContainsSubstring("quant_state.bitsandbytes__nf4 is missing"));
  CHECK_THAT(message_with([](Parts& parts) { parts.config.erase("quantization_config"); }),
             ContainsSubstring("expected shape [64, 64], found [2048, 1]"));
}

TEST_CASE("Broken 8-bit checkpoints are refused by name", "[unit]") {
  const auto message_with = [](const std::function<void(Parts&)>& change) {
    Parts parts("int8");
    change(parts);
    return parts.message();
  };
  CHECK(message_with([](Parts&) {}) == "no error");
  CHECK_THAT(message_with([](Parts& parts) { parts.rename(kQuery + "SCB", "x"); }),
             ContainsSubstring(kQuery + "SCB is missing"));
  CHECK_THAT(message_with([](Parts& parts) { parts.header[kQuery + "weight"]["dtype"] = "U8"; }),
             ContainsSubstring("expected I8 [64, 64], found U8 [64, 64]"));
  CHECK_THAT(message_with([](Parts& parts) {
               parts.header[kQuery + "SCB"]["shape"] = {8, 8};
             }),
             ContainsSubstring("SCB: expected F32 [64], found F32 [8, 8]"));
  CHECK_THAT(message_with([](Parts& parts) { *parts.at(kQuery + "weight_format") = 2; }),
             ContainsSubstring("weight_format: expected 0 (rows one behind the other), found 2"));
}

TEST_CASE("Other quantisations are refused with what to use instead", "[unit]") {
  const auto message_with = [](const json& changes) {
    Parts parts("fp4");
    parts.config["quantization_config"].update(changes);
    return parts.message();
  };
  for (const char* method : {"awq", "gptq", "fp8", "hqq", "compressed-tensors"}) {
    INFO(method);
    CHECK_THAT(message_with({{"quant_method", method}}),
               ContainsSubstring("key 'quantization_config.quant_method': expected bitsandbytes; "
                                 "weights quantised by other methods are not supported") &&
                   ContainsSubstring("original weights") &&
                   ContainsSubstring("found \"" + std::string(method) + "\""));
  }
  CHECK_THAT(message_with({{"bnb_4bit_quant_type", "af4"}}),
             ContainsSubstring("bnb_4bit_quant_type': expected fp4 or nf4, found \"af4\""));
  CHECK_THAT(message_with({{"bnb_4bit_use_double_quant", true}}),
             ContainsSubstring("bnb_4bit_use_double_quant': expected false with fp4"));
  CHECK_THAT(
      message_with({{"load_in_8bit", true}}),
      ContainsSubstring("expected either load_in_4bit or load_in_8bit to be true, found both"));
  CHECK_THAT(message_with({{"load_in_4bit", false}}), ContainsSubstring("found neither"));
  CHECK_THAT(message_with({{"load_in_4bit", 1}}), ContainsSubstring("expected true or false"));
  const json int8 = {{"load_in_4bit", false}, {"load_in_8bit", true}};
  json other = int8;
  other["llm_int8_threshold"] = 3.0;
  CHECK_THAT(message_with(other), ContainsSubstring("llm_int8_threshold': expected 6.0"));
  other = int8;
  other["llm_int8_has_fp16_weight"] = true;
  CHECK_THAT(message_with(other), ContainsSubstring("llm_int8_has_fp16_weight': expected false"));
  Parts parts("fp4");
  parts.config["quantization_config"] = json::object();
  CHECK_THAT(parts.message(), ContainsSubstring("quantization_config.quant_method' is missing"));
  // The first releases did not name the method.
  parts = Parts("fp4");
  parts.config["quantization_config"].erase("quant_method");
  CHECK(parts.message() == "no error");
}

TEST_CASE("A quantised checkpoint cut off anywhere is an error", "[unit]") {
  const std::string whole = support::read_file(saved("nf4_double") / "model.safetensors");
  const TempFolder folder;
  fs::copy_file(saved("nf4_double") / "config.json", folder.path() / "config.json");
  for (std::size_t n_kept = 0; n_kept < whole.size(); n_kept += 997) {
    INFO("bytes kept: " << n_kept);
    support::write_file(folder.path() / "model.safetensors", whole.substr(0, n_kept));
    CHECK(support::message_of<ModelError>([&] { weights::Checkpoint::open(folder.path()); }) !=
          "no error");
  }
}

}  // namespace labelprobe::model
