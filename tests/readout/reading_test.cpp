#include "labelprobe/readout/reading.h"

#include <cmath>
#include <limits>

#include "support/catch.h"
#include "support/list_tokenizer.h"

namespace labelprobe::readout {
namespace {

using support::ListTokenizer;

// `joy`, `disgust`, `disapproval` and `none`; the two `dis` labels share a first token.
const ListTokenizer kTokenizer({"joy", " joy", "dis", " dis", "gust", "approval", "none", " none",
                                ", ", ",", "like", "Input:", "In", "put:", " ", "\n"});
const LabelSet kLabels({"joy", "disgust", "disapproval"}, LabelKind::MultiLabel);

LabelTokens label_tokens(LabelVariants variants = LabelVariants::Both) {
  LabelTokens tokens;
  tokens.names = tokens.spellings = kLabels.names_with_none();
  tokens.first_tokens[0] = {kTokenizer.id("joy"), kTokenizer.id("dis"), kTokenizer.id("dis"),
                            kTokenizer.id("none")};
  tokens.first_tokens[1] = {kTokenizer.id(" joy"), kTokenizer.id(" dis"), kTokenizer.id(" dis"),
                            kTokenizer.id(" none")};
  tokens.in_context = SpaceVariant::Bare;
  tokens.variants = variants;
  return tokens;
}

TokenIds ids(const std::vector<std::string>& tokens) {
  TokenIds found;
  for (const std::string& token : tokens) {
    found.push_back(kTokenizer.id(token));
  }
  return found;
}

model::Generation generation(const std::vector<std::string>& tokens,
                             const std::vector<std::vector<float>>& logits) {
  model::Generation made;
  made.token_ids = ids(tokens);
  for (const std::vector<float>& watched : logits) {
    made.steps.push_back({watched, {{kTokenizer.id("joy"), 2.5F}}});
  }
  return made;
}

std::vector<std::size_t> steps_of(const std::vector<std::string>& tokens,
                                  LabelVariants variants = LabelVariants::Both) {
  std::vector<std::size_t> steps;
  for (const LabelPlace& step :
       find_label_places(ids(tokens), label_tokens(variants), kTokenizer).places) {
    steps.push_back(step.step);
  }
  return steps;
}

TEST_CASE("Finds every label step of a two-label answer, with and without a leading space",
          "[unit]") {
  CHECK(steps_of({"joy", ",", " dis", "gust"}) == std::vector<std::size_t>{0, 2});
  CHECK(steps_of({"\n", "none", "\n"}) == std::vector<std::size_t>{1});
  CHECK(steps_of({"\n", "Input:"}).empty());
}

TEST_CASE("Labels that share a first token are told apart by what follows", "[unit]") {
  CHECK(steps_of({"dis", "gust", ", ", "dis", "approval"}) == std::vector<std::size_t>{0, 3});
  CHECK(steps_of({"dis", "gust", ", ", "dis", "gust"}) == std::vector<std::size_t>{0});
}

TEST_CASE("A first token that goes on as another word is no label", "[unit]") {
  CHECK(steps_of({"dis", "like", ",", " dis", "gust"}) == std::vector<std::size_t>{3});
}

TEST_CASE("No label begins inside the name of another", "[unit]") {
  const ListTokenizer tokenizer({"un", "reason", "able", ",", " reason"});
  LabelTokens tokens;
  tokens.names = tokens.spellings = {"reasonable", "unreasonable"};
  tokens.first_tokens[0] = {tokenizer.id("reason"), tokenizer.id("un")};
  tokens.first_tokens[1] = {tokenizer.id(" reason"), tokenizer.id("un")};
  const TokenIds generated = {tokenizer.id("un"), tokenizer.id("reason"),  tokenizer.id("able"),
                              tokenizer.id(","),  tokenizer.id(" reason"), tokenizer.id("able")};
  const std::vector<LabelPlace> steps = find_label_places(generated, tokens, tokenizer).places;
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].step == 0);
  CHECK(steps[1].step == 4);
}

