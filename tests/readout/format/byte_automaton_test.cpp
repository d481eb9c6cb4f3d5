#include "readout/format/byte_automaton.h"

#include <fmt/format.h>

#include "support/catch.h"

namespace labelprobe::readout {
namespace {

AnswerFormat list_of(const std::vector<std::string>& names, Completion completion) {
  AnswerFormat format;
  for (const std::string& name : names) format.labels.push_back({name, {name}});
  format.openers = {"", " "};
  format.separators = {",", ", "};
  format.closers = {"\n"};
  format.empties = {"none", " none"};
  format.completion = completion;
  check(format);
  return format;
}

// The text with what each byte tells behind it: "<0>" a label, "<>" the empty answer, "<.>" the
// end of a list, "!" where the format is left; "$" stands for end of text.
std::string traced(const AnswerFormat& format, const std::string& text) {
  ByteAutomaton automaton(format);
  int state = ByteAutomaton::kStart;
  std::string trace;
  const auto tell = [&](const Told& told) {
    for (const LabelIndex label : told.labels) trace += fmt::format("<{}>", label);
    if (told.close == Close::Listed) trace += "<.>";
    if (told.close == Close::Empty) trace += "<>";
  };
  for (const char c : text) {
    if (c == '$') {
      const Told told = automaton.at_end(state);
      tell(told);
      if (told.close == Close::No) trace += "!";
      return trace;
    }
    const ByteAutomaton::Step step = automaton.step(state, static_cast<unsigned char>(c));
    if (step.state == ByteAutomaton::kDead) return trace + "!";
    trace += c;
    tell(automaton.told(step.told));
    state = step.state;
  }
  return trace;
}

TEST_CASE("Labels are told as they are finished, and the end once", "[unit]") {
  const AnswerFormat eager = list_of({"joy", "fear"}, Completion::Eager);
  CHECK(traced(eager, "joy, fear\n") == "joy<0>, fear<1>\n<.>");
  CHECK(traced(eager, " joy,fear,joy\n") == " joy<0>,fear<1>,joy<0>\n<.>");
  CHECK(traced(eager, "joy$") == "joy<0><.>");
  CHECK(traced(eager, "jo$") == "jo!");
  CHECK(traced(eager, "joyful\n") == "joy<0>!");
  CHECK(traced(eager, "joy, none\n") == "joy<0>, !");
  CHECK(traced(eager, "$") == "!");
  CHECK(traced(eager, "  joy") == " !");
  CHECK(traced(eager, "joy\nand so on") == "joy<0>\n<.>and so on");
  const AnswerFormat lookahead = list_of({"joy", "fear"}, Completion::Lookahead);
  CHECK(traced(lookahead, "joy, fear\n") == "joy,<0> fear\n<1><.>");
  CHECK(traced(lookahead, "joy$") == "joy<0><.>");
  CHECK(traced(lookahead, "joyful\n") == "joy!");
}

TEST_CASE("An empty answer ends at its last byte, but not inside a word", "[unit]") {
  const AnswerFormat format = list_of({"joy", "fear"}, Completion::Eager);
  CHECK(traced(format, "none") == "none<>");
  CHECK(traced(format, " none\n\n") == " none<>\n\n");
  CHECK(traced(format, "nonetheless") == "none<>!");
  // Where a label begins like it, what follows decides.
  const AnswerFormat longer = list_of({"nonesuch", "fear"}, Completion::Eager);
  CHECK(traced(longer, "nonesuch\n") == "nonesuch<0>\n<.>");
  CHECK(traced(longer, "none\n") == "none\n<>");
  CHECK(traced(longer, "none$") == "none<>");
}

TEST_CASE("Labels that begin with another one are told apart by lookahead only", "[unit]") {
  const AnswerFormat eager = list_of({"S1", "S10"}, Completion::Eager);
  CHECK(traced(eager, "S10,S1\n") == "S1<0>0<1>,S1<0>\n<.>");
  const AnswerFormat lookahead = list_of({"S1", "S10"}, Completion::Lookahead);
  CHECK(traced(lookahead, "S10,S1\n") == "S10,<1>S1\n<0><.>");
  CHECK(traced(lookahead, "S1$") == "S1<0><.>");
}

TEST_CASE("A label with a separator in it is told once the readings agree", "[unit]") {
  const AnswerFormat format = list_of({"rock", "roll", "rock, and roll"}, Completion::Lookahead);
  CHECK(traced(format, "rock, roll\n") == "rock, r<0>oll\n<1><.>");
  CHECK(traced(format, "rock, and roll, roll\n") == "rock, and roll,<2> roll\n<1><.>");
  // Read both ways, the longer label counts, whatever the order of the labels.
  const AnswerFormat both = list_of({"rock", "roll", "rock, roll"}, Completion::Lookahead);
  CHECK(traced(both, "rock, roll\n") == "rock, roll\n<2><.>");
  CHECK(traced(both, "rock, roll$") == "rock, roll<2><.>");
  CHECK(traced(both, "rock, roll, rock\n") == "rock, roll,<2> rock\n<0><.>");
  CHECK(traced(both, "rock,roll\n") == "rock,r<0>oll\n<1><.>");
  const AnswerFormat turned = list_of({"rock, roll", "roll", "rock"}, Completion::Lookahead);
  CHECK(traced(turned, "rock, roll\n") == "rock, roll\n<0><.>");
  CHECK(traced(turned, "rock, roll$") == "rock, roll<0><.>");
  CHECK(traced(turned, "rock, roll, rock\n") == "rock, roll,<0> rock\n<2><.>");
}

TEST_CASE("Several spellings are one label", "[unit]") {
  AnswerFormat format = list_of({"joy", "fear"}, Completion::Eager);
  format.labels[0].spellings.push_back("glee");
  CHECK(traced(format, "fear, glee\n") == "fear<1>, glee<0>\n<.>");
}

TEST_CASE("Without separators an answer has one label", "[unit]") {
  AnswerFormat format = list_of({"joy", "fear"}, Completion::Eager);
  format.separators.clear();
  CHECK(traced(format, "fear\n") == "fear<1>\n<.>");
  CHECK(traced(format, "fear,") == "fear<1>!");
}

TEST_CASE("Hazard verdicts are read with and without a blank line", "[unit]") {
  const std::vector<std::string> codes = {"S1", "S3", "S10"};
  const AnswerFormat format = hazard_format(codes);
  CHECK(traced(format, "safe") == "safe<>");
  CHECK(traced(format, "\n\nsafe") == "\n\nsafe<>");
  CHECK(traced(format, "unsafe\nS1,S10$") == "unsafe\nS1,<0>S10<2><.>");
  CHECK(traced(format, "\n\nunsafe\nS3, S1$") == "\n\nunsafe\nS3,<1> S1<0><.>");
  CHECK(traced(format, "unsafe$") == "unsafe!");
}

TEST_CASE("JSON lists and their two empty forms are read", "[unit]") {
  const LabelSet label_set({"joy", "fear"}, LabelKind::MultiLabel);
  const AnswerFormat format = format_of(LabelFormat::parse("json"), label_set);
  CHECK(traced(format, R"({"label": ["joy", "fear"]})") ==
        R"({"label": ["joy<0>", "fear<1>"]}<.>)");
  CHECK(traced(format, R"( {"label": []})") == R"( {"label": []}<>)");
  CHECK(traced(format, R"({"label": ["none"]})") == R"({"label": ["none"]}<>)");
  CHECK(traced(format, R"({"label": ["joy", "none"]})") == R"({"label": ["joy<0>", "!)");
}

TEST_CASE("A state knows which labels may come next", "[unit]") {
  ByteAutomaton automaton(list_of({"joy", "fear", "feast"}, Completion::Eager));
  const auto after = [&](const std::string& text) {
    int state = ByteAutomaton::kStart;
    for (const char c : text) state = automaton.step(state, static_cast<unsigned char>(c)).state;
    return automaton.outlook(state);
  };
  CHECK(after("").is_any);
  CHECK_FALSE(after("").must_list);
  CHECK(after("").starts_label);
  CHECK(after("fea").labels == std::vector<LabelIndex>{1, 2});
  CHECK(after("fea").must_list);
  CHECK(after("joy").is_any);
  CHECK_FALSE(after("joy").must_list);
  CHECK(after("joy,").is_any);
  CHECK(after("joy,").must_list);
  CHECK(after("no").is_nothing());
  CHECK(after("joy\n").is_nothing());
}

}  // namespace
}  // namespace labelprobe::readout
