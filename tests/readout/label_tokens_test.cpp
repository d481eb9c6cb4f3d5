#include "labelprobe/readout/label_tokens.h"

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/list_tokenizer.h"

namespace labelprobe::readout {
namespace {

using support::ListTokenizer;

// Contexts as a template gives them: `before` + label + `after`.
std::vector<LabelContext> contexts(const std::vector<std::string>& names,
                                   const std::string& before,
                                   const std::string& after) {
  std::vector<LabelContext> found;
  for (const std::string& name : names) {
    found.push_back({before + name + after, before.size(), name});
  }
  return found;
}

const TokenIds& tokens(const LabelTokens& found, SpaceVariant variant) {
  return found.first_tokens[static_cast<std::size_t>(variant)];
}

TEST_CASE("Finds the first token of each label after a quote and after a space", "[unit]") {
  const ListTokenizer tokenizer({"joy", " joy", "adm", " admir", "iration", "none", " none"});
  const std::vector<std::string> names = {"joy", "admiration", "none"};
  const LabelTokens json =
      find_label_tokens(tokenizer, names, contexts(names, "Input: text\n{\"label\": [\"", "\"]}"),
                        {}, LabelVariants::Both);
  CHECK(json.in_context == SpaceVariant::Bare);
  CHECK(tokens(json, SpaceVariant::Bare) ==
        TokenIds{tokenizer.id("joy"), tokenizer.id("adm"), tokenizer.id("none")});
  CHECK(tokens(json, SpaceVariant::Spaced) ==
        TokenIds{tokenizer.id(" joy"), tokenizer.id(" admir"), tokenizer.id(" none")});

  const LabelTokens answer = find_label_tokens(tokenizer, names, contexts(names, "Answer: ", "\n"),
                                               {}, LabelVariants::Both);
  CHECK(answer.in_context == SpaceVariant::Spaced);
  CHECK(answer.first_tokens == json.first_tokens);
}

TEST_CASE("Text before the label in any script does not move the first token", "[unit]") {
  const ListTokenizer tokenizer({"joy", " joy", "anger", " anger"});
  const std::vector<std::string> names = {"joy", "anger"};
  const LabelTokens found = find_label_tokens(
      tokenizer, names,
      contexts(names, "Eingabe: \xE2\x80\x9C\xF0\x9F\x98\x80 \xC3\xBC\xE2\x80\x9D\n[\"", "\"]"), {},
      LabelVariants::Both);
  CHECK(tokens(found, SpaceVariant::Bare) == TokenIds{tokenizer.id("joy"), tokenizer.id("anger")});
}

TEST_CASE("Takes the second variant from the place of a later label if the template shows one",
          "[unit]") {
  const ListTokenizer tokenizer({"joy", ", joy", "anger", " anger"});
  const std::vector<std::string> names = {"joy", "anger"};
  const LabelTokens found = find_label_tokens(tokenizer, names, contexts(names, "\n", ""),
                                              contexts(names, "fear, ", ""), LabelVariants::Both);
  CHECK(found.in_context == SpaceVariant::Bare);
  // The comma and the space belong to the later label's token here; a neutral context would not
  // have shown that.
  CHECK(tokens(found, SpaceVariant::Spaced) ==
        TokenIds{tokenizer.id(", joy"), tokenizer.id(" anger")});
}

TEST_CASE("A tokenizer that keeps spaces apart has one token for both variants", "[unit]") {
  const ListTokenizer tokenizer({"joy"});
  const std::vector<std::string> names = {"joy"};
  const LabelTokens found = find_label_tokens(tokenizer, names, contexts(names, "Answer: ", "\n"),
                                              {}, LabelVariants::Both);
  CHECK(found.first_tokens[0] == found.first_tokens[1]);
  CHECK(found.watched() == TokenIds{tokenizer.id("joy")});
}

TEST_CASE("Watches every variant's token once, in ascending order", "[unit]") {
  const ListTokenizer tokenizer({" dis", "dis", "joy", " joy"});
  const std::vector<std::string> names = {"joy", "disgust", "disapproval"};
  const LabelTokens found =
      find_label_tokens(tokenizer, names, contexts(names, "\n", "\n"), {}, LabelVariants::Both);
  CHECK(found.watched() == TokenIds{0, 1, 2, 3});
}

TEST_CASE("Reports labels that share a first token and one-letter first tokens", "[unit]") {
  const ListTokenizer tokenizer({" dis", "dis", "joy", "f", "trust"});
  const std::vector<std::string> names = {"joy", "disgust", "disapproval", "fear", "trust"};
  const LabelTokens found =
      find_label_tokens(tokenizer, names, contexts(names, "\n", "\n"), {}, LabelVariants::Both);
  const std::vector<std::string> problems = describe_problems(found, tokenizer);
  REQUIRE(problems.size() == 2);
  CHECK_THAT(problems[0],
             ContainsSubstring("disgust, disapproval begin with the same token 'dis'"));
  CHECK_THAT(problems[1], ContainsSubstring("fear begins with the single letter 'f'"));
}

TEST_CASE("Names the label variant modes it knows", "[unit]") {
  CHECK(parse_label_variants("strict") == LabelVariants::Strict);
  CHECK_THROWS_AS(parse_label_variants("strickt"), ConfigError);
  try {
    parse_label_variants("strickt");
  } catch (const ConfigError& error) {
    CHECK_THAT(error.what(), ContainsSubstring("did you mean 'strict'?"));
  }
}

}  // namespace
}  // namespace labelprobe::readout