TEST_CASE("A label's name that the end of the answer cuts off is no label, and is marked",
          "[unit]") {
  CHECK(steps_of({"joy", ",", " dis"}) == std::vector<std::size_t>{0});
  const auto is_cut_off = [](const std::vector<std::string>& tokens,
                             LabelVariants variants = LabelVariants::Both) {
    return find_label_places(ids(tokens), label_tokens(variants), kTokenizer).is_cut_off;
  };
  CHECK(is_cut_off({"joy", ",", " dis"}));
  CHECK(is_cut_off({"dis"}));
  CHECK(!is_cut_off({"joy"}));
  CHECK(!is_cut_off({"dis", "like"}));
  CHECK(!is_cut_off({"dis", "\n"}));
  CHECK(!is_cut_off({"dis"}, LabelVariants::Strict));  // as published

  record::ItemRecord item;
  read(generation({"dis"}, {{0, 0, 0, 0, 0, 0}}), label_tokens(),
       {LabelFormat(), "Input:", std::nullopt}, kLabels, kTokenizer, item);
  CHECK(item.is_cut_off);
  CHECK_FALSE(item.is_label_found());
  CHECK(item.answer_source == record::AnswerSource::Nothing);
}

TEST_CASE("Labels are found as the format spells them", "[unit]") {
  const ListTokenizer tokenizer({"\\u00dc", "berraschung", "Ü", " Ü", "\"", "freude"});
  const std::vector<std::string> names = {"Überraschung", "freude"};
  const std::vector<LabelContext> places = {{"[\"\\u00dcberraschung\"]", 2, "\\u00dcberraschung"},
                                            {"[\"freude\"]", 2, "freude"}};
  const LabelTokens found = find_label_tokens(tokenizer, names, places, {}, LabelVariants::Both);
  CHECK(found.first_tokens[0] == TokenIds{tokenizer.id("\\u00dc"), tokenizer.id("freude")});
  const TokenIds answer = {tokenizer.id("\""), tokenizer.id("\\u00dc"), tokenizer.id("berraschung"),
                           tokenizer.id("\"")};
  const LabelPlaces read_back = find_label_places(answer, found, tokenizer);
  REQUIRE(read_back.places.size() == 1);
  CHECK(read_back.places[0].step == 1);
}

TEST_CASE("Strict mode sees only the template's variant and only the one token", "[unit]") {
  CHECK(steps_of({"joy", ",", " dis", "gust"}, LabelVariants::Strict) ==
        std::vector<std::size_t>{0});
  CHECK(steps_of({"dis", "like", "joy"}, LabelVariants::Strict) == std::vector<std::size_t>{0, 2});
}

TEST_CASE("Tokens belong to the answer if they begin before the stop string", "[unit]") {
  CHECK(count_answer_tokens(ids({"joy", "\n", "Input:"}), "Input:", kTokenizer) == 2);
  CHECK(count_answer_tokens(ids({"joy", "\n", "In", "put:"}), "Input:", kTokenizer) == 2);
  CHECK(count_answer_tokens(ids({"joy", "\n"}), "Input:", kTokenizer) == 2);
  CHECK(count_answer_tokens(ids({"Input:"}), "", kTokenizer) == 1);
}

TEST_CASE("Generation stops at the token that completes the stop string", "[unit]") {
  const auto is_complete = stop_predicate(kTokenizer, "Input:");
  CHECK_FALSE(is_complete(ids({"joy", "\n"})));
  CHECK_FALSE(is_complete(ids({"joy", "\n", "In"})));
  CHECK(is_complete(ids({"joy", "\n", "In", "put:"})));
  CHECK_FALSE(stop_predicate(kTokenizer, "")(ids({"Input:"})));
  CHECK_FALSE(is_complete({}));
}

TEST_CASE("A stop string that ends in a very long token is seen", "[unit]") {
  const std::string newest = "put:" + std::string(200, ' ');
  const ListTokenizer tokenizer({"I", "n", newest});
  const TokenIds token_ids = {tokenizer.id("I"), tokenizer.id("n"), tokenizer.id(newest)};
  CHECK(stop_predicate(tokenizer, "Input:")(token_ids));
}

TEST_CASE("Each label step gives a distribution over the variant that was generated there",
          "[unit]") {
  const LabelTokens tokens = label_tokens();
  // Watched in ascending id order: joy, " joy", dis, " dis", none, " none".
  REQUIRE(tokens.watched() == ids({"joy", " joy", "dis", " dis", "none", " none"}));
  const float far = -100;
  record::ItemRecord item;
  read(generation({"joy", ",", " dis", "gust"},
                  {{1, far, 1, far, 1, far}, {}, {far, 0, far, 3, far, 0}, {}}),
       tokens, {LabelFormat(), "Input:", std::nullopt}, kLabels, kTokenizer, item);
  REQUIRE(item.label_steps.size() == 2);
  // Shared first tokens are given to each label that has them: four equal logits are four quarters.
  for (const auto& [name, prob] : record::label_probs(item.label_steps[0])) {
    CHECK(prob == Approx(0.25));
  }
  // Both variants of the second step are kept: there the bare ones are far off.
  CHECK(item.label_steps[1].index == 2);
  CHECK(item.label_steps[1].variant == SpaceVariant::Spaced);
  CHECK(item.label_steps[1].logits[1].second == 3.0F);
  CHECK(item.label_steps[1].other_logits[1].second == far);
  const double e3 = std::exp(3.0);
  CHECK(record::label_probs(item.label_steps[1])[0].second == Approx(1 / (2 + 2 * e3)));
  CHECK(record::label_probs(item.label_steps[1])[1].second == Approx(e3 / (2 + 2 * e3)));
  CHECK(item.first_probs() == record::label_probs(item.label_steps[0]));
  CHECK(item.is_label_found());
  CHECK(item.first_logits()[3] == std::pair<std::string, float>("none", 1.0F));
  CHECK(item.predictions == std::vector<std::string>{"joy", "disgust"});
  CHECK(item.first_label_index() == 0);
  CHECK(item.likely_tokens()[0] == record::LikelyToken{"joy", 2.5F});
}

