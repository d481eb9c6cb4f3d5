#include "labelprobe/readout/answer_format.h"

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/errors.h"

namespace labelprobe::readout {
namespace {

AnswerFormat list_of(const std::vector<std::string>& names) {
  AnswerFormat format;
  for (const std::string& name : names) format.labels.push_back({name, {name}});
  format.separators = {", "};
  format.closers = {"\n"};
  format.empties = {"none"};
  return format;
}

std::string problem_of(const AnswerFormat& format) {
  return support::message_of<ConfigError>([&] { check(format); });
}

TEST_CASE("A format in which answers can be told apart has no problems", "[unit]") {
  CHECK(check(list_of({"joy", "sadness"})).empty());
}

TEST_CASE("Labels that read alike are refused, be it in other letters", "[unit]") {
  CHECK(problem_of(list_of({"Joy", "joy "})) ==
        "the labels 'Joy' and 'joy ' read the same in answers: 'joy '");
  AnswerFormat format = list_of({"joy", "fear"});
  format.labels[1].spellings.push_back("JOY");
  CHECK_THAT(problem_of(format), ContainsSubstring("read the same"));
}

TEST_CASE("A label that reads like the empty answer is refused", "[unit]") {
  CHECK(problem_of(list_of({"joy", "None"})) ==
        "the label 'None' reads like the empty answer 'none': give the empty answer another text");
  AnswerFormat json = list_of({"joy", "none"});
  json.openers = {"[\""};
  json.closers = {"\"]"};
  json.empties = {"[\"none\"]"};
  CHECK_THAT(problem_of(json), ContainsSubstring("reads like the empty answer"));
}

TEST_CASE("Formats that never end, or end too early, are refused", "[unit]") {
  AnswerFormat format = list_of({"joy"});
  format.closers = {};
  CHECK(check(format).empty());
  format.closes_at_end_of_text = false;
  CHECK_THAT(problem_of(format), ContainsSubstring("never ends"));
  format = list_of({"joy"});
  format.closers = {","};
  CHECK_THAT(problem_of(format), ContainsSubstring("begins with the closer ','"));
  format = list_of({"st", "st. john"});
  format.closers = {"."};
  CHECK_THAT(problem_of(format), ContainsSubstring("would end inside it"));
  format = list_of({"joy"});
  format.max_labels = -1;
  CHECK_THAT(problem_of(format), ContainsSubstring("max_labels is -1"));
  CHECK_THAT(problem_of(list_of({})), ContainsSubstring("at least one label"));
  CHECK_THAT(problem_of(list_of({""})), ContainsSubstring("empty spelling"));
  format = list_of({"joy"});
  format.labels[0].spellings.clear();
  CHECK_THAT(problem_of(format), ContainsSubstring("no spelling"));
  format = list_of({"joy"});
  format.empties = {""};
  CHECK_THAT(problem_of(format), ContainsSubstring("has no text"));
  format = list_of({"joy"});
  format.separators = {""};
  CHECK_THAT(problem_of(format), ContainsSubstring("a separator"));
  format = list_of({"joy"});
  format.closers = {""};
  CHECK_THAT(problem_of(format), ContainsSubstring("a closer"));
  format = list_of({"joy"});
  format.openers = {};
  CHECK_THAT(problem_of(format), ContainsSubstring("needs an opener"));
}

TEST_CASE("A label that begins with another one is told with eager completion only", "[unit]") {
  AnswerFormat format = list_of({"catfish", "dog", "cat"});
  CHECK(check(format) ==
        std::vector<std::string>{
            "the label 'catfish' begins with the label 'cat': with eager completion its "
            "probability counts for both; lookahead tells them apart"});
  CHECK(completion_for(format.labels) == Completion::Lookahead);
  format.completion = Completion::Lookahead;
  CHECK(check(format).empty());
  CHECK(completion_for(list_of({"cat", "dog"}).labels) == Completion::Eager);
}

TEST_CASE("Formats of label sets pass their own check", "[unit]") {
  const LabelSet many({"joy", "sadness",
                       "\xC3\xBC"
                       "berraschung"},
                      LabelKind::MultiLabel);
  const LabelSet one({"a", "b"}, LabelKind::SingleLabel);
  for (const char* name : {"default", "json", "json-emotions", "json-unescaped", "polysyndeton"}) {
    for (const LabelSet& label_set : {many, one}) {
      const AnswerFormat format = format_of(LabelFormat::parse(name), label_set);
      INFO(name);
      CHECK(check(format).empty());
      CHECK(format.separators.empty() == !label_set.is_multilabel());
      CHECK(format.empties.empty() == !label_set.is_multilabel());
    }
  }
  const AnswerFormat json = format_of(LabelFormat::parse("json"), many);
  CHECK(json.openers.front() == "{\"label\": [\"");
  CHECK(json.labels[2].spellings == std::vector<std::string>{"\\u00fcberraschung",
                                                             "\xC3\xBC"
                                                             "berraschung"});
  const AnswerFormat unescaped = format_of(LabelFormat::parse("json-unescaped"), many);
  CHECK(unescaped.labels[2].spellings.front() ==
        "\xC3\xBC"
        "berraschung");
}

TEST_CASE("Hazard codes that begin with another code are told apart", "[unit]") {
  const std::vector<std::string> many = {"S1", "S2", "S10"};
  const std::vector<std::string> few = {"S1", "S2"};
  CHECK(check(hazard_format(many)).empty());
  CHECK(hazard_format(many).completion == Completion::Lookahead);
  CHECK(hazard_format(few).completion == Completion::Eager);
  CHECK(check(sentence_format("I feel ", " and ", many)).empty());
}

}  // namespace
}  // namespace labelprobe::readout
