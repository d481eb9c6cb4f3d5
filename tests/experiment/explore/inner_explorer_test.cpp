#include "experiment/explore/inner_explorer.h"

#include "labelprobe/model/open.h"

#include "support/catch.h"
#include "support/generate.h"
#include "support/paths.h"

namespace labelprobe::experiment {
namespace {

// What a prompt's last state is, were the text so far a prompt of its own.
std::vector<float> last_state(model::LanguageModel& language_model, const TokenIds& text) {
  std::vector<float> state;
  const std::vector<TokenIds> prompts = {text};
  InnerExplorer explorer(
      prompts,
      [](auto, const auto&) {
        return std::vector<InnerPlace>{{0, {}}};
      },
      [&](std::size_t, std::vector<InnerSight> seen) { state = seen.at(0).inside.hidden; });
  model::ExploreOptions options = InnerExplorer::options_for(1);
  options.observe.hidden_layers = {-1};
  options.greedy.emplace();
  language_model.explore(prompts, options, explorer);
  return state;
}

}  // namespace

TEST_CASE("Places along an answer are those of the text up to there", "[model]") {
  const auto tiny = model::open(support::fixture("model/llama_gqa_llama3_rope"), {.device = "cpu"});
  const std::vector<TokenIds> prompts = {{5, 6, 7, 8}, {5, 6, 9}, {3}};
  model::GenerateOptions greedy;
  greedy.stop.max_new_tokens = 6;
  const auto answers = support::generate_all(*tiny, prompts, greedy);
  std::map<std::size_t, std::vector<InnerSight>> all;
  InnerExplorer explorer(
      prompts,
      [&](std::size_t prompt, const model::Generation& answer) {
        CHECK(answer.token_ids == answers[prompt].token_ids);
        return std::vector<InnerPlace>{{0, {}}, {2, {}}, {5, {}}};
      },
      [&](std::size_t prompt, std::vector<InnerSight> seen) { all[prompt] = std::move(seen); });
  model::ExploreOptions options = InnerExplorer::options_for(6);
  options.observe.hidden_layers = {-1};
  options.greedy = greedy;
  tiny->explore(prompts, options, explorer);
  REQUIRE(all.size() == 3);
  CHECK(all.at(2).empty());  // a single token
  for (const std::size_t prompt : {std::size_t{0}, std::size_t{1}}) {
    REQUIRE(all.at(prompt).size() == 3);
    const std::size_t indices[] = {0, 2, 5};
    for (std::size_t i = 0; i < 3; ++i) {
      TokenIds text = prompts[prompt];
      const TokenIds& answer = answers[prompt].token_ids;
      text.insert(text.end(), answer.begin(),
                  answer.begin() + static_cast<std::ptrdiff_t>(indices[i]));
      CHECK(all.at(prompt)[i].inside.hidden == last_state(*tiny, text));
      CHECK(all.at(prompt)[i].step.top_tokens.at(0).id == answer.at(indices[i]));
    }
  }
}

}  // namespace labelprobe::experiment