TEST_CASE("Without a label step the scores are uniform over the label set and said to be so",
          "[unit]") {
  record::ItemRecord item;
  read(generation({"like", "\n"}, {{0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0}}), label_tokens(),
       {LabelFormat(), "Input:", std::nullopt}, kLabels, kTokenizer, item);
  CHECK_FALSE(item.is_label_found());
  CHECK(item.label_steps.empty());
  CHECK(item.first_probs().size() == 3);  // `none` is missing, as published
  CHECK(item.first_probs()[0].second == Approx(1.0 / 3));
  CHECK(item.first_logits().empty());
  CHECK(item.first_label_index() == 2);
}

TEST_CASE("Labels after the stop string are not read", "[unit]") {
  record::ItemRecord item;
  read(generation({"none", "\n", "Input:", " joy"}, {{0, 0, 0, 0, 9, 0}, {}, {}, {}}),
       label_tokens(), {LabelFormat(), "Input:", std::nullopt}, kLabels, kTokenizer, item);
  CHECK(item.label_steps.size() == 1);
  CHECK(item.outs == "none");
  CHECK(item.residual_outs == "Input: joy");
  CHECK(item.predictions.empty());
  CHECK(item.outs_ids == ids({"none", "\n"}));
}

TEST_CASE("A pair prompt's answer is the one word, found where it begins", "[unit]") {
  const ListTokenizer tokenizer(
      {"reason", "able", "un", " reason", " un", "Input:", "\n", "maybe"});
  const LabelSet pair({"reasonable", "unreasonable"}, LabelKind::SingleLabel);
  const std::vector<LabelContext> places = {{"Label: reasonable\n", 7, "reasonable"},
                                            {"Label: unreasonable\n", 7, "unreasonable"}};
  const LabelTokens tokens =
      find_label_tokens(tokenizer, pair.names(), places, {}, LabelVariants::Both);
  const AnswerRule rule{LabelFormat(), "Input:", std::nullopt, Parser::Words, predict_word};
  const auto answer = [&](const std::vector<std::string>& texts) {
    model::Generation made;
    for (const std::string& text : texts) {
      made.token_ids.push_back(tokenizer.id(text));
      model::Step step;
      // Watched in ascending id order: the tokens without a space, then those with one.
      step.watched_logits = {0, 0, 0, std::log(3.0F)};
      made.steps.push_back(step);
    }
    record::ItemRecord item;
    item.kind = LabelKind::SingleLabel;
    read(made, tokens, rule, pair, tokenizer, item);
    return item;
  };
  const record::ItemRecord found = answer({" un", "reason", "able", "\n", "Input:"});
  CHECK(found.predictions == std::vector<std::string>{"unreasonable"});
  REQUIRE(found.label_steps.size() == 1);
  CHECK(found.first_probs()[0].second == Approx(0.25));
  CHECK(found.first_probs()[1].second == Approx(0.75));
  CHECK(answer({" reason", "able", "\n"}).predictions == std::vector<std::string>{"reasonable"});

  const record::ItemRecord nothing = answer({"maybe", "\n"});
  CHECK(nothing.predictions.empty());
  CHECK_FALSE(nothing.is_label_found());
  CHECK(nothing.first_probs()[0].second == 0.5F);
}

TEST_CASE("A failed generation is kept as a failure", "[unit]") {
  model::Generation failed;
  failed.failure = "too long";
  record::ItemRecord item;
  read(failed, label_tokens(), {}, kLabels, kTokenizer, item);
  CHECK(item.failure == std::optional<std::string>("too long"));
  CHECK(item.first_probs().empty());
}

}  // namespace
}  // namespace labelprobe::readout
