// Models with LoRA adapters against transformers with peft.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "labelprobe/model/open.h"
#include "labelprobe/weights/making.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/generate.h"
#include "support/paths.h"
#include "support/reference.h"
#include "support/tiny_model.h"
#include "support/tolerance.h"

namespace labelprobe::model {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// The adapter before the first step of a training of scripts/fixtures/family_lora_reference.py.
// There matrices are quarters of the rule's numbers: here alpha is smaller instead.
void write_first_adapter(const json& reference, const json& training, const fs::path& folder) {
  const std::string prefix = training.at("name").get<std::string>() + ".gradient.";
  json shapes = json::object();
  for (const auto& [name, tensor] :
       support::read_tensors(support::fixture("training/lora/families.safetensors"))) {
    if (name.starts_with(prefix)) shapes[name.substr(prefix.size())] = tensor.shape;
  }
  support::write_file(folder / "adapter_model.safetensors", support::tiny_weights(shapes));
  const json config = {{"peft_type", "LORA"},
                       {"r", reference.at("r")},
                       {"lora_alpha", reference.at("alpha").get<double>() / 16},
                       {"target_modules", training.at("target_modules")}};
  support::write_file(folder / "adapter_config.json", config.dump());
}

// The logits of the last token.
std::vector<float> logits_of(const fs::path& path, const fs::path& adapter, const TokenIds& text) {
  const auto language_model = open(path, {.dtype = DType::Float32,
                                          .device = "cpu",
                                          .n_threads = 1,
                                          .quantization = Quantization::None,
                                          .adapter = adapter});
  GenerateOptions options;
  options.stop.max_new_tokens = 1;
  options.keep_logits = true;
  const std::vector<TokenIds> prompts = {text};
  return support::generate_all(*language_model, prompts, options).front().logits;
}

}  // namespace

TEST_CASE("Logits with an adapter are those of transformers with peft", "[golden]") {
  struct Case {
    const char* base;
    const char* adapter;
    Quantization quantization;
  };
  const auto one = GENERATE(Case{"llama_gqa_llama3_rope", "llama", Quantization::None},
                            Case{"llama_gqa_llama3_rope", "llama_nf4", Quantization::Nf4Double},
                            Case{"qwen2", "qwen2_rslora", Quantization::None});
  INFO(one.adapter);
  const auto folder = support::fixture(std::string("model/adapters/") + one.adapter);
  const auto language_model =
      open(support::fixture(std::string("model/") + one.base),
           {.device = "cpu", .n_threads = 2, .quantization = one.quantization, .adapter = folder});
  const auto references = support::read_reference(folder);
  GenerateOptions options;
  options.stop.max_new_tokens = static_cast<int>(references.front().greedy_ids.size());
  options.keep_logits = true;
  const auto answers =
      support::generate_all(*language_model, support::prompts_of(references), options);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    CHECK(answers[i].token_ids == references[i].greedy_ids);
    CHECK(support::differences(answers[i].logits, references[i].logits, 1e-4) == "");
  }
}

TEST_CASE("Adapters on every family, merged or not, give the logits of transformers with peft",
          "[golden]") {
  const json reference = support::read_json(support::fixture("training/lora/families.json"));
  const json fixture = support::read_json(support::fixture("model/families.json"));
  std::map<std::string, json> models;
  for (const json& model : fixture.at("models")) models[model.at("name")] = model;
  for (const json& training : reference.at("trainings")) {
    INFO(training.at("name").get<std::string>());
    const support::TempFolder folder;
    const fs::path base = folder.path() / "base", adapter = folder.path() / "adapter";
    const fs::path merged = folder.path() / "merged";
    support::write_tiny_model(models.at(training.at("model")), base);
    write_first_adapter(reference, training, adapter);
    weights::merge_adapter(base, adapter, DType::Float32, Quantization::None, merged);
    const TokenIds text = training.at("tokens")[0];
    const std::vector<float> expected = training.at("logits");
    for (std::vector<float> found : {logits_of(base, adapter, text), logits_of(merged, {}, text)}) {
      found.resize(expected.size());
      CHECK(support::differences(found, expected, 1e-4) == "");
    }
  }
}

}  // namespace labelprobe::model
