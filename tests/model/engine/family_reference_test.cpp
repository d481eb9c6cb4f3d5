// Logits and greedy tokens of a tiny model of every family, against those of transformers.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "labelprobe/model/open.h"

#include "support/catch.h"
#include "support/generate.h"
#include "support/paths.h"
#include "support/tiny_gguf.h"
#include "support/tiny_model.h"

namespace labelprobe::model {
namespace {

using nlohmann::json;

constexpr double kAllowed = 1e-4;

double largest_difference(const std::vector<float>& found, const json& expected) {
  REQUIRE(found.size() == expected.size());
  double largest = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    largest = std::max(largest, std::abs(found[i] - expected[i].get<double>()));
  }
  return largest;
}

// What the prompts of a model give together; one by one the numbers have to be the same bits.
std::vector<Generation> answers_of(LanguageModel& language_model, const json& model) {
  std::vector<TokenIds> prompts;
  for (const json& one : model["prompts"]) prompts.push_back(one["prompt_ids"].get<TokenIds>());
  GenerateOptions options;
  options.stop.max_new_tokens = static_cast<int>(model["prompts"][0]["greedy_ids"].size());
  options.keep_logits = true;
  const auto together = support::generate_all(language_model, prompts, options);
  options.share_prefixes = false;
  options.batch_size = 1;
  const auto alone = support::generate_all(language_model, prompts, options);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    INFO("prompt " << i << ": " << together[i].failure.value_or("computed"));
    REQUIRE_FALSE(together[i].failure);
    CHECK(alone[i].logits == together[i].logits);
  }
  return together;
}

void check(const std::filesystem::path& path, const json& model) {
  INFO(path.filename().string());
  const auto language_model = open(path, {.device = "cpu", .n_threads = 2});
  const auto together = answers_of(*language_model, model);
  double largest = 0;
  for (std::size_t i = 0; i < together.size(); ++i) {
    INFO("prompt " << i);
    CHECK(together[i].token_ids == model["prompts"][i]["greedy_ids"].get<TokenIds>());
    largest =
        std::max(largest, largest_difference(together[i].logits, model["prompts"][i]["logits"]));
  }
  INFO("largest difference " << largest);
  CHECK(largest < kAllowed);
}

}  // namespace

TEST_CASE("Every family computes what transformers does, from each kind of file", "[golden]") {
  const json fixture = support::read_json(support::fixture("model/families.json"));
  for (const json& model : fixture["models"]) {
    INFO(model["name"].get<std::string>());
    const support::TempFolder folder;
    support::write_tiny_model(model, folder.path() / "single");
    check(folder.path() / "single", model);
    support::write_tiny_model(model, folder.path() / "sharded", 3);
    check(folder.path() / "sharded", model);
    if (!model.contains("gguf")) continue;
    support::write_tiny_gguf(model, folder.path() / "m.gguf");
    check(folder.path() / "m.gguf", model);
  }
}

TEST_CASE("In every family numbers do not depend on the schedule in fewer bits", "[model]") {
  const json fixture = support::read_json(support::fixture("model/families.json"));
  for (const json& model : fixture["models"]) {
    INFO(model["name"].get<std::string>());
    const support::TempFolder folder;
    support::write_tiny_model(model, folder.path());
    answers_of(*open(folder.path(), {.dtype = DType::BFloat16, .device = "cpu", .n_threads = 2}),
               model);
    answers_of(
        *open(folder.path(), {.device = "cpu", .n_threads = 2, .quantization = Quantization::Nf4}),
        model);
  }
}

}  // namespace labelprobe::model
