// Numbers per label: prompts, what is read of answers, and what is missing.
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/record/logged_run.h"

#include "experiment/settings_for_tests.h"
#include "support/catch.h"
#include "support/program.h"

namespace labelprobe::experiment {
namespace {

using support::ListTokenizer;
using support::TempFolder;

// Every number from 0 to 100 is a token of its own, as in Llama-3.
ListTokenizer number_tokenizer() {
  std::vector<std::string> tokens = {" joy", " fear", ":", ", "};
  for (int number = 0; number <= 100; ++number) tokens.push_back(std::to_string(number));
  return ListTokenizer(tokens);
}

const ListTokenizer kNumbers = number_tokenizer();

Settings verbalized_settings() {
  Settings settings = example_settings();
  settings.plan = &find_plan("verbalized");
  settings.max_new_tokens = 120;
  return settings;
}

// A finished answer of the text, ended by itself. Where a number token was generated, it has logit
// 2, its neighbour 1 and the other numbers none to speak of; the whole vocabulary sums to e^3.
model::Generation generation_of(const std::string& text,
                                const tokenizer::Tokenizer& tokenizer,
                                const TokenIds& watched) {
  model::Generation generation;
  generation.token_ids = tokenizer.encode(text, tokenizer::SpecialTokens::Omit);
  for (const TokenId id : generation.token_ids) {
    model::Step step;
    for (const TokenId number : watched) {
      step.watched_logits.push_back(number == id ? 2.0F : number == id + 1 ? 1.0F : -80.0F);
    }
    step.log_sum_exp = 3.0F;
    step.top_tokens = {{id, 2.0F}};
    generation.steps.push_back(std::move(step));
  }
  return generation;
}

record::ItemRecord read_answer(const std::string& text,
                               const tokenizer::Tokenizer& tokenizer = kTokenizer) {
  const Preparation ready = prepare(verbalized_settings(), tokenizer);
  record::ItemRecord item;
  ready.answers.read(generation_of(text, tokenizer, ready.answers.watched), nullptr, item);
  return item;
}

using Numbers = std::map<std::string, float>;

Numbers numbers_of(const record::LabelValues& values) {
  return {values.begin(), values.end()};
}

const std::string kWhole =
    " joy: 90, optimism: 60, admiration: 7, surprise: 0, fear: 100, sadness: 50, anger: 1";

TEST_CASE("Asks for a number per label, sure of what demonstrations have", "[verbalized]") {
  Settings settings = verbalized_settings();
  const Questions questions = make_questions(settings);
  REQUIRE(questions.queries.size() == 6);
  const std::string& text = questions.queries[0].text;
  CHECK(text.starts_with(
      "Say of each of the following labels how likely it is that the label is right for the "
      "question: joy, optimism, admiration, surprise, fear, sadness and anger. One, several or "
      "none "
      "of them may be right. Output every label with a colon and a whole number from 0 (certainly "
      "wrong) to 100 (certainly right), separated by commas, and nothing else.\n\nQuestion: "));
  CHECK(text.ends_with("\nProbabilities:"));
  settings.plan = &find_plan("baseline");
  const Questions baseline = make_questions(settings);
  CHECK(questions.queries[0].item == baseline.queries[0].item);
  CHECK(questions.queries[0].demonstration_ids == baseline.queries[0].demonstration_ids);
  CHECK_THAT(text, ContainsSubstring("\nProbabilities: joy: "));
  CHECK_THAT(text, ContainsSubstring(": 100"));
}

TEST_CASE("Reads the numbers that are written, out of 100", "[verbalized]") {
  const record::ItemRecord item = read_answer(kWhole + "\n");
  CHECK(numbers_of(item.reported_probs) == Numbers{{"joy", 0.9F},
                                                   {"optimism", 0.6F},
                                                   {"admiration", 0.07F},
                                                   {"surprise", 0.0F},
                                                   {"fear", 1.0F},
                                                   {"sadness", 0.5F},
                                                   {"anger", 0.01F}});
  CHECK(item.predictions == std::vector<std::string>{"joy", "optimism", "fear"});
  CHECK(item.is_answered());
  CHECK(item.expected_probs.empty());  // this tokenizer has no numbers
  CHECK(item.outs == kWhole.substr(1));
}

TEST_CASE("A number that cannot be read is missing, never 0", "[verbalized]") {
  struct Case {
    std::string answer;
    Numbers numbers;
  };
  for (const Case& example : {
           Case{" joy: high, fear: 30,", {{"fear", 0.3F}}},
           Case{" joy: 101, fear: -5, anger: 100.5, sadness: 2000,", {}},
           Case{" joy: 0.9, fear: 1.0, anger: 0.0, sadness: 12.5,",
                {{"anger", 0.0F}, {"sadness", 0.125F}}},
           Case{" joy 90, fear 30,", {}},
           Case{" joy, fear", {}},
           Case{"", {}},
           // The first number of a label counts.
           Case{" joy: 10, joy: 80,", {{"joy", 0.1F}}},
           Case{" joy: 400, joy: 80,", {}},
           Case{" joy (not fear): 10, fear: 20,", {{"fear", 0.2F}}},
           Case{"{\"Joy\": \"90\", \"anger\" : 5}", {{"joy", 0.9F}, {"anger", 0.05F}}},
           Case{"**joy**: 90%\n- fear = 4/100", {{"joy", 0.9F}, {"fear", 0.04F}}},
           Case{" enjoy: 5, joyful: 6, joy: 7,", {{"joy", 0.07F}}},
           // The next example's question is no part of the answer.
           Case{" joy: 8,\nQuestion: fear: 9,", {{"joy", 0.08F}}},
           // What may have been cut off says nothing.
           Case{" joy: 9, fear: 1", {{"joy", 0.09F}}},
       }) {
    CAPTURE(example.answer);
    const record::ItemRecord item = read_answer(example.answer);
    CHECK(numbers_of(item.reported_probs) == example.numbers);
    CHECK(item.is_answered() == !example.numbers.empty());
  }
}

TEST_CASE("Where numbers are tokens, the expected number is the mean over all of them",
          "[verbalized]") {
  const record::ItemRecord item = read_answer(" joy: 20, fear: 7, anger: 12.5,", kNumbers);
  const double own = std::exp(2.0 - 3.0);
  const double next = std::exp(1.0 - 3.0);
  const auto expected = numbers_of(item.expected_probs);
  REQUIRE(expected.size() == 3);
  CHECK(expected.at("joy") == Approx((20 * own + 21 * next) / (own + next) / 100));
  CHECK(expected.at("fear") == Approx((7 * own + 8 * next) / (own + next) / 100));
  CHECK(numbers_of(item.number_mass).at("joy") == Approx(own + next));
  CHECK(numbers_of(item.reported_probs).at("joy") == 0.2F);
}

TEST_CASE("Says whether numbers are tokens", "[verbalized]") {
  CHECK_THAT(prepare(verbalized_settings(), kNumbers).answers.description,
             ContainsSubstring("are one token each"));
  CHECK_THAT(prepare(verbalized_settings(), kTokenizer).answers.description,
             ContainsSubstring("are not one token each"));
}

TEST_CASE("An answer is complete once nothing can be added to its last number", "[verbalized]") {
  const Preparation ready = prepare(verbalized_settings(), kTokenizer);
  const auto is_complete = [&](const std::string& text) {
    return ready.answers.is_complete(kTokenizer.encode(text, tokenizer::SpecialTokens::Omit));
  };
  CHECK_FALSE(is_complete(kWhole));
  CHECK_FALSE(is_complete(kWhole + "."));
  CHECK(is_complete(kWhole + ".\n"));
  CHECK(is_complete(kWhole + "\n"));
  CHECK_FALSE(is_complete(" joy: 5, fear: 6\n"));
  CHECK(is_complete(" joy: 5\nQuestion:"));
}

TEST_CASE("Guesses the next label behind a number, where the answer is as asked", "[verbalized]") {
  const Preparation ready = prepare(verbalized_settings(), kTokenizer);
  const auto guess = [&](const std::string& text) {
    return kTokenizer.decode(
        ready.answers.draft(kTokenizer.encode(text, tokenizer::SpecialTokens::Omit)));
  };
  CHECK(guess("") == " joy:");
  CHECK(guess(" joy: 55") == ", optimism:");
  CHECK(guess(" joy: 55, optimism: 7") == ", admiration:");
  CHECK(guess(" optimism: 7").empty());
  CHECK(guess(kWhole).empty());
}

TEST_CASE("A run logs numbers of its answers; missing ones stay missing when read back",
          "[verbalized]") {
  const TempFolder logs;
  const std::string answer = " joy: 90, optimism: 60, admiration: many";
  const TokenIds ids = kTokenizer.encode(answer, tokenizer::SpecialTokens::Omit);
  const support::FakeModel model(
      kTokenizer.vocab_size(), [&](std::span<const TokenId>, std::span<const TokenId> generated) {
        std::vector<float> logits(static_cast<std::size_t>(kTokenizer.vocab_size()), 0.0F);
        const std::size_t t = std::min(generated.size(), ids.size() - 1);
        logits[static_cast<std::size_t>(ids[t])] = 3.0F;
        return logits;
      });
  const Outcome outcome = run_with(model, verbalized_settings(), logs.path());
  CHECK(outcome.n_items == 6);
  CHECK(outcome.n_without_label == 0);
  CHECK(outcome.metrics.contains("micro_f1"));
  const auto items = record::read_run(logs.path() / "GoEmotions" / "test_0").items;
  REQUIRE(items.size() == 6);
  CHECK(numbers_of(items[0].reported_probs) == Numbers{{"joy", 0.9F}, {"optimism", 0.6F}});
  CHECK(items[0].predictions == std::vector<std::string>{"joy", "optimism"});
  CHECK(items[0].is_answered());
}

TEST_CASE("Too few new tokens for a number per label are refused before a model is loaded",
          "[verbalized]") {
  Settings settings = verbalized_settings();
  settings.max_new_tokens = 18;
  CHECK_THROWS_WITH(prepare(settings, kTokenizer),
                    ContainsSubstring("--max-new-tokens: expected at least ") &&
                        ContainsSubstring(" for the 7 labels, as an answer with a number for each "
                                          "takes up to ") &&
                        ContainsSubstring("found 18"));
  settings.max_new_tokens = 0;
  CHECK_THROWS_WITH(prepare(settings, kTokenizer), ContainsSubstring("found none"));
}

TEST_CASE("Chats ask for numbers without templates of the user", "[verbalized]") {
  Settings settings = verbalized_settings();
  settings.mode = prompt::PromptMode::Chat;
  const Questions questions = make_questions(settings);
  const auto& messages = questions.queries[0].messages;
  REQUIRE(messages.size() == 5);
  CHECK_THAT(messages[0].content, ContainsSubstring("Say of each of the following labels"));
  CHECK(messages[1].content.starts_with("joy: "));
  CHECK(messages[4].content.starts_with("Question: "));
}

}  // namespace
}  // namespace labelprobe::experiment
