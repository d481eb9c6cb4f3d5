// Unary and binary runs from flags to files, with the tiny model; probabilities at the first and
// the healed position from transformers (scripts/fixtures/words_reference.py).
#include <cmath>

#include <nlohmann/json.hpp>

#include "labelprobe/record/logged_run.h"

#include "app/e2e_run.h"
#include "support/catch.h"

namespace labelprobe {
namespace {

void check_reading(const std::optional<record::AnswerReading>& reading,
                   const nlohmann::json& expected) {
  REQUIRE(reading);
  CHECK(reading->is_top == expected["is_top"].get<bool>());
  for (const auto& [variant, probs] :
       {std::pair{"bare", &reading->bare_probs}, {"spaced", &reading->spaced_probs}}) {
    REQUIRE(probs->size() == expected[variant].size());
    for (const auto& [word, prob] : *probs) {
      const double wanted = expected[variant][word].get<double>();
      CAPTURE(variant, word, prob, wanted);
      CHECK(std::abs(prob - wanted) <= 1e-4 * wanted);
    }
  }
}

TEST_CASE("Unary and binary runs give transformers' answer probabilities", "[e2e]") {
  const nlohmann::json reference =
      nlohmann::json::parse(support::read_file(support::fixture("e2e/words.json")));
  for (const auto& expected : reference["runs"]) {
    const support::TempFolder logs;
    std::vector<std::string> arguments = {"run", "GoEmotions"};
    for (const auto& flag : reference["flags"]) {
      arguments.push_back(flag);
    }
    for (const std::string& argument :
         {std::string("--distribution"), expected["distribution"].get<std::string>(),
          std::string("--max-new-tokens"), std::to_string(reference["max_new_tokens"].get<int>()),
          std::string("--model-name-or-path"), support::fixture("e2e/model").string(),
          std::string("--log-root"), logs.path().string(), std::string("--alternative"),
          std::string("words"), std::string("--device"), std::string("cpu")}) {
      arguments.push_back(argument);
    }
    const support::ProgramResult result = support::run_program(arguments);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    const auto items = record::read_run(logs.path() / "GoEmotions" / "words_0").items;
    REQUIRE(items.size() == expected["items"].size());
    for (const record::ItemRecord& item : items) {
      CAPTURE(item.key);
      const nlohmann::json& wanted = expected["items"].at(item.key);
      CHECK(item.n_prompt_tokens == wanted["n_prompt_tokens"].get<std::int64_t>());
      CHECK(item.outs_ids == wanted["generated"].get<TokenIds>());
      CHECK(item.is_label_found() == wanted.contains("greedy"));
      check_reading(item.first_answer, wanted["first"]);
      check_reading(item.healed_answer, wanted["healed"]);
    }
  }
}

}  // namespace
}  // namespace labelprobe
