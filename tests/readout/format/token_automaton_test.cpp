#include "readout/format/token_automaton.h"

#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/list_tokenizer.h"
#include "support/paths.h"

namespace labelprobe::readout {
namespace {

using support::ListTokenizer;

const TokenGroup* group_of(TokenAutomaton& automaton, int state, TokenId token) {
  for (const TokenGroup& group : automaton.groups(state)) {
    for (const TokenId id : group.tokens) {
      if (id == token) return &group;
    }
  }
  return nullptr;
}

// What the tokens tell one after the other, as "0 1 ." with "!" where one is not allowed.
std::string told_by(TokenAutomaton& automaton, const TokenIds& tokens) {
  std::string all;
  int state = ByteAutomaton::kStart;
  for (const TokenId token : tokens) {
    const TokenGroup* group =
        ByteAutomaton::is_closed(state) ? nullptr : group_of(automaton, state, token);
    if (group == nullptr) return all + "!";
    for (std::size_t i = 0; i < group->told.labels.size(); ++i) {
      all += fmt::format("{}@{} ", group->told.labels[i], group->label_ends[i]);
    }
    if (group->told.close == Close::Listed) all += ".";
    if (group->told.close == Close::Empty) all += "empty";
    state = group->state;
  }
  return all;
}

AnswerFormat json_of(const std::vector<std::string>& names) {
  return format_of(LabelFormat{LabelFormat::Kind::Json, "label", true},
                   LabelSet(names, LabelKind::MultiLabel));
}

TEST_CASE("Tokens that end a label, pass the separator and begin the next are allowed", "[unit]") {
  const ListTokenizer tokenizer({"{\"label\": [\"", "joy", "\",", " \"", "y\", \"f", "ear", "\"]}",
                                 "\"]}\n\n", "jo", "nonetheless", "{\"label\": []", "}"});
  TokenAutomaton automaton(json_of({"joy", "fear"}), tokenizer, {});
  const auto ids = [&](const std::vector<std::string>& tokens) {
    TokenIds found;
    for (const std::string& token : tokens) found.push_back(tokenizer.id(token));
    return found;
  };
  CHECK(told_by(automaton, ids({"{\"label\": [\"", "joy", "\",", " \"", "f", "ear", "\"]}"})) ==
        "0@3 1@3 .");
  CHECK(told_by(automaton, ids({"{\"label\": [\"", "jo", "y\", \"f", "ear", "\"]}\n\n"})) ==
        "0@1 1@3 .");
  CHECK(told_by(automaton, ids({"{\"label\": []", "}"})) == "empty");
  CHECK(told_by(automaton, ids({"{\"label\": [\"", "nonetheless"})) == "!");
}

TEST_CASE("End of text closes where a closer may stand, and only there", "[unit]") {
  const ListTokenizer tokenizer({"unsafe", "\n", "S", "1", "0", ",S", "safe", "<end>"});
  const TokenId end = tokenizer.id("<end>");
  const std::vector<std::string> codes = {"S1", "S10"};
  TokenAutomaton automaton(hazard_format(codes), tokenizer, {end});
  const auto told = [&](const std::string& text) {
    return told_by(automaton, tokenizer.encode(text, tokenizer::SpecialTokens::Omit));
  };
  CHECK(told("unsafe\nS1,S10<end>") == "0@1 1@0 .");
  CHECK(told("unsafe\nS1<end>") == "0@0 .");
  CHECK(told("unsafe\n<end>") == "!");
  CHECK(told("safe") == "empty");
  CHECK(automaton.is_end(end));
}

TEST_CASE("Tokens that do the same are one group, by first token", "[unit]") {
  const ListTokenizer tokenizer({"\n\n", "a", "\n", "\nb", ",", ", "});
  AnswerFormat format;
  format.labels = {{"a", {"a"}}};
  format.separators = {",", ", "};
  format.closers = {"\n"};
  TokenAutomaton automaton(format, tokenizer, {});
  const int after = group_of(automaton, ByteAutomaton::kStart, tokenizer.id("a"))->state;
  const std::vector<TokenGroup>& groups = automaton.groups(after);
  REQUIRE(groups.size() == 3);
  CHECK(groups[0].tokens == TokenIds{0, 2, 3, 6 + '\n'});  // the byte by itself is a token too
  CHECK(groups[0].told.close == Close::Listed);
  CHECK(groups[1].tokens == TokenIds{4, 6 + ','});
  CHECK(groups[2].tokens == TokenIds{5});
}

TEST_CASE("Answers are read in the tokens of real tokenizers", "[golden]") {
  const std::vector<std::string> emotions = {"joy",      "optimism", "admiration",
                                             "surprise", "fear",     "sadness",
                                             "anger",    "disgust",  "disapproval"};
  const std::vector<std::string> codes = {"S1", "S3", "S10"};
  for (const char* name : {"llama3-hf", "llama2"}) {
    const auto folder = support::shared(fmt::format("tokenizers/{}", name));
    if (!std::filesystem::exists(folder)) SKIP_ALOUD("no tokenizers in ../shared");
    const auto tokenizer = tokenizer::load(folder);
    INFO(name);
    TokenAutomaton json(json_of(emotions), *tokenizer, {});
    const auto told = [&](TokenAutomaton& automaton, const std::string& text) {
      // Behind a line break, so that no tokenizer puts a space of its own before the answer.
      const tokenizer::Encoding whole =
          tokenizer->encode_with_offsets("x\n" + text, tokenizer::SpecialTokens::Omit);
      TokenIds answer;
      for (std::size_t i = 0; i < whole.ids.size(); ++i) {
        if (whole.begins[i] >= 2) answer.push_back(whole.ids[i]);
      }
      return told_by(automaton, answer);
    };
    CHECK_THAT(told(json, R"({"label": ["joy", "disapproval"]})"), ContainsSubstring("8@"));
    CHECK(told(json, R"({"label": []})") == "empty");
    CHECK(told(json, R"({"label": ["none"]})") == "empty");
    CHECK(told(json, R"({"label": ["love"]})") == "!");
    TokenAutomaton hazard(hazard_format(codes), *tokenizer, {});
    CHECK_THAT(told(hazard, "unsafe\nS1,S10\n"), ContainsSubstring("0@1 2@"));
    CHECK_THAT(told(hazard, "unsafe\nS1, S3\n"), ContainsSubstring("0@1 1@"));
  }
}

}  // namespace
}  // namespace labelprobe::readout
