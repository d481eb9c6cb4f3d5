// Readouts of answers in formats of several kinds.

#include <cmath>
#include <numeric>

#include "readout/answers/toy_model.h"
#include "support/catch.h"

namespace labelprobe::readout {
namespace {

using support::ListTokenizer;

TEST_CASE("An answer longer than the budget is unexplored, not off format", "[unit]") {
  const ListTokenizer tokenizer({"~a", "joy", ", ", "\n\n"});
  support::FakeModel model =
      model_of(tokenizer, {{"", {{"joy", 1.0}}}, {"joy", {{", ", .75}, {"\n\n", .25}}}}, "joy");
  AnswerFormat format;
  format.labels = {{"joy", {"joy"}}};
  format.separators = {", "};
  format.closers = {"\n"};
  ReadoutOptions options;
  options.max_new_tokens = 3;
  options.delta = 0.0;
  const record::ReadoutValues values =
      read_one(model, format, tokenizer, {}, "marginal_complete", options);
  CHECK(*values.unexplored == Approx(.75));
  CHECK(*values.off_format == Approx(0.0).margin(1e-6));
  CHECK(at(values.lower, "joy") == Approx(.25));
  CHECK(at(values.upper, "joy") == Approx(1.0));
}

TEST_CASE("An empty JSON list is read before the first slot", "[unit]") {
  const ListTokenizer tokenizer({"{\"label\":", " [\"", " []", "}", "joy", "fear", "\"]}"});
  support::FakeModel model = model_of(tokenizer,
                                      {{"", {{"{\"label\":", 1.0}}},
                                       {"{\"label\":", {{" []", .7}, {" [\"", .3}}},
                                       {"{\"label\": []", {{"}", 1.0}}},
                                       {"{\"label\": [\"", {{"joy", .6}, {"fear", .4}}}},
                                      "\"]}");
  const LabelSet label_set({"joy", "fear"}, LabelKind::MultiLabel);
  const AnswerFormat format = format_of(LabelFormat::parse("json"), label_set);
  const record::ReadoutValues slot = read_one(model, format, tokenizer, {}, "slot_trie");
  CHECK(*slot.empty == Approx(.7));
  CHECK(at(slot.probs, "joy") == Approx(.18));
  CHECK(*slot.label_mass == Approx(1.0));
  const record::ReadoutValues exact = read_one(model, format, tokenizer, {}, "marginal_exact");
  CHECK(*exact.empty == Approx(.7));
  CHECK(at(exact.probs, "fear") == Approx(.12));
}

TEST_CASE("Hazard codes: the published estimators count the verdict, a forced one does not",
          "[unit]") {
  const ListTokenizer tokenizer({"unsafe", "\n", "S", "1", "3", ",S", "safe", "<end>"});
  support::FakeModel model = model_of(tokenizer,
                                      {{"", {{"unsafe", .8}, {"safe", .2}}},
                                       {"unsafe", {{"\n", 1.0}}},
                                       {"unsafe\n", {{"S", 1.0}}},
                                       {"unsafe\nS", {{"1", .75}, {"3", .25}}},
                                       {"unsafe\nS1", {{",S", .6}, {"<end>", .4}}},
                                       {"unsafe\nS1,S", {{"3", 1.0}}}},
                                      "<end>");
  const std::vector<std::string> codes = {"S1", "S3"};
  const AnswerFormat format = hazard_format(codes);
  const TokenIds end = {tokenizer.id("<end>")};
  ReadoutOptions options;
  const record::ReadoutValues fixed = read_one(model, format, tokenizer, end, "marginal_fixed");
  CHECK(at(fixed.probs, "S1") == Approx(.8 * .75));
  CHECK(at(fixed.probs, "S3") == Approx(.8 * .75));
  const record::ReadoutValues exact = read_one(model, format, tokenizer, end, "marginal_exact");
  CHECK(*exact.empty == Approx(.2));
  CHECK(at(exact.probs, "S3") == Approx(.8 * (.25 + .75 * .6)));
  options.forced_prefix = "unsafe\nS";
  record::ReadoutValues forced = read_one(model, format, tokenizer, end, "forced_prefix", options);
  CHECK(at(forced.probs, "S1") == Approx(.75));
  CHECK(forced.normalisation == record::Normalisation::LabelSet);
  options.slot_normalisation = record::Normalisation::Vocab;
  forced = read_one(model, format, tokenizer, end, "forced_prefix", options);
  CHECK(at(forced.probs, "S1") == Approx(.6));
}

TEST_CASE("A slot behind an unfinished label is reached through that label only", "[unit]") {
  const ListTokenizer tokenizer({"unsafe\n", "S", "1", "3", "0", ",S", "safe", "<end>"});
  support::FakeModel model = model_of(tokenizer,
                                      {{"", {{"unsafe\n", 1.0}}},
                                       {"unsafe\n", {{"S", 1.0}}},
                                       {"unsafe\nS", {{"1", .75}, {"3", .25}}},
                                       {"unsafe\nS1", {{",S", .6}, {"0", .3}, {"<end>", .1}}},
                                       {"unsafe\nS10", {{",S", 1.0}}},
                                       {"unsafe\nS10,S", {{"3", 1.0}}},
                                       {"unsafe\nS1,S", {{"3", .8}, {"1", .2}}}},
                                      "<end>");
  const std::vector<std::string> codes = {"S1", "S3", "S10"};
  const AnswerFormat format = hazard_format(codes);
  const record::ReadoutValues values =
      read_one(model, format, tokenizer, {tokenizer.id("<end>")}, "hazard_union");
  CHECK(at(values.probs, "S3") == Approx(1.0 - (1.0 - .25) * (1.0 - .6 * .8)));
  // S10 is the first slot's, not the second's.
  CHECK(at(values.probs, "S10") == Approx(.75 * .3));
}

TEST_CASE("Lengths are counted in tokens, characters or bytes", "[unit]") {
  const ListTokenizer tokenizer({"~a", "\xC3\xBC", "ber", "joy", "\n\n"});
  support::FakeModel model = model_of(
      tokenizer, {{"", {{"\xC3\xBC", .5}, {"joy", .5}}}, {"\xC3\xBC", {{"ber", .5}, {"joy", .5}}}},
      "\n\n");
  AnswerFormat format;
  format.labels = {{"ueber",
                    {"\xC3\xBC"
                     "ber"}},
                   {"joy", {"joy"}}};
  format.closers = {"\n"};
  const auto of = [&](LengthUnit unit) {
    ReadoutOptions options;
    options.length_unit = unit;
    return at(read_one(model, format, tokenizer, {}, "length_normalised", options).probs, "ueber");
  };
  CHECK(of(LengthUnit::Raw) == Approx(.25));
  CHECK(of(LengthUnit::Token) == Approx(.5));
  CHECK(of(LengthUnit::Character) == Approx(std::pow(.25, 1.0 / 4.0)));
  CHECK(of(LengthUnit::Byte) == Approx(std::pow(.25, 1.0 / 5.0)));
}

TEST_CASE("A thousand labels are no more work than their tokens", "[unit]") {
  std::vector<std::string> tokens = {"~a", ", ", "\n\n"};
  AnswerFormat format;
  for (int i = 0; i < 1000; ++i) {
    tokens.push_back("<" + std::to_string(i) + ">");
    format.labels.push_back({tokens.back(), {tokens.back()}});
  }
  format.separators = {", "};
  format.closers = {"\n"};
  const ListTokenizer tokenizer(tokens);
  std::map<std::string, double> first;
  for (int i = 0; i < 1000; ++i) first["<" + std::to_string(i) + ">"] = .001;
  support::FakeModel model = model_of(tokenizer, {{"", first}}, "\n\n");
  ReadoutOptions options;
  options.max_nodes = 3;
  const record::ReadoutValues values =
      read_one(model, format, tokenizer, {}, "marginal_exact", options);
  CHECK(values.probs.size() == 1000);
  CHECK(std::accumulate(values.lower.begin(), values.lower.end(), 0.0,
                        [](double sum, const auto& of) { return sum + of.second; }) == Approx(1.0));
  CHECK(values.sets.size() == 2);
}

}  // namespace
}  // namespace labelprobe::readout
