// Forms of attention and rotary embedding in whole models, against transformers.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "labelprobe/model/open.h"

#include "support/catch.h"
#include "support/generate.h"
#include "support/paths.h"
#include "support/tiny_model.h"

namespace labelprobe::model {
namespace {

using nlohmann::json;

std::vector<TokenIds> prompts_of(const json& model) {
  std::vector<TokenIds> prompts;
  for (const json& one : model["prompts"]) prompts.push_back(one["prompt_ids"].get<TokenIds>());
  return prompts;
}

GenerateOptions options_for(const json& model) {
  GenerateOptions options;
  options.stop.max_new_tokens = static_cast<int>(model["prompts"][0]["greedy_ids"].size());
  options.keep_logits = true;
  return options;
}

double largest_difference(const std::vector<float>& found, const json& expected) {
  REQUIRE(found.size() == expected.size());
  double largest = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    largest = std::max(largest, std::abs(found[i] - expected[i].get<double>()));
  }
  return largest;
}

double check_answers(const json& model, const std::vector<Generation>& answers) {
  double largest = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    INFO("prompt " << i);
    REQUIRE_FALSE(answers[i].failure);
    CHECK(answers[i].token_ids == model["prompts"][i]["greedy_ids"].get<TokenIds>());
    largest =
        std::max(largest, largest_difference(answers[i].logits, model["prompts"][i]["logits"]));
  }
  CHECK(largest < 1e-4);
  return largest;
}

}  // namespace

TEST_CASE("Attention of every form is that of transformers", "[golden]") {
  const json fixture =
      json::parse(support::read_file(support::fixture("model/attention_forms.json")));
  for (const json& model : fixture["models"]) {
    const auto name = model["name"].get<std::string>();
    INFO(name);
    const support::TempFolder folder;
    support::write_tiny_model(model, folder.path(), name.find("mistral") == 0 ? 2 : 1);
    const auto language_model = open(folder.path(), {.device = "cpu", .n_threads = 2});
    GenerateOptions options = options_for(model);
    const auto together = support::generate_all(*language_model, prompts_of(model), options);
    WARN(name << ": " << check_answers(model, together));
    options.share_prefixes = false;
    options.batch_size = 1;
    const auto alone = support::generate_all(*language_model, prompts_of(model), options);
    for (std::size_t i = 0; i < alone.size(); ++i) CHECK(alone[i].logits == together[i].logits);
  }
}

}  // namespace labelprobe::model
