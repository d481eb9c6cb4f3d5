#include "labelprobe/readout/answer.h"

#include "support/catch.h"

namespace labelprobe::readout {
namespace {

const LabelSet kEmotions({"joy", "admiration", "anger"}, LabelKind::MultiLabel);
const LabelSet kHate({"hate", "normal", "offensive"}, LabelKind::SingleLabel);
const LabelFormat kList;
const LabelFormat kJson{LabelFormat::Kind::Json, "label"};
const LabelFormat kPolysyndeton{LabelFormat::Kind::Polysyndeton, "label"};

Prediction read_labels(std::string_view outs,
                       const LabelFormat& format,
                       const LabelSet& set,
                       Parser parser = Parser::Words) {
  return predict_labels(outs, {.label_format = format, .stop = "", .parser = parser}, set);
}

Labels labels_of(std::string_view outs,
                 const LabelFormat& format,
                 const LabelSet& set,
                 Parser parser = Parser::Words) {
  return read_labels(outs, format, set, parser).labels;
}

Labels word_of(std::string_view outs, const LabelFormat& format, const LabelSet& words) {
  return predict_word(outs, {.label_format = format, .stop = ""}, words).labels;
}

TEST_CASE("Cuts the answer at the first stop string and strips both parts", "[unit]") {
  const AnswerRule rule{kJson, "Input:", std::nullopt};
  const Answer answer = split_answer("\n{\"label\": [\"joy\"]}\nInput: more\nInput:", rule);
  CHECK(answer.outs == R"({"label": ["joy"]})");
  CHECK(answer.residual_outs == "Input: more\nInput:");
  CHECK_FALSE(answer.prefix_outs.has_value());
}

TEST_CASE("Without the stop string the whole text is the answer", "[unit]") {
  const Answer answer = split_answer("  joy, anger \n", {kList, "Input:", std::nullopt});
  CHECK(answer.outs == "joy, anger");
  CHECK(answer.residual_outs.empty());
  CHECK(split_answer("Input: joy", {kList, "", std::nullopt}).outs == "Input: joy");
}

TEST_CASE("A chain of thought ends at its marker, and without one everything is prefix", "[unit]") {
  const AnswerRule rule{kList, "Input:", "Label:"};
  const Answer found = split_answer("because so.\nLabel: joy\nInput:", rule);
  CHECK(found.prefix_outs == std::optional<std::string>("because so.\n"));
  CHECK(found.outs == "Label: joy");
  const Answer missing = split_answer("because so", rule);
  CHECK(missing.prefix_outs == std::optional<std::string>("because so"));
  CHECK(missing.outs.empty());
}

TEST_CASE("Reads predictions as the label format writes them", "[unit]") {
  struct Row {
    const char* outs;
    LabelFormat format;
    Labels expected;
  };
  const std::vector<Row> rows = {
      {"joy, anger", kList, {0, 2}},
      {"Anger,JOY , joy", kList, {0, 2}},
      {"none", kList, {}},
      {"", kList, {}},
      // One unknown item: every label that stands in the answer as a word counts.
      {"joyful, hanger", kList, {}},
      {"pure joy and (anger)", kList, {0, 2}},
      {"happiness", kList, {}},
      {R"(Sure: {"label": ["admiration", "joy"]} ok)", kJson, {0, 1}},
      {R"({"label": ["none"]})", kJson, {}},
      {R"({"label": "anger"})", kJson, {2}},
      {R"({"label": ["joy", "admi)", kJson, {0}},
      {R"({"labels": ["joy"]})", kJson, {0}},
      {R"({"label": [1, "joy"]})", kJson, {0}},
      {"the joy and the anger", kPolysyndeton, {0, 2}},
      {"anger and the joy", kPolysyndeton, {0, 2}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.outs);
    CHECK(labels_of(row.outs, row.format, kEmotions) == row.expected);
  }
}

TEST_CASE("A single-label prediction is the first class named, class 0 if none is", "[unit]") {
  CHECK(labels_of("normal", kList, kHate) == Labels{1});
  CHECK(labels_of("offensive, normal", kList, kHate) == Labels{1});
  CHECK(labels_of("no idea", kList, kHate) == Labels{0});
  CHECK(labels_of(R"({"label": "offensive"})", kJson, kHate) == Labels{2});
}

TEST_CASE("Labels are searched for as whole words, and inside words as published", "[unit]") {
  const LabelSet letters({"a", "b", "c"}, LabelKind::SingleLabel);
  struct Row {
    const char* outs;
    Labels words;
    record::AnswerSource source;
  };
  for (const Row& row : {Row{"C", {2}, record::AnswerSource::Listed},
                         Row{"C. Paris", {2}, record::AnswerSource::Searched},
                         Row{"The answer is C", {2}, record::AnswerSource::Searched},
                         Row{"None of the above", {0}, record::AnswerSource::Nothing},
                         Row{"", {0}, record::AnswerSource::Nothing}}) {
    CAPTURE(row.outs);
    const Prediction read = read_labels(row.outs, kList, letters);
    CHECK(read.labels == row.words);
    CHECK(read.source == row.source);
  }
  for (const char* outs : {"C. Paris", "The answer is C", "None of the above"}) {
    CHECK(labels_of(outs, kList, letters, Parser::Published) == Labels{0});
  }
  CHECK(labels_of("joyful, hanger", kList, kEmotions, Parser::Published) == Labels{0, 2});
  CHECK(read_labels("no idea", kList, kEmotions).source == record::AnswerSource::Nothing);
  CHECK(read_labels("none", kList, kEmotions).source == record::AnswerSource::Listed);
  CHECK(parse_parser("published") == Parser::Published);
}

TEST_CASE("Names are compared without regard to case and to how accents are put together",
          "[unit]") {
  const LabelSet german({"Ärger", "Überraschung", "spaß", "very happy"}, LabelKind::MultiLabel);
  CHECK(labels_of("ÄRGER, überraschung", kList, german) == Labels{0, 1});
  CHECK(labels_of("A\xCC\x88rger", kList, german) == Labels{0});  // A and a combining diaeresis
  CHECK(labels_of("SPASS, Very Happy", kList, german) == Labels{2, 3});
  CHECK(labels_of("eine „Überraschung“!", kList, german) == Labels{1});
  CHECK(labels_of("Verärgerung", kList, german).empty());
  CHECK(labels_of(R"({"label": ["\u00dcberraschung"]})", kJson, german) == Labels{1});
  // Cut off, so that no parser of JSON takes it; the second is an emoji of two code units.
  CHECK(labels_of(R"({"label": ["\u00dcberraschung", "tra)", kJson, german) == Labels{1});
  const LabelSet emoji({"😀", "b"}, LabelKind::MultiLabel);
  CHECK(labels_of(R"({"label": ["\ud83d\ude00", "tra)", kJson, emoji) == Labels{0});
  CHECK(labels_of(R"({"label": ["\ud83d", "\u12", "b)", kJson, emoji) == Labels{1});
  const LabelSet chinese({"喜悦", "愤怒"}, LabelKind::MultiLabel);
  CHECK(labels_of("我觉得是喜悦。", kList, chinese) == Labels{0});
}

TEST_CASE("A label inside a longer label's name is not named", "[unit]") {
  const LabelSet pair({"reasonable", "unreasonable"}, LabelKind::SingleLabel);
  CHECK(labels_of("Unreasonable.", kList, pair) == Labels{1});
  CHECK(labels_of("this is reasonable", kList, pair) == Labels{0});
  const LabelSet raw({"approval", "disapproval", "joy"}, LabelKind::MultiLabel);
  CHECK(labels_of("some disapproval", kList, raw) == Labels{1});
  CHECK(labels_of("some disapproval and approval", kList, raw) == Labels{0, 1});
}

TEST_CASE("Reads the word of a pair prompt's answer", "[unit]") {
  const LabelSet pair({"reasonable", "unreasonable"}, LabelKind::SingleLabel);
  const LabelSet yes_no({"yes", "no"}, LabelKind::SingleLabel);
  struct Row {
    const char* outs;
    const LabelSet& words;
    Labels expected;
  };
  const std::vector<Row> rows = {
      {"reasonable", pair, {0}},
      {"unreasonable", pair, {1}},
      {"Unreasonable.", pair, {1}},
      {"unreasonable, not reasonable", pair, {1}},
      {"It is reasonable, not unreasonable", pair, {0}},
      {"sound", pair, {}},
      {"", pair, {}},
      {"No", yes_no, {1}},
      {"no, though yes is possible", yes_no, {1}},
      {"I know: yes!", yes_no, {0}},
      {"not sure", yes_no, {}},
      {"eyes", yes_no, {}},
      {"\xC3\xA9yes", yes_no, {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.outs);
    CHECK(word_of(row.outs, kList, row.words) == row.expected);
  }
  CHECK(word_of(R"({"label": "unreasonable"})", kJson, pair) == Labels{1});
  CHECK(word_of(R"({"label": ["no"]})", kJson, yes_no) == Labels{1});
  CHECK(word_of("the no", kPolysyndeton, yes_no) == Labels{1});
}

TEST_CASE("An answer nested without end is no JSON answer", "[unit]") {
  const std::string deep = "{\"label\": " + std::string(100000, '[') + "}";
  CHECK_FALSE(parse_items(deep, kJson).has_value());
}

}  // namespace
}  // namespace labelprobe::readout
