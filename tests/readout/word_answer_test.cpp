#include "labelprobe/readout/word_answer.h"

#include <cmath>
#include <map>

#include "support/catch.h"
#include "support/list_tokenizer.h"

namespace labelprobe::readout {
namespace {

using support::ListTokenizer;

const ListTokenizer kWordTokenizer({"reason", " reasonable", "able", "un", " unreasonable", "\n",
                                    "Question", " ", "un "});
const AnswerRule kRule = {{}, "Input:", std::nullopt};
const std::vector<std::string> kWords = {"reasonable", "unreasonable"};

LabelTokens word_tokens(LabelVariants variants = LabelVariants::Both) {
  std::vector<LabelContext> places;
  for (const std::string& word : kWords) {
    places.push_back({"\n" + word, 1, word});
  }
  return find_label_tokens(kWordTokenizer, kWords, places, {}, variants);
}

// A step at which the tokens have these probabilities; the rest is other tokens'. All logits are
// shifted by the same 3.5, as a model's are by anything.
model::Step step(const std::map<std::string, double>& probs) {
  constexpr double kShift = 3.5;
  model::Step made;
  made.log_sum_exp = static_cast<float>(kShift);
  const auto logit = [&](TokenId id) {
    for (const auto& [token, prob] : probs) {
      if (kWordTokenizer.id(token) == id) {
        return static_cast<float>(std::log(prob) + kShift);
      }
    }
    return -100.0F;
  };
  for (const TokenId id : word_tokens().watched()) {
    made.watched_logits.push_back(logit(id));
  }
  for (const auto& [token, prob] : probs) {
    if (made.top_tokens.empty() ||
        logit(kWordTokenizer.id(token)) > made.top_tokens.front().logit) {
      made.top_tokens = {{kWordTokenizer.id(token), logit(kWordTokenizer.id(token))}};
    }
  }
  return made;
}

model::Generation word_generation(const std::vector<std::string>& tokens,
                                  const std::vector<model::Step>& steps) {
  model::Generation made;
  for (const std::string& token : tokens) {
    made.token_ids.push_back(kWordTokenizer.id(token));
  }
  made.steps = steps;
  return made;
}

void check_probs(const record::LabelValues& values, double reasonable, double unreasonable) {
  REQUIRE(values.size() == 2);
  CHECK(values[0].first == "reasonable");
  CHECK(values[0].second == Approx(reasonable).margin(1e-6));
  CHECK(values[1].first == "unreasonable");
  CHECK(values[1].second == Approx(unreasonable).margin(1e-6));
}

const model::Step kHealed = step({{" reasonable", 0.6}, {" unreasonable", 0.3}});

TEST_CASE("A word answer ends at the first token that begins a word", "[unit]") {
  const auto is_complete = word_predicate(word_tokens(), kWordTokenizer);
  CHECK_FALSE(is_complete({}));
  CHECK_FALSE(is_complete(word_generation({"\n"}, {}).token_ids));
  CHECK(is_complete(word_generation({"\n", "un"}, {}).token_ids));
  CHECK(is_complete(word_generation({" reasonable"}, {}).token_ids));
  const auto is_complete_bare = word_predicate(word_tokens(LabelVariants::Strict), kWordTokenizer);
  CHECK_FALSE(is_complete_bare(word_generation({" reasonable"}, {}).token_ids));
  CHECK(is_complete_bare(word_generation({"reason"}, {}).token_ids));
}

TEST_CASE("Nothing from the stop string on belongs to a word answer", "[unit]") {
  const AnswerRule rule = {{}, "Question", std::nullopt};
  const model::Step any = step({{"\n", 0.5}});
  record::ItemRecord item;
  read_word(word_generation({"\n", "able", "\n", "Question"}, {any, any, any, any}),
            word_generation({" reasonable"}, {kHealed}), word_tokens(), rule, kWordTokenizer, item);
  CHECK(item.outs == "able");
  CHECK(item.residual_outs == "Question");
  CHECK(item.outs_ids.size() == 3);
  CHECK(item.first_label_index() == 3);
  CHECK_FALSE(item.is_label_found());
}

TEST_CASE("A token inside another word is no answer", "[unit]") {
  // `reason` after `un`, which must not have ended the answer: `Un` in a real tokenizer.
  const auto inside = word_generation({"Question", "reason"}, {}).token_ids;
  CHECK_FALSE(word_predicate(word_tokens(), kWordTokenizer)(inside));
  CHECK(word_predicate(word_tokens(LabelVariants::Strict), kWordTokenizer)(inside));
  CHECK(word_predicate(word_tokens(),
                       kWordTokenizer)(word_generation({"\n", "reason"}, {}).token_ids));
  record::ItemRecord item;
  const model::Step any = step({{"Question", 0.5}, {"reason", 0.3}});
  read_word(word_generation({"Question", "reason"}, {any, any}),
            word_generation({" reasonable"}, {kHealed}), word_tokens(), kRule, kWordTokenizer,
            item);
  CHECK_FALSE(item.is_label_found());
  CHECK(item.predictions.empty());
}

TEST_CASE("Reads a word where it was generated, in its space variant", "[unit]") {
  record::ItemRecord item;
  read_word(
      word_generation(
          {"\n", " unreasonable"},
          {step({{"\n", 0.5}, {"reason", 0.02}, {"un", 0.01}, {" reasonable", 0.2}}),
           step({{" unreasonable", 0.3}, {" reasonable", 0.1}, {"reason", 0.05}, {"un", 0.001}})}),
      word_generation({" reasonable"}, {kHealed}), word_tokens(), kRule, kWordTokenizer, item);
  CHECK(item.predictions == std::vector<std::string>{"unreasonable"});
  CHECK(item.is_label_found());
  CHECK(item.first_label_index() == 1);
  CHECK(item.outs == "unreasonable");
  CHECK(item.outs_ids.size() == 2);
  CHECK(item.residual_outs.empty());
  CHECK_FALSE(item.prefix_outs.has_value());
  // Among the two words as generated: 0.1 to 0.3.
  check_probs(item.first_probs(), 0.25, 0.75);
  REQUIRE(item.label_steps.size() == 1);
  CHECK(record::label_probs(item.label_steps[0]) == item.first_probs());
  check_probs(item.first_logits(), std::log(0.1) + 3.5, std::log(0.3) + 3.5);
  CHECK(item.likely_tokens().at(0).text == " unreasonable");

  REQUIRE(item.greedy_answer.has_value());
  check_probs(item.greedy_answer->bare_probs, 0.05, 0.001);
  check_probs(item.greedy_answer->spaced_probs, 0.1, 0.3);
  CHECK(item.greedy_answer->is_top);
  REQUIRE(item.first_answer.has_value());
  check_probs(item.first_answer->bare_probs, 0.02, 0.01);
  check_probs(item.first_answer->spaced_probs, 0.2, 0);
  CHECK_FALSE(item.first_answer->is_top);
  REQUIRE(item.healed_answer.has_value());
  check_probs(item.healed_answer->spaced_probs, 0.6, 0.3);
  CHECK(item.healed_answer->is_top);
}

TEST_CASE("A word that never came has uniform scores and no greedy reading", "[unit]") {
  record::ItemRecord item;
  const model::Step nothing = step({{"Question", 0.9}, {"reason", 0.05}, {"un", 0.01}});
  read_word(word_generation({"Question", "\n"}, {nothing, step({{"\n", 0.9}})}),
            word_generation({" reasonable"}, {kHealed}), word_tokens(), kRule, kWordTokenizer,
            item);
  CHECK(item.predictions.empty());
  CHECK_FALSE(item.is_label_found());
  CHECK(item.label_steps.empty());
  CHECK(item.first_logits().empty());
  check_probs(item.first_probs(), 0.5, 0.5);
  CHECK(item.first_label_index() == 2);
  CHECK(item.likely_tokens().at(0).text == "Question");
  CHECK_FALSE(item.greedy_answer.has_value());
  REQUIRE(item.first_answer.has_value());
  check_probs(item.first_answer->bare_probs, 0.05, 0.01);
  CHECK(item.healed_answer.has_value());
}

TEST_CASE("Strict mode counts the form without a space alone", "[unit]") {
  record::ItemRecord item;
  read_word(word_generation({" reasonable", "un"},
                            {kHealed, step({{"reason", 0.2}, {"un", 0.6}, {" reasonable", 0.1}})}),
            word_generation({" reasonable"}, {kHealed}), word_tokens(LabelVariants::Strict), kRule,
            kWordTokenizer, item);
  CHECK(item.predictions == std::vector<std::string>{"unreasonable"});
  check_probs(item.first_probs(), 0.25, 0.75);
  CHECK(item.first_label_index() == 1);
  CHECK(item.greedy_answer->is_top);
  // Both forms are recorded, but a word with a space before it is no answer here.
  check_probs(item.healed_answer->spaced_probs, 0.6, 0.3);
  CHECK_FALSE(item.healed_answer->is_top);
}

TEST_CASE("Words that begin with the same token are scored, but not predicted", "[unit]") {
  LabelTokens words = word_tokens();
  words.first_tokens[0] = {kWordTokenizer.id("reason"), kWordTokenizer.id("reason")};
  model::Step shared;
  shared.watched_logits.assign(words.watched().size(), 1.0F);
  shared.top_tokens = {{kWordTokenizer.id("reason"), 1.0F}};
  record::ItemRecord item;
  read_word(word_generation({"reason"}, {shared}), word_generation({"reason"}, {shared}), words,
            kRule, kWordTokenizer, item);
  CHECK(item.is_label_found());
  CHECK(item.predictions.empty());
  check_probs(item.first_probs(), 0.5, 0.5);
}

TEST_CASE("A token that is both space variants of a word is counted once", "[unit]") {
  LabelTokens words = word_tokens();
  words.first_tokens[1] = words.first_tokens[0];
  model::Step made;
  made.log_sum_exp = 1.0F;
  made.watched_logits.assign(words.watched().size(), static_cast<float>(1 + std::log(0.25)));
  record::ItemRecord item;
  read_word(word_generation({"reason"}, {made}), word_generation({"reason"}, {made}), words, kRule,
            kWordTokenizer, item);
  check_probs(item.healed_answer->bare_probs, 0.25, 0.25);
  check_probs(item.healed_answer->spaced_probs, 0, 0);
}

TEST_CASE("A word answer of a prompt that failed is a failure", "[unit]") {
  model::Generation failed;
  failed.failure = "too long";
  record::ItemRecord item;
  read_word(failed, word_generation({" reasonable"}, {kHealed}), word_tokens(), kRule,
            kWordTokenizer, item);
  CHECK(item.failure == std::optional<std::string>("too long"));
  CHECK(item.first_probs().empty());
  CHECK_FALSE(item.healed_answer.has_value());
  record::ItemRecord unhealed;
  read_word(word_generation({" reasonable"}, {kHealed}), failed, word_tokens(), kRule,
            kWordTokenizer, unhealed);
  CHECK(unhealed.failure == std::optional<std::string>("too long"));
  CHECK(unhealed.first_probs().empty());
}

}  // namespace
}  // namespace labelprobe::readout
