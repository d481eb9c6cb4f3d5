#include "weights/checkpoint/checkpoint.h"

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/paths.h"
#include "support/weight_files.h"
#include "weights/checkpoint/safetensors.h"
#include "weights/checkpoint/tensor_loading.h"

namespace labelprobe::weights {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using support::TempFolder;
using support::write_file;

// A well-formed model folder, its tensors all zero, as text and bytes to be broken.
struct ModelParts {
  json config =
      json::parse(R"({"architectures": ["LlamaForCausalLM"], "hidden_size": 8, "head_dim": 2,
      "intermediate_size": 6, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 5,
      "tie_word_embeddings": true})");
  std::map<std::string, std::vector<std::int64_t>> shapes = {
      {"model.embed_tokens.weight", {5, 8}},
      {"model.layers.0.input_layernorm.weight", {8}},
      {"model.layers.0.mlp.down_proj.weight", {8, 6}},
      {"model.layers.0.mlp.gate_proj.weight", {6, 8}},
      {"model.layers.0.mlp.up_proj.weight", {6, 8}},
      {"model.layers.0.post_attention_layernorm.weight", {8}},
      {"model.layers.0.self_attn.k_proj.weight", {4, 8}},
      {"model.layers.0.self_attn.o_proj.weight", {8, 4}},
      {"model.layers.0.self_attn.q_proj.weight", {4, 8}},
      {"model.layers.0.self_attn.v_proj.weight", {4, 8}},
      {"model.norm.weight", {8}},
  };
  std::string dtype = "F16";

  void write(const fs::path& folder) const {
    json header;
    std::uint64_t end = 0;
    for (const auto& [name, shape] : shapes) {
      std::uint64_t n_bytes = dtype == "F16" ? 2 : dtype == "F64" ? 8 : dtype == "F8_E4M3" ? 1 : 4;
      for (const std::int64_t size : shape) {
        n_bytes *= static_cast<std::uint64_t>(size);
      }
      header[name] = {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {end, end + n_bytes}}};
      end += n_bytes;
    }
    write_file(folder / "config.json", config.dump());
    write_file(folder / "model.safetensors",
               support::safetensors_bytes(header.dump(), std::string(end, '\0')));
  }
};

// The model of the parts, its files gone but still mapped.
Checkpoint open_parts(const ModelParts& parts) {
  const TempFolder folder;
  parts.write(folder.path());
  return Checkpoint::open(folder.path());
}

std::string message_for(const ModelParts& parts) {
  const TempFolder folder;
  parts.write(folder.path());
  return support::message_of<ModelError>([&] { Checkpoint::open(folder.path()); });
}

at::Tensor loaded(Checkpoint& checkpoint,
                  const Parameter& parameter,
                  DType dtype = DType::Float32) {
  return checkpoint.load(parameter, dtype);
}

// A sum over the bits of all elements and their order, as in smollm2_checksums.json.
std::string checksum(const at::Tensor& tensor) {
  const auto* bits = reinterpret_cast<const std::uint32_t*>(tensor.const_data_ptr<float>());
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    sum += static_cast<std::uint64_t>(bits[i]) * static_cast<std::uint64_t>(i + 1);
  }
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(sum));
  return digits;
}

}  // namespace

TEST_CASE("Tensors of 64 bits are read; those of 8 bits are refused with what to do", "[unit]") {
  ModelParts parts;
  parts.dtype = "F64";
  const TempFolder folder;
  parts.write(folder.path());
  std::string bytes = support::read_file(folder.path() / "model.safetensors");
  const std::string number = support::bytes_of(0.1);
  bytes.replace(bytes.size() - number.size(), number.size(), number);  // of model.norm.weight
  write_file(folder.path() / "model.safetensors", bytes);
  Checkpoint checkpoint = Checkpoint::open(folder.path());
  const Parameter norm = weight_of(checkpoint.config(), Role::FinalNorm);
  CHECK(checkpoint.load(norm, DType::Float32)[7].item<float>() == 0.1F);

  parts.dtype = "F8_E4M3";
  CHECK_THAT(message_for(parts), ContainsSubstring("found F8_E4M3, numbers of 8 bits") &&
                                     ContainsSubstring("save the model in bfloat16"));
}

