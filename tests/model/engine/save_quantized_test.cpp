#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/model/open.h"
#include "labelprobe/weights/making.h"

#include "support/catch.h"
#include "support/generate.h"
#include "support/paths.h"
#include "support/tiny_gguf.h"
#include "support/tiny_model.h"
#include "support/weight_files.h"
#include "weights/checkpoint/checkpoint.h"
#include "weights/checkpoint/safetensors.h"

namespace labelprobe::model {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using support::TempFolder;

fs::path saved_below(const std::string& folder) {
  return support::fixture("model/bitsandbytes/" + folder);
}

std::string text_of(const weights::StoredTensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()};
}

std::vector<float> logits_of(const fs::path& path, DType dtype, Quantization quantization) {
  const auto language_model = open(path, {.dtype = dtype,
                                          .device = "cpu",
                                          .n_threads = 2,
                                          .quantization = quantization,
                                          .adapter = {}});
  const std::vector<TokenIds> prompts = {{3, 1, 4, 1, 5, 9, 2, 6}};
  GenerateOptions options;
  options.stop.max_new_tokens = 3;
  options.keep_logits = true;
  return support::generate_all(*language_model, prompts, options).front().logits;
}

// Everything but what no tensor is.
json without_version(json config) {
  for (const char* key : {"transformers_version", "torch_dtype"}) config.erase(key);
  return config;
}

}  // namespace

TEST_CASE("A packed copy is what transformers saves, tensor by tensor", "[golden]") {
  const auto [name, quantization, dtype] = GENERATE(table<std::string, Quantization, DType>(
      {{"fp4", Quantization::Fp4, DType::Float32},
       {"nf4", Quantization::Nf4, DType::Float32},
       {"nf4_double", Quantization::Nf4Double, DType::Float32},
       {"int8", Quantization::Int8, DType::Float32},
       {"fp4_bf16", Quantization::Fp4, DType::BFloat16},
       {"int8_bf16", Quantization::Int8, DType::BFloat16}}));
  INFO(name);
  const TempFolder folder;
  const fs::path copy = folder.path() / "copy";
  weights::save_quantized(saved_below("plain"), dtype, quantization, copy);
  CHECK_FALSE(fs::exists(folder.path() / "copy.partial"));
  const auto found = files::SafetensorsFile::open(copy / "model.safetensors", ErrorKind::Model);
  const auto expected =
      files::SafetensorsFile::open(saved_below(name) / "model.safetensors", ErrorKind::Model);
  std::map<std::string, weights::StoredTensor> by_name;
  for (const weights::StoredTensor& tensor : weights::stored_tensors(found))
    by_name[tensor.name] = tensor;
  CHECK(by_name.size() == expected.tensors().size());
  for (const weights::StoredTensor& tensor : weights::stored_tensors(expected)) {
    INFO(tensor.name);
    REQUIRE(by_name.contains(tensor.name));
    const weights::StoredTensor& written = by_name[tensor.name];
    CHECK(written.type_name == tensor.type_name);
    if (tensor.name.find("quant_state") != std::string::npos) {
      CHECK(json::parse(text_of(written)) == json::parse(text_of(tensor)));
    } else {
      CHECK(written.shape == tensor.shape);
      CHECK(text_of(written) == text_of(tensor));
    }
  }
  const auto config_of = [](const fs::path& path) {
    return without_version(json::parse(support::read_file(path / "config.json")));
  };
  CHECK(config_of(copy) == config_of(saved_below(name)));
  CHECK(logits_of(copy, dtype, Quantization::None) ==
        logits_of(saved_below("plain"), dtype, quantization));
}

