// What readouts keep beside a probability for each label: slots, matrices, drawn answers.

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "readout/answers/toy_model.h"
#include "support/catch.h"
#include "support/errors.h"

namespace labelprobe::readout {
namespace {

using support::ListTokenizer;
using Values = std::vector<record::ReadoutValues>;

TEST_CASE("A matrix of labels needs several, and not too many", "[unit]") {
  Emotions one_label;
  one_label.format.separators = {};
  CHECK(support::message_of<ConfigError>([&] { one_label.read("forced_matrix"); }) ==
        "forced_matrix: these answers have one label; no other follows it");
  std::vector<std::string> names;
  for (int i = 0; i < 129; ++i) names.push_back(fmt::format("label{:03}", i));
  Emotions many(names);
  CHECK_THAT(support::message_of<ConfigError>([&] { many.read("forced_matrix"); }),
             ContainsSubstring("129 labels would make a matrix of 16641 numbers"));
}

TEST_CASE("A label that the model would hardly write has its row all the same", "[unit]") {
  Emotions emotions;
  emotions.options.slot_normalisation = record::Normalisation::Vocab;
  emotions.options.tokenisation = GENERATE(Tokenisation::Any, Tokenisation::Canonical);
  emotions.table[""] = {{"joy", 1.0}};
  emotions.table["anger"] = {{", ", .25}, {"\n\n", .75}};
  emotions.table["anger, "] = {{"joy", .5}, {"fear", .5}};
  emotions.model = model_of(emotions.tokenizer, emotions.table, "\n\n");
  const record::ReadoutValues values = emotions.read("forced_matrix");
  REQUIRE(values.forced.size() == 3);
  CHECK(values.forced[2].seen == std::vector<std::string>{"anger"});
  CHECK(at(values.forced[2].probs, "joy") == Approx(.125));
  CHECK(at(values.forced[2].probs, "anger") == Approx(0.0).margin(1e-9));
  CHECK(*values.forced[2].ends == Approx(.75));
}

TEST_CASE("Slots at which labels share a token have no first tokens", "[unit]") {
  Emotions emotions;
  emotions.tokenizer =
      ListTokenizer({"~a", "~b", "joy", "fear", "anger", ", ", "\n\n", "none", "<end>", ", fear"});
  emotions.model = model_of(emotions.tokenizer,
                            {{"", {{"joy", 1.0}}}, {"joy", {{", fear", .9}, {", ", .1}}}}, "\n\n");
  CHECK(emotions.read("first_token").slots.size() == 1);
  const record::ReadoutValues trie = emotions.read("slot_trie");
  REQUIRE(trie.slots.size() == 2);
  CHECK(at(trie.slots[1].probs, "fear") == Approx(.9));
}

TEST_CASE("Drawn answers are kept with how often each was drawn", "[unit]") {
  Emotions emotions;
  emotions.options.n_samples = 1000;
  const Values both = emotions.read_several({"mc", "mc_rb"});
  const std::vector<record::DrawnAnswer>& drawn = both[0].drawn;
  CHECK(both[1].drawn == drawn);
  // By the table.
  const std::map<std::string, double> expected = {{"joy", .5 * .4},
                                                  {" joy", .05},
                                                  {"fear", .2 * .9},
                                                  {"anger", .1 * .8},
                                                  {"none", .1},
                                                  {"joy, fear", .5 * .6 * .4},
                                                  {"joy, anger", .5 * .6 * .3},
                                                  {"fear, joy", .2 * .1 * .5},
                                                  {"fear, fear", .2 * .1 * .5}};
  std::int64_t n_closed = 0;
  std::int64_t n_off = 0;
  for (const record::DrawnAnswer& answer : drawn) {
    INFO(answer.text);
    if (answer.end == record::DrawEnd::OffFormat) {
      n_off += answer.n;
      continue;
    }
    n_closed += answer.n;
    REQUIRE(expected.contains(answer.text));
    CHECK(static_cast<double>(answer.n) == Approx(1000 * expected.at(answer.text)).margin(60));
  }
  CHECK(n_closed + n_off == 1000);
  CHECK(*both[0].off_format == Approx(static_cast<double>(n_off) / 1000));
  CHECK(std::is_sorted(drawn.begin(), drawn.end(),
                       [](const auto& a, const auto& b) { return a.n > b.n; }));
  emotions.options.max_new_tokens = 1;
  for (const record::DrawnAnswer& answer : emotions.read("mc").drawn) {
    INFO(answer.text);
    CHECK((answer.end == record::DrawEnd::Cut) == (answer.text != "none" && !answer.text.empty()));
  }
}

}  // namespace
}  // namespace labelprobe::readout
