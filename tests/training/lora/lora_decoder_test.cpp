// Losses and gradients against peft and transformers (scripts/fixtures/lora_reference.py and
// family_lora_reference.py).
#include "training/lora/lora_decoder.h"

#include <stdexcept>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"
#include "support/reference.h"
#include "support/tensors.h"
#include "support/tiny_model.h"

namespace labelprobe::training {
namespace {

using nlohmann::json;

FinetuneSettings settings_of(const json& reference) {
  FinetuneSettings settings;
  settings.lora = {reference.at("r"), reference.at("alpha"), 0.0, reference.at("target_modules")};
  settings.dtype = weights::DType::Float32;
  settings.quantization = reference.at("is_nf4").get<bool>() ? weights::Quantization::Nf4Double
                                                             : weights::Quantization::None;
  settings.block_tokens = static_cast<std::int64_t>(reference.at("passes")[0][0].size());
  return settings;
}

at::Tensor tokens_of(const json& pass) {
  std::vector<at::Tensor> blocks;
  for (const auto& block : pass)
    blocks.push_back(at::tensor(block.get<std::vector<std::int64_t>>(), at::kLong));
  return at::stack(blocks);
}

at::Tensor tensor_of(const support::ReferenceTensor& tensor) {
  return at::tensor(tensor.numbers).view(tensor.shape);
}

class Reference {
 public:
  explicit Reference(const std::string& name)
      : numbers(support::read_json(support::fixture("training/lora/" + name + ".json"))),
        tensors(support::read_tensors(support::fixture("training/lora/" + name + ".safetensors"))) {
  }

  LoraDecoder decoder(const FinetuneSettings& settings) const {
    auto checkpoint = weights::Checkpoint::open(
        support::fixture("model/" + numbers.at("base").get<std::string>()));
    LoraDecoder made(checkpoint, settings, at::kCPU);
    for (const auto& [key, tensor] : made.parameters())
      tensor.detach().copy_(tensor_of(tensors.at("initial." + key)));
    return made;
  }

