#include "labelprobe/readout/answer.h"

#include "support/catch.h"

namespace labelprobe::readout {
namespace {

const LabelSet kEmotions({"joy", "admiration", "anger"}, LabelKind::MultiLabel);
const LabelSet kHate({"hate", "normal", "offensive"}, LabelKind::SingleLabel);
const LabelFormat kList;
const LabelFormat kJson{LabelFormat::Kind::Json, "label"};
const LabelFormat kPolysyndeton{LabelFormat::Kind::Polysyndeton, "label"};

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
      // One unknown item: every label anywhere in the answer counts, as published.
      {"joyful, hanger", kList, {0, 2}},
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
    CHECK(predict_labels(row.outs, row.format, kEmotions) == row.expected);
  }
}

TEST_CASE("A single-label prediction is the first class named, class 0 if none is", "[unit]") {
  CHECK(predict_labels("normal", kList, kHate) == Labels{1});
  CHECK(predict_labels("offensive, normal", kList, kHate) == Labels{1});
  CHECK(predict_labels("no idea", kList, kHate) == Labels{0});
  CHECK(predict_labels(R"({"label": "offensive"})", kJson, kHate) == Labels{2});
}

TEST_CASE("A label inside a longer label's name is not named", "[unit]") {
  const LabelSet pair({"reasonable", "unreasonable"}, LabelKind::SingleLabel);
  CHECK(predict_labels("Unreasonable.", kList, pair) == Labels{1});
  CHECK(predict_labels("this is reasonable", kList, pair) == Labels{0});
  const LabelSet raw({"approval", "disapproval", "joy"}, LabelKind::MultiLabel);
  CHECK(predict_labels("some disapproval", kList, raw) == Labels{1});
  CHECK(predict_labels("some disapproval and approval", kList, raw) == Labels{0, 1});
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
    CHECK(predict_word(row.outs, kList, row.words) == row.expected);
  }
  CHECK(predict_word(R"({"label": "unreasonable"})", kJson, pair) == Labels{1});
  CHECK(predict_word(R"({"label": ["no"]})", kJson, yes_no) == Labels{1});
  CHECK(predict_word("the no", kPolysyndeton, yes_no) == Labels{1});
}

TEST_CASE("An answer nested without end is no JSON answer", "[unit]") {
  const std::string deep = "{\"label\": " + std::string(100000, '[') + "}";
  CHECK_FALSE(parse_items(deep, kJson).has_value());
}

}  // namespace
}  // namespace labelprobe::readout