TEST_CASE("A head that is stored counts, whatever the configuration ties", "[unit]") {
  ModelParts parts;
  const std::string head = "lm_head.weight";
  const std::string embedding = "model.embed_tokens.weight";
  CHECK(open_parts(parts).config().tie_word_embeddings);

  // The same matrix once more: the head is tied.
  parts.shapes[head] = {5, 8};
  const Checkpoint twice = open_parts(parts);
  CHECK(twice.config().tie_word_embeddings);
  CHECK(twice.warnings().empty());

  // The matrix under the other name alone.
  parts.shapes.erase(embedding);
  Checkpoint as_head = open_parts(parts);
  CHECK(as_head.config().tie_word_embeddings);
  CHECK(as_head.warnings().empty());
  CHECK(as_head.load(weight_of(as_head.config(), Role::Embedding), DType::Float32).size(0) == 5);

  // Another matrix.
  const TempFolder folder;
  parts.shapes[embedding] = {5, 8};
  parts.write(folder.path());
  std::string bytes = support::read_file(folder.path() / "model.safetensors");
  const std::uint64_t n_header = *reinterpret_cast<const std::uint64_t*>(bytes.data());
  bytes[8 + n_header] = 1;  // the first byte of lm_head.weight
  write_file(folder.path() / "model.safetensors", bytes);
  Checkpoint untied = Checkpoint::open(folder.path());
  CHECK_FALSE(untied.config().tie_word_embeddings);
  REQUIRE(untied.warnings().size() == 1);
  CHECK_THAT(untied.warnings()[0], ContainsSubstring("config.json says tie_word_embeddings, but "
                                                     "lm_head.weight is stored and differs"));
  CHECK(untied.load(weight_of(untied.config(), Role::Head), DType::Float32)[0][0].item<float>() >
        0);
}

TEST_CASE("Loads GGUF files to the bits and row order that transformers loads", "[golden]") {
  for (const std::string name : {"llama", "qwen2"}) {
    Checkpoint checkpoint = Checkpoint::open(support::fixture("model/gguf/" + name + ".gguf"));
    const auto expected = files::SafetensorsFile::open(
        support::fixture("model/gguf/" + name + ".expected.safetensors"), ErrorKind::Model);
    std::map<std::string, at::Tensor> by_name;
    for (const StoredTensor& reference : stored_tensors(expected)) {
      by_name[reference.name] = load_tensor(reference, DType::Float32);
    }
    const std::vector<Parameter> parameters = parameters_of(checkpoint.config());
    CHECK(parameters.size() == by_name.size());
    for (const Parameter& parameter : parameters) {
      INFO(name << ": " << parameter.name);
      REQUIRE(by_name.contains(parameter.name));
      CHECK(loaded(checkpoint, parameter).equal(by_name[parameter.name]));
    }
    checkpoint.check_all_loaded();
  }
}

TEST_CASE("A GGUF file of a Mistral holds its parameters under the name of Llama", "[golden]") {
  Checkpoint folder = Checkpoint::open(support::fixture("model/mistral"));
  Checkpoint file = Checkpoint::open(support::fixture("model/mistral/model.gguf"));
  CHECK(folder.config().family->name == "Mistral");
  CHECK(file.config().family->name == "Llama");
  for (const Parameter& parameter : parameters_of(folder.config())) {
    INFO(parameter.name);
    CHECK(loaded(file, parameter).equal(loaded(folder, parameter)));
  }
  file.check_all_loaded();
}

TEST_CASE("Converts to the asked type like torch, rounding to nearest even", "[unit]") {
  for (const char* name : {"model/gguf/llama.gguf", "model/llama_bf16_file", "model/llama_mha"}) {
    INFO(name);
    Checkpoint checkpoint = Checkpoint::open(support::fixture(name));
    for (const Parameter& parameter : parameters_of(checkpoint.config())) {
      INFO(parameter.name);
      const at::Tensor exact = loaded(checkpoint, parameter);
      CHECK(exact.dtype() == at::kFloat);
      CHECK(exact.is_contiguous());
      CHECK(loaded(checkpoint, parameter, DType::BFloat16).equal(exact.to(at::kBFloat16)));
      CHECK(loaded(checkpoint, parameter, DType::Float16).equal(exact.to(at::kHalf)));
    }
  }
}