  json numbers;
  std::map<std::string, support::ReferenceTensor> tensors;
};

json tiny_model(const std::string& file, const std::string& name) {
  const json fixture = support::read_json(support::fixture("model/" + file + ".json"));
  for (const json& model : fixture.at("models")) {
    if (model.at("name") == name) return model;
  }
  throw std::runtime_error("no model " + name);
}

// As in scripts/fixtures/family_lora_reference.py, before its first step.
LoraDecoder tiny_decoder(const json& reference, const json& training) {
  const support::TempFolder folder;
  support::write_tiny_model(tiny_model("families", training.at("model")), folder.path());
  FinetuneSettings settings;
  settings.lora = {reference.at("r"), reference.at("alpha"), 0.0, training.at("target_modules")};
  settings.dtype = weights::DType::Float32;
  settings.quantization = weights::Quantization::None;
  settings.block_tokens = static_cast<std::int64_t>(training.at("tokens")[0].size());
  auto checkpoint = weights::Checkpoint::open(folder.path());
  LoraDecoder decoder(checkpoint, settings, at::kCPU);
  for (const auto& [key, tensor] : decoder.parameters()) {
    std::string bytes = support::tiny_tensor_bytes(key, static_cast<std::uint64_t>(tensor.numel()));
    tensor.detach().copy_(at::from_blob(bytes.data(), tensor.sizes(), at::kFloat) / 4);
  }
  return decoder;
}

// The mean loss of all passes, whose gradients are added up.
double pass_all(const LoraDecoder& decoder, const json& passes) {
  double sum = 0.0;
  const auto n = static_cast<double>(passes.size() * passes[0].size() * (passes[0][0].size() - 1));
  for (const json& pass : passes) sum += decoder.add_gradients(tokens_of(pass), 1.0 / n, 1);
  return sum / n;
}

}  // namespace

TEST_CASE("Losses of twenty steps and first gradients are those of peft and transformers",
          "[golden]") {
  const std::string name =
      GENERATE(as<std::string>(), "llama", "llama_nf4", "llama_biases", "qwen2", "mistral");
  const bool checkpoints_gradients = GENERATE(true, false);
  INFO(name << (checkpoints_gradients ? ", layers computed twice" : ""));
  const Reference reference(name);
  FinetuneSettings settings = settings_of(reference.numbers);
  settings.checkpoints_gradients = checkpoints_gradients;
  const LoraDecoder decoder = reference.decoder(settings);
  CHECK(decoder.parameters().size() * 2 == reference.tensors.size());
  AdamW optimizer(decoder.parameters(), {});
  const json& losses = reference.numbers.at("losses");
  for (std::size_t step = 0; step < losses.size(); ++step) {
    CHECK(pass_all(decoder, reference.numbers.at("passes")) ==
          Approx(losses[step].get<double>()).margin(1e-4));
    for (const auto& [key, tensor] : decoder.parameters()) {
      if (step == 0) {
        INFO(key);
        CHECK(support::largest_difference(
                  tensor.grad(), tensor_of(reference.tensors.at("gradient." + key))) < 1e-4);
      }
    }
    CHECK(clip_gradients(decoder.parameters(), reference.numbers.at("max_norm")) ==
          Approx(reference.numbers.at("norms")[step].get<double>()).epsilon(1e-3));
    optimizer.step(reference.numbers.at("learning_rate"));
    optimizer.zero_gradients();
  }
}

TEST_CASE("The loss without gradients is the same", "[unit]") {
  const Reference reference("qwen2");
  const LoraDecoder decoder = reference.decoder(settings_of(reference.numbers));
  const at::Tensor tokens = tokens_of(reference.numbers.at("passes")[0]);
  CHECK(decoder.loss(tokens) == Approx(decoder.add_gradients(tokens, 1.0, 1)));
}

TEST_CASE("bfloat16 and every way of keeping weights train near float32", "[unit]") {
  const Reference reference("llama");
  FinetuneSettings settings = settings_of(reference.numbers);
  const double exact = pass_all(reference.decoder(settings), reference.numbers.at("passes"));
  settings.dtype = weights::DType::BFloat16;
  const double rounded = pass_all(reference.decoder(settings), reference.numbers.at("passes"));
  CHECK(rounded != exact);
  CHECK(rounded == Approx(exact).epsilon(0.02));
  for (const auto quantization :
       {weights::Quantization::Fp4, weights::Quantization::Nf4, weights::Quantization::Int8}) {
    settings.quantization = quantization;
    CHECK(pass_all(reference.decoder(settings), reference.numbers.at("passes")) ==
          Approx(exact).epsilon(0.25));
  }
}

TEST_CASE("Dropout is drawn from its seed alone, computed once or twice", "[unit]") {
  const Reference reference("llama");
  FinetuneSettings settings = settings_of(reference.numbers);
  settings.lora.dropout = 0.5;
  const at::Tensor tokens = tokens_of(reference.numbers.at("passes")[0]);
  const auto gradient = [&](bool checkpoints_gradients, std::uint64_t seed) {
    settings.checkpoints_gradients = checkpoints_gradients;
    const LoraDecoder decoder = reference.decoder(settings);
    decoder.add_gradients(tokens, 1.0, seed);
    return decoder.parameters()[0].tensor.grad();
  };
  CHECK(at::equal(gradient(true, 5), gradient(false, 5)));
  CHECK_FALSE(at::equal(gradient(true, 5), gradient(true, 6)));
}

TEST_CASE("A module that the family does not have is refused with the nearest", "[unit]") {
  const Reference reference("llama");
  FinetuneSettings settings = settings_of(reference.numbers);
  settings.lora.target_modules = {"q_prj"};
  CHECK_THROWS_WITH(
      reference.decoder(settings),
      ContainsSubstring("unknown target module 'q_prj'") && ContainsSubstring("q_proj"));
}

TEST_CASE("Losses and first gradients of every family are those of peft and transformers",
          "[golden]") {
  const json reference = support::read_json(support::fixture("training/lora/families.json"));
  const auto gradients =
      support::read_tensors(support::fixture("training/lora/families.safetensors"));
  for (const json& training : reference.at("trainings")) {
    const auto name = training.at("name").get<std::string>();
    INFO(name);
    const LoraDecoder decoder = tiny_decoder(reference, training);
    AdamW optimizer(decoder.parameters(), {});
    const at::Tensor tokens = tokens_of(training.at("tokens"));
    const auto n = static_cast<double>(tokens.size(0) * (tokens.size(1) - 1));
    CHECK(decoder.loss(tokens) / n == Approx(training.at("losses")[0].get<double>()).margin(1e-5));
    for (std::size_t step = 0; step < training.at("losses").size(); ++step) {
      CHECK(decoder.add_gradients(tokens, 1.0 / n, 1) / n ==
            Approx(training.at("losses")[step].get<double>()).margin(1e-5));
      for (const auto& [key, tensor] : decoder.parameters()) {
        if (step > 0) break;
        INFO(key);
        CHECK(support::largest_difference(
                  tensor.grad(), tensor_of(gradients.at(name + ".gradient." + key))) < 1e-5);
      }
      CHECK(clip_gradients(decoder.parameters(), reference.at("max_norm")) ==
            Approx(training.at("norms")[step].get<double>()).epsilon(1e-4));
      optimizer.step(reference.at("learning_rate"));
      optimizer.zero_gradients();
    }
  }
}

TEST_CASE("Models whose blocks are not trained are refused by name", "[unit]") {
  const auto refusal_of = [](const char* file, const std::string& name) {
    const support::TempFolder folder;
    support::write_tiny_model(tiny_model(file, name), folder.path());
    weights::Checkpoint checkpoint = weights::Checkpoint::open(folder.path());
    try {
      LoraDecoder(checkpoint, FinetuneSettings(), at::kCPU);
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  for (const char* name : {"mixtral", "qwen3_moe", "qwen3_moe_some_layers", "gpt_oss"}) {
    INFO(name);
    CHECK_THAT(refusal_of("attention_forms", name),
               ContainsSubstring("expected a model with one MLP for all tokens, found a ") &&
                   ContainsSubstring("whose tokens choose among"));
  }
  CHECK_THAT(refusal_of("families", "gemma3_with_images"),
             ContainsSubstring("expected a model of texts alone, found a "
                               "Gemma3ForConditionalGeneration, which sees images too"));
  CHECK_THAT(refusal_of("families", "phi3"),
             ContainsSubstring("unknown target module 'q_proj'") && ContainsSubstring("qkv_proj"));
}

}  // namespace labelprobe::training
