// What transformers generates under settings of generation that change the logits
// (scripts/fixtures/generation_reference.py).
#include "model/engine/logit_rules.h"

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "labelprobe/model/open.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/generate.h"
#include "support/paths.h"
#include "support/reference.h"
#include "support/tolerance.h"

namespace labelprobe::model {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// The tiny model with these settings of generation, and no others.
std::unique_ptr<LanguageModel> open_with(const json& generation_config, const fs::path& folder) {
  fs::copy(support::fixture("model/llama_mha"), folder, fs::copy_options::recursive);
  json config = support::read_json(folder / "config.json");
  config.erase("eos_token_id");
  support::write_file(folder / "config.json", config.dump());
  support::write_file(folder / "generation_config.json", generation_config.dump());
  return open(folder, {.device = "cpu", .n_threads = 2});
}

// "" or the first difference; minus infinity must be where it is expected.
std::string difference(const std::vector<float>& found, const std::vector<float>& expected) {
  if (found.size() != expected.size()) {
    return std::to_string(found.size()) + " logits, expected " + std::to_string(expected.size());
  }
  const double allowed = support::tolerance_for("cpu", DType::Float32).logit;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const bool is_same = std::isinf(expected[i]) ? found[i] == expected[i]
                                                 : std::abs(found[i] - expected[i]) <= allowed;
    if (!is_same) {
      return "logit " + std::to_string(i) + ": " + std::to_string(found[i]) + ", expected " +
             std::to_string(expected[i]);
    }
  }
  return "";
}

}  // namespace

TEST_CASE("Settings of generation do to the logits what they do in transformers", "[golden]") {
  const fs::path folder = support::fixture("model/generation_rules");
  const json fixture = support::read_json(folder / "cases.json");
  const auto scores = support::read_tensors(folder / "cases.safetensors");
  for (std::size_t i = 0; i < fixture["cases"].size(); ++i) {
    const json& one = fixture["cases"][i];
    INFO("case " << i << ": " << one["generation_config"]);
    const support::TempFolder model_folder;
    const auto language_model = open_with(one["generation_config"], model_folder.path() / "model");
    GenerateOptions options;
    options.stop.max_new_tokens = fixture["max_new_tokens"];
    options.stop.end_ids = language_model->info().end_ids;
    options.rules = language_model->info().rules;
    options.keep_logits = true;
    CHECK(weights::describe(options.rules).empty() == changes_nothing(options.rules));
    const TokenIds expected = one["token_ids"];
    // Alone, and behind another prompt, with guesses that are right.
    const std::vector<TokenIds> prompts = {{2, 3}, one["prompt"]};
    for (const bool has_drafts : {false, true}) {
      if (has_drafts) {
        options.draft = [&](std::span<const TokenId> generated) {
          return std::equal(generated.begin(), generated.end(), expected.begin())
                     ? TokenIds(expected.begin() + static_cast<std::ptrdiff_t>(generated.size()),
                                expected.end())
                     : TokenIds();
        };
      }
      const auto answers = support::generate_all(*language_model, prompts, options);
      CHECK(answers[1].token_ids == expected);
      CHECK(difference(answers[1].logits, scores.at(std::to_string(i)).numbers) == "");
    }
  }
}

TEST_CASE("A prompt that is only looked at is not forced to end", "[unit]") {
  const support::TempFolder folder;
  const auto language_model = open_with({{"forced_eos_token_id", 7}}, folder.path() / "model");
  GenerateOptions options;
  options.stop.max_new_tokens = 3;
  options.rules = language_model->info().rules;
  options.n_new_tokens = {3, 1};
  const std::vector<TokenIds> prompts = {{1, 17, 42}, {1, 17}};
  const auto answers = support::generate_all(*language_model, prompts, options);
  CHECK(answers[0].token_ids.back() == 7);
  options.rules = {};
  CHECK(answers[1].token_ids ==
        support::generate_all(*language_model, prompts, options)[1].token_ids);
}

}  // namespace labelprobe::model