TEST_CASE("Loads the small real model as transformers does, bit for bit", "[golden]") {
  if (support::smollm2_gguf().empty()) {
    SKIP_ALOUD("no SmolLM2: run scripts/get_model.sh");
  }
  const auto fixture =
      json::parse(support::read_file(support::fixture("model/smollm2_checksums.json")));
  Checkpoint checkpoint = Checkpoint::open(support::smollm2_gguf());
  std::map<std::string, json> by_name;
  for (const json& reference : fixture["cases"]) {
    by_name[reference["name"]] = reference;
  }
  const std::vector<Parameter> parameters = parameters_of(checkpoint.config());
  REQUIRE(by_name.size() == parameters.size());
  for (const Parameter& parameter : parameters) {
    INFO(parameter.name);
    const json& reference = by_name[parameter.name];
    CHECK(reference["shape"] == parameter.shape);
    CHECK(checksum(loaded(checkpoint, parameter)) == reference["checksum"].get<std::string>());
  }
  CHECK(checkpoint.n_parameters() == 134515008);
}

TEST_CASE("Shards and one file hold the same parameters", "[unit]") {
  Checkpoint sharded = Checkpoint::open(support::fixture("model/llama_shards"));
  CHECK(sharded.config().n_layers == 3);
  for (const Parameter& parameter : parameters_of(sharded.config())) {
    CHECK(loaded(sharded, parameter).sizes() == at::IntArrayRef(parameter.shape));
  }
  sharded.check_all_loaded();
}

TEST_CASE("A model folder is checked both ways before anything is loaded", "[unit]") {
  CHECK(message_for(ModelParts()) == "no error");

  ModelParts parts;
  parts.shapes.erase("model.norm.weight");
  parts.shapes.erase("model.layers.0.mlp.up_proj.weight");
  CHECK_THAT(message_for(parts),
             ContainsSubstring("expected 11 tensors of a LlamaForCausalLM, 2 of them missing: "
                               "model.layers.0.mlp.up_proj.weight, model.norm.weight"));

  parts = ModelParts();
  parts.shapes["model.layers.1.mlp.up_proj.weight"] = {6, 8};
  parts.shapes["model.layers.0.self_attn.q_proj.bias"] = {4};
  CHECK_THAT(message_for(parts),
             ContainsSubstring("found 2 others: model.layers.0.self_attn.q_proj.bias, "
                               "model.layers.1.mlp.up_proj.weight"));

  parts = ModelParts();
  parts.shapes["model.layers.0.self_attn.k_proj.weight"] = {8, 4};
  CHECK_THAT(message_for(parts),
             ContainsSubstring("model.safetensors: tensor model.layers.0.self_attn.k_proj.weight: "
                               "expected shape [4, 8], found [8, 4]"));

  parts = ModelParts();
  parts.dtype = "I32";
  CHECK_THAT(message_for(parts), ContainsSubstring("tensor model.embed_tokens.weight: expected a "
                                                   "type of F32, F16, BF16"));
  CHECK_THAT(message_for(parts), ContainsSubstring("found I32"));

  parts = ModelParts();
  parts.config["tie_word_embeddings"] = false;
  CHECK_THAT(message_for(parts), ContainsSubstring("1 of them missing: lm_head.weight"));
}

TEST_CASE("Tensors that repeat the configuration are no leftovers", "[unit]") {
  ModelParts parts;
  parts.shapes["lm_head.weight"] = {5, 8};
  parts.shapes["model.layers.0.self_attn.rotary_emb.inv_freq"] = {1};
  CHECK(message_for(parts) == "no error");
}

TEST_CASE("A tensor that is in two files is an error", "[unit]") {
  const TempFolder folder;
  ModelParts().write(folder.path());
  fs::rename(folder.path() / "model.safetensors", folder.path() / "a.safetensors");
  write_file(folder.path() / "b.safetensors",
             support::safetensors_bytes(
                 R"({"model.norm.weight":{"dtype":"F16","shape":[8],"data_offsets":[0,16]}})",
                 std::string(16, '\0')));
  write_file(folder.path() / "model.safetensors.index.json",
             R"({"weight_map":{"model.embed_tokens.weight":"a.safetensors",
                 "model.norm.weight":"b.safetensors"}})");
  CHECK_THAT(support::message_of<ModelError>([&] { Checkpoint::open(folder.path()); }),
             ContainsSubstring("tensor model.norm.weight is there twice"));
}

