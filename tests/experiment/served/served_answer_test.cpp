#include "experiment/served/served_answer.h"

#include <cmath>

#include "support/catch.h"

using labelprobe::TokenId;
using labelprobe::experiment::generation_of;
using labelprobe::experiment::kUnseenLogprob;
using labelprobe::experiment::ServedVocabulary;
using labelprobe::model::Generation;
using labelprobe::server::TextAnswer;

namespace model = labelprobe::model;

namespace {

model::GenerateOptions watching(const ServedVocabulary& words,
                                const std::vector<std::string>& watched) {
  model::GenerateOptions options;
  for (const std::string& word : watched) options.watched.push_back(words.id_of(word));
  return options;
}

std::vector<std::string> texts_of(const Generation& made, const ServedVocabulary& words) {
  std::vector<std::string> texts;
  for (const TokenId id : made.token_ids) texts.push_back(words.token_bytes(id));
  return texts;
}

}  // namespace

TEST_CASE("A word that is watched is one token, however the server cuts it", "[experiment]") {
  const ServedVocabulary words;
  const auto options = watching(words, {"optimism", " optimism", "joy", " joy"});
  const auto cut = [&](const std::vector<std::string>& tokens) {
    TextAnswer answer;
    for (const std::string& token : tokens) {
      answer.text += token;
      answer.tokens.push_back({token, -1.0, {{token, -1.0}}});
    }
    const Generation made = generation_of(answer, options, words);
    CHECK(made.steps.size() == made.token_ids.size());
    return texts_of(made, words);
  };
  using Texts = std::vector<std::string>;
  CHECK(cut({" optim", "ism", ",", " joy"}) == Texts{" optimism", ",", " joy"});
  CHECK(cut({"o", "p", "timism!"}) == Texts{"optimism", "!"});
  CHECK(cut({" ", "joy"}) == Texts{" ", "joy"});  // the space is a token of its own
  CHECK(cut({"optimal", "joy"}) == Texts{"optimal", "joy"});
  CHECK(cut({"joyful"}) == Texts{"joyful"});  // no token begins the word and ends in it
  CHECK(cut({"jo", "yful"}) == Texts{"joy", "ful"});
  CHECK(cut({}).empty());
}

TEST_CASE("A word has the log-probability of the longest token that begins it", "[experiment]") {
  const ServedVocabulary words;
  const auto options = watching(words, {"optimism", " optimism", "anger", "sad"});
  const TextAnswer answer = {
      .text = "optimism",
      .tokens = {{"optim", -0.5, {{"o", -3.0}, {"optim", -0.5}, {" opt", -4.0}, {"sadly", -5.0}}},
                 {"ism", -0.1, {{"ism", -0.1}}}}};
  const Generation made = generation_of(answer, options, words);
  REQUIRE(made.steps.size() == 1);
  CHECK(made.steps[0].watched_logits ==
        std::vector<float>{-0.5F, -4.0F, kUnseenLogprob, kUnseenLogprob});
  CHECK(made.steps[0].log_sum_exp == 0.0F);
  CHECK(std::exp(kUnseenLogprob) == 0.0F);
}

TEST_CASE("The token that was chosen is known, even if the server does not list it",
          "[experiment]") {
  const ServedVocabulary words;
  const auto options = watching(words, {"joy"});
  const TextAnswer answer = {.text = "joy", .tokens = {{"joy", -2.0, {{"sad", -1.0}}}}};
  const Generation made = generation_of(answer, options, words);
  CHECK(made.steps[0].watched_logits == std::vector<float>{-2.0F});
  REQUIRE(made.steps[0].top_tokens.size() == 2);
  CHECK(words.token_bytes(made.steps[0].top_tokens[0].id) == "sad");
}

TEST_CASE("An answer ends where it is complete", "[experiment]") {
  const ServedVocabulary words;
  auto options = watching(words, {"reasonable", "unreasonable"});
  options.stop.is_complete = [&](std::span<const TokenId> ids) {
    return words.token_bytes(ids.back()) == "unreasonable";
  };
  const TextAnswer answer = {
      .text = "\nunreasonable because",
      .tokens = {{"\n", -1, {}}, {"un", -1, {}}, {"reasonable", -1, {}}, {" because", -1, {}}}};
  CHECK(texts_of(generation_of(answer, options, words), words) ==
        std::vector<std::string>{"\n", "unreasonable"});
}

TEST_CASE("A question without an answer is a failure", "[experiment]") {
  const ServedVocabulary words;
  TextAnswer answer;
  answer.failure = "status 500";
  const Generation made = generation_of(answer, {}, words);
  CHECK(made.failure == "status 500");
  CHECK(made.token_ids.empty());
}