TEST_CASE("A packed copy of a GGUF file opens as a folder, with its tokenizer", "[unit]") {
  const std::string name = GENERATE(as<std::string>(), "llama", "qwen2");
  const fs::path gguf = support::fixture("model/gguf/" + name + ".gguf");
  const TempFolder folder;
  const fs::path copy = folder.path() / "copy";
  weights::save_quantized(gguf, DType::BFloat16, Quantization::Nf4, copy);
  CHECK(logits_of(copy, DType::BFloat16, Quantization::None) ==
        logits_of(gguf, DType::BFloat16, Quantization::Nf4));
  CHECK(files::GgufFile::open(copy / "tokenizer.gguf").metadata() ==
        files::GgufFile::open(gguf).metadata());
  CHECK(files::GgufFile::open(copy / "tokenizer.gguf").tensors().empty());
  const ModelInfo found = inspect(copy, {.dtype = DType::BFloat16});
  const ModelInfo expected =
      inspect(gguf, {.dtype = DType::BFloat16, .quantization = Quantization::Nf4});
  CHECK(found.quantization == Quantization::Nf4);
  CHECK(found.weight_bytes == expected.weight_bytes);
  CHECK(found.end_ids == expected.end_ids);
  CHECK(found.max_context == expected.max_context);
}

TEST_CASE("A packed copy of every family computes what its model does in 4 bits", "[unit]") {
  const json fixture = support::read_json(support::fixture("model/families.json"));
  for (const json& model : fixture["models"]) {
    INFO(model["name"].get<std::string>());
    const TempFolder folder;
    const fs::path plain = folder.path() / "plain";
    const fs::path copy = folder.path() / "copy";
    support::write_tiny_model(model, plain);
    weights::save_quantized(plain, DType::Float32, Quantization::Nf4, copy);
    CHECK(logits_of(copy, DType::Float32, Quantization::None) ==
          logits_of(plain, DType::Float32, Quantization::Nf4));
  }
}

TEST_CASE("What config.json says by other keys than GGUF is copied from safetensors only",
          "[unit]") {
  const json fixture = support::read_json(support::fixture("model/families.json"));
  for (const json& model : fixture["models"]) {
    if (model["name"] != "gemma2" && model["name"] != "granite") continue;
    const TempFolder folder;
    const fs::path gguf = folder.path() / "m.gguf";
    support::write_tiny_gguf(model, gguf);
    CHECK_THROWS_WITH(
        weights::save_quantized(gguf, DType::Float32, Quantization::Nf4, folder.path() / "copy"),
        ContainsSubstring("is made from safetensors only; make it from the model's"));
  }
}

TEST_CASE("A copy of a packed model and the files beside it stay as they are", "[unit]") {
  const TempFolder folder;
  const fs::path source = folder.path() / "source";
  fs::copy(saved_below("nf4_double"), source);
  support::write_file(source / "tokenizer.json", "{}");
  support::write_file(source / "generation_config.json", R"({"repetition_penalty": 1.05})");
  support::write_file(source / "notes.txt", "not ours");
  const fs::path copy = folder.path() / "copy";
  weights::save_quantized(source, DType::Float32, Quantization::None, copy);
  CHECK(support::read_file(copy / "tokenizer.json") == "{}");
  CHECK_FALSE(fs::exists(copy / "notes.txt"));
  CHECK(inspect(copy, {.dtype = DType::Float32}).rules.repetition_penalty == 1.05);
  CHECK(logits_of(copy, DType::Float32, Quantization::None) ==
        logits_of(source, DType::Float32, Quantization::None));
}

TEST_CASE("Says why there is no packed copy, and leaves nothing behind", "[unit]") {
  const TempFolder folder;
  CHECK_THROWS_WITH(weights::save_quantized(saved_below("plain"), DType::Float32, Quantization::Fp4,
                                            folder.path()),
                    ContainsSubstring("is there already; remove it, or name another folder"));
  CHECK_THROWS_WITH(weights::save_quantized(saved_below("plain"), DType::Float32,
                                            Quantization::None, folder.path() / "copy"),
                    ContainsSubstring("a packed copy needs a quantisation; expected fp4, nf4"));
  CHECK_THROWS_WITH(weights::save_quantized(saved_below("nf4"), DType::Float32, Quantization::Fp4,
                                            folder.path() / "copy"),
                    ContainsSubstring("found them stored as nf4"));
  support::write_file(folder.path() / "file", "");
  CHECK_THROWS_WITH(weights::save_quantized(saved_below("plain"), DType::Float32, Quantization::Fp4,
                                            folder.path() / "file" / "copy"),
                    ContainsSubstring("cannot be made"));
  CHECK_FALSE(fs::exists(folder.path() / "copy"));
  CHECK_FALSE(fs::exists(folder.path() / "copy.partial"));
}

}  // namespace labelprobe::model