TEST_CASE("Says which parameters nobody has asked for", "[unit]") {
  const TempFolder folder;
  ModelParts().write(folder.path());
  Checkpoint checkpoint = Checkpoint::open(folder.path());
  for (const Parameter& parameter : parameters_of(checkpoint.config())) {
    if (parameter.name != "model.norm.weight") {
      loaded(checkpoint, parameter);
    }
  }
  CHECK_THAT(support::message_of<ModelError>([&] { checkpoint.check_all_loaded(); }),
             ContainsSubstring("no part of the model has loaded: model.norm.weight"));
}

TEST_CASE("A GGUF model of another type or with other tensors is refused by name", "[unit]") {
  const std::string path = support::fixture("model/gguf/llama.gguf");
  const auto message_with = [&](const std::string& from, const std::string& to) {
    const TempFolder folder;
    std::string bytes = support::read_file(path);
    const std::size_t at = bytes.find(from);
    REQUIRE(at != std::string::npos);
    write_file(folder.path() / "m.gguf", bytes.replace(at, from.size(), to));
    return support::message_of<ModelError>([&] { Checkpoint::open(folder.path() / "m.gguf"); });
  };
  CHECK_THAT(message_with("blk.1.ffn_up.weight", "blk.1.ffn_xy.weight"),
             ContainsSubstring("missing: model.layers.1.mlp.up_proj.weight"));
  CHECK_THAT(message_with("output_norm.weight", "output_nxyz.weight"),
             ContainsSubstring("missing: model.norm.weight"));
  CHECK_THAT(message_with("blk.1.ffn_up.weight", "blk.0.ffn_up.weight"),
             ContainsSubstring("blk.0.ffn_up.weight"));
}

TEST_CASE("A GGUF model cut off anywhere is an error", "[unit]") {
  const std::string whole = support::read_file(support::fixture("model/gguf/qwen2.gguf"));
  const TempFolder folder;
  for (std::size_t n_kept = 0; n_kept < whole.size(); n_kept += n_kept < 4096 ? 7 : 331) {
    INFO("bytes kept: " << n_kept);
    write_file(folder.path() / "m.gguf", whole.substr(0, n_kept));
    CHECK(support::message_of<ModelError>([&] { Checkpoint::open(folder.path() / "m.gguf"); }) !=
          "no error");
  }
}

TEST_CASE("The fingerprint follows the weights, not the place", "[unit]") {
  const TempFolder here;
  const TempFolder there;
  ModelParts parts;
  parts.write(here.path());
  parts.write(there.path());
  const std::string original = Checkpoint::open(here.path()).fingerprint();
  CHECK(original.size() == 32);
  CHECK(Checkpoint::open(there.path()).fingerprint() == original);

  std::string bytes = support::read_file(there.path() / "model.safetensors");
  bytes.back() = 'x';
  write_file(there.path() / "model.safetensors", bytes);
  CHECK(Checkpoint::open(there.path()).fingerprint() != original);

  parts.config["rms_norm_eps"] = 1e-3;
  parts.write(there.path());
  CHECK(Checkpoint::open(there.path()).fingerprint() != original);
}

TEST_CASE("Names data types as the command line does", "[unit]") {
  CHECK(parse_dtype("float32") == DType::Float32);
  CHECK(parse_dtype("float") == DType::Float32);
  CHECK(parse_dtype("bfloat16") == DType::BFloat16);
  CHECK(parse_dtype("float16") == DType::Float16);
  CHECK(parse_dtype("half") == DType::Float16);
  CHECK(dtype_name(DType::BFloat16) == "bfloat16");
  for (const char* name : {"", "int8", "Float32"}) {
    INFO(name);
    CHECK_THROWS_AS(parse_dtype(name), ConfigError);
  }
  CHECK_THROWS_WITH(
      parse_dtype("bfloat6"),
      ContainsSubstring("; did you mean 'bfloat16'? (known: float32, bfloat16, float16)"));
}

}  // namespace labelprobe::weights
