// The worked examples of the methods beyond the paper's four, section 14: the numbers are its.

#include <array>
#include <optional>
#include <tuple>

#include "labelprobe/core/error.h"

#include "readout/answers/toy_model.h"
#include "support/catch.h"
#include "support/errors.h"

namespace labelprobe::readout {
namespace {

using support::ListTokenizer;

// The digits that the examples are printed with.
auto close_to(double number) {
  return Approx(number).margin(6e-7);
}

AnswerFormat format_of(const std::vector<std::string>& labels) {
  AnswerFormat format;
  for (const std::string& label : labels) format.labels.push_back({label, {label}});
  format.separators = {","};
  format.closers = {"."};
  return format;
}

class ExampleA {
 public:
  ExampleA() { format.empties = {"N"}; }

  record::ReadoutValues read(const std::string& name, const ReadoutOptions& options = {}) {
    return read_one(model, format, tokenizer, {tokenizer.id(".")}, name, options);
  }

  ListTokenizer tokenizer{{"A", "B", "N", ",", ".", "?"}};
  AnswerFormat format = format_of({"A", "B"});
  support::FakeModel model = model_of(tokenizer,
                                      {{"", {{"A", .58}, {"B", .28}, {"N", .10}, {"?", .04}}},
                                       {"A", {{",", .55}, {".", .45}}},
                                       {"A,", {{"B", .90}, {"A", .08}, {"?", .02}}},
                                       {"B", {{",", .20}, {".", .80}}},
                                       {"B,", {{"A", .75}, {"B", .20}, {"?", .05}}}},
                                      ".");
};

void check_probs(const record::ReadoutValues& values, double a, double b) {
  INFO(values.name);
  CHECK(at(values.probs, "A") == close_to(a));
  CHECK(at(values.probs, "B") == close_to(b));
}

void check_bounds(const record::ReadoutValues& values,
                  const std::array<double, 2>& a,
                  const std::array<double, 2>& b) {
  INFO(values.name);
  CHECK(at(values.lower, "A") == close_to(a[0]));
  CHECK(at(values.upper, "A") == close_to(a[1]));
  CHECK(at(values.lower, "B") == close_to(b[0]));
  CHECK(at(values.upper, "B") == close_to(b[1]));
}

TEST_CASE("Example A at the slots of the greedy answer", "[golden]") {
  ExampleA example;
  record::ReadoutValues values = example.read("first_token");
  check_probs(values, .604167, .291667);
  CHECK(*values.empty == close_to(.104167));
  CHECK(*values.label_mass == close_to(.96));
  CHECK(values.normalisation == record::Normalisation::LabelSet);

  values = example.read("slot_trie");
  check_probs(values, .58, .28);
  CHECK(*values.empty == close_to(.10));
  CHECK(*values.off_format == close_to(.04));
  CHECK(values.n_extra_tokens == 0);
  ReadoutOptions options;
  options.slot_normalisation = record::Normalisation::LabelSet;
  check_probs(example.read("slot_trie", options), .604167, .291667);

  values = example.read("hazard_union");
  check_probs(values, .58, .928);
}

void check_slot(const record::SlotValues& slot, double a, double b) {
  CHECK(at(slot.probs, "A") == close_to(a));
  CHECK(at(slot.probs, "B") == close_to(b));
}

TEST_CASE("Example A at each slot of the greedy answer", "[golden]") {
  ExampleA example;
  for (const char* name : {"slot_trie", "hazard_union"}) {
    const record::ReadoutValues values = example.read(name);
    REQUIRE(values.slots.size() == 2);
    const auto& [first, second] = std::tie(values.slots[0], values.slots[1]);
    check_slot(first, .58, .28);
    CHECK(first.number == 1);
    CHECK(first.index == 0);
    CHECK(first.seen.empty());
    CHECK(first.written == "A");
    CHECK(*first.empty == close_to(.10));
    CHECK(*first.label_mass == close_to(.96));
    CHECK(*first.unclaimed == close_to(.04));
    check_slot(second, .08, .90);
    CHECK(second.number == 2);
    CHECK(second.index == 2);
    CHECK(second.seen == std::vector<std::string>{"A"});
    CHECK(second.written == "B");
    CHECK_FALSE(second.empty);
    CHECK(*second.ends == close_to(0));
    CHECK(*second.unclaimed == close_to(.02));
    CHECK(values.n_extra_tokens == 0);
  }
  const record::ReadoutValues first_token = example.read("first_token");
  REQUIRE(first_token.slots.size() == 2);
  check_slot(first_token.slots[0], .604167, .291667);
  check_slot(first_token.slots[1], .081633, .918367);
  CHECK(*first_token.slots[1].label_mass == close_to(.98));
}

TEST_CASE("Example A behind each label", "[golden]") {
  ExampleA example;
  ReadoutOptions options;
  options.slot_normalisation = record::Normalisation::Vocab;
  record::ReadoutValues values = example.read("forced_matrix", options);
  check_probs(values, .58, .28);
  REQUIRE(values.forced.size() == 2);
  CHECK(values.forced[0].seen == std::vector<std::string>{"A"});
  check_slot(values.forced[0], .55 * .08, .55 * .90);
  CHECK(*values.forced[0].ends == close_to(.45));
  CHECK(*values.forced[0].unclaimed == close_to(.55 * .02));
  check_slot(values.forced[1], .20 * .75, .20 * .20);
  CHECK(*values.forced[1].ends == close_to(.80));
  CHECK(values.n_extra_tokens == 2);  // `B` and `B,`

  values = example.read("forced_matrix");
  check_probs(values, .604167, .291667);
  check_slot(values.forced[0], .081633, .918367);
  check_slot(values.forced[1], .789474, .210526);
  CHECK(*values.forced[1].label_mass == close_to(.19));
}

TEST_CASE("Example A along the greedy answer", "[golden]") {
  ExampleA example;
  check_probs(example.read("token_probability"), .58, .90);
  check_probs(example.read("marginal_fixed"), .58, .522);
  ReadoutOptions options;
  options.include_all_tokens = true;
  check_probs(example.read("marginal_fixed", options), .58, .2871);
  for (const BoundsFrom from : {BoundsFrom::Answer, BoundsFrom::Slots}) {
    options.bounds_from = from;
    const record::ReadoutValues values = example.read("greedy_bounds", options);
    check_bounds(values, {.58, .86}, {.5671, .59262});
    CHECK(values.n_extra_tokens == 0);
    CHECK(values.n_nodes == 4);
  }
}

TEST_CASE("Example A, the published walk", "[golden]") {
  ExampleA example;
  record::ReadoutValues values = example.read("marginal_any");
  check_probs(values, .60552, .5671);
  CHECK(*values.empty == close_to(.10));
  ReadoutOptions options;
  options.walk_stops = WalkStops::Never;
  options.top_p = 1.0;
  options.eps = 1e-9;
  values = example.read("marginal_any", options);
  check_probs(values, .64752, .5783);
  CHECK(*values.empty == close_to(.10));
}

TEST_CASE("Example A, the probability that a label is written", "[golden]") {
  ExampleA example;
  ReadoutOptions options;
  options.delta = 0.0;
  record::ReadoutValues values = example.read("marginal_exact", options);
  check_probs(values, .622, .5671);
  check_bounds(values, {.622, .622}, {.5671, .5671});
  CHECK(*values.empty == close_to(.10));
  CHECK(*values.off_format == close_to(.04918));
  CHECK(*values.unexplored == close_to(0.0));
  CHECK(*values.label_mass == close_to(.96));
  CHECK(values.n_nodes == 9);
  CHECK(values.n_extra_tokens == 5);
  REQUIRE(values.sets.size() == 4);
  CHECK(values.sets[0].labels == std::vector<std::string>{"A", "B"});
  CHECK(values.sets[0].prob == close_to(.3291));
  CHECK(values.sets[1].labels == std::vector<std::string>{"A"});
  CHECK(values.sets[1].prob == close_to(.28652));
  CHECK(values.sets[2].prob == close_to(.2352));
  CHECK(values.sets[3].labels.empty());
  CHECK(values.sets[3].prob == close_to(.10));

  check_probs(example.read("marginal_complete", options), .61562, .5643);
  values = example.read("marginal_given_valid", options);
  check_probs(values, .647462, .593488);
  CHECK(*values.empty == close_to(.105172));
  CHECK(values.normalisation == record::Normalisation::Answer);
}

TEST_CASE("Example A, bounds after each expansion in order of mass", "[golden]") {
  struct Row {
    std::array<double, 2> a;
    std::array<double, 2> b;
    double off;
    double done;
  };
  const std::vector<Row> rows = {
      {{.58, .86}, {.28, .86}, .04, .10},
      {{.58, .86}, {.28, .599}, .04, .361},
      {{.58, .86}, {.5671, .59262}, .04638, .361},
      {{.58, .86}, {.5671, .59262}, .04638, .6481},
      {{.58, .636}, {.5671, .59262}, .04638, .8721},
      {{.622, .6332}, {.5671, .59262}, .04918, .8721},
      // The example prints done as .91412 here. The rows around it say .8721 + .28 * .20 * .75,
      // which is .9141, and .93962 - .58 * .55 * .08, which is the same.
      {{.622, .6332}, {.5671, .59262}, .04918, .9141},
      {{.622, .6332}, {.5671, .5671}, .04918, .93962},
      {{.622, .622}, {.5671, .5671}, .04918, .95082},
  };
  ExampleA example;
  ReadoutOptions options;
  options.delta = 0.0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    options.max_nodes = static_cast<int>(i) + 1;
    const record::ReadoutValues values = example.read("marginal_exact", options);
    INFO("expanded nodes: " << i + 1);
    check_bounds(values, rows[i].a, rows[i].b);
    CHECK(*values.off_format == close_to(rows[i].off));
    CHECK(1.0 - *values.off_format - *values.unexplored == close_to(rows[i].done));
  }
}

TEST_CASE("Example A, bounds of all three variants hold at every moment, and nest", "[golden]") {
  ExampleA example;
  ReadoutOptions options;
  options.delta = 0.0;
  for (const auto& [name, a, b] :
       {std::tuple("marginal_exact", .622, .5671), std::tuple("marginal_complete", .61562, .5643),
        std::tuple("marginal_given_valid", .647462, .593488)}) {
    std::optional<record::ReadoutValues> before;
    for (options.max_nodes = 1; options.max_nodes <= 9; ++options.max_nodes) {
      INFO(name << ", expanded nodes: " << options.max_nodes);
      const record::ReadoutValues values = example.read(name, options);
      for (const auto& [label, exact] : {std::pair("A", a), std::pair("B", b)}) {
        CHECK(at(values.lower, label) <= exact + 1e-6);
        CHECK(at(values.upper, label) >= exact - 1e-6);
        if (!before) continue;
        CHECK(at(values.lower, label) >= at(before->lower, label) - 1e-12);
        CHECK(at(values.upper, label) <= at(before->upper, label) + 1e-12);
      }
      before = values;
    }
  }
}

TEST_CASE("Example A, drawn answers", "[golden]") {
  ExampleA example;
  ReadoutOptions options;
  options.n_samples = 20000;
  for (const char* name : {"mc", "mc_rb"}) {
    const record::ReadoutValues values = example.read(name, options);
    INFO(name);
    const bool is_frequency = std::string(name) == "mc";
    for (const auto& [label, exact, variance] :
         {std::tuple("A", .622, is_frequency ? .235 : .030),
          std::tuple("B", .5671, is_frequency ? .245 : .176)}) {
      const double error = at(values.std_errors, label);
      CHECK(std::abs(at(values.probs, label) - exact) < 4 * error);
      CHECK(error * error * options.n_samples == Approx(variance).epsilon(.05));
    }
    CHECK(values.n_samples == 20000);
    CHECK(example.read(name, options) == values);
    options.seed = 1;
    CHECK(example.read(name, options).probs != values.probs);
    options.seed = 0;
  }
}

TEST_CASE("Example A, a beam as wide as the tree has all finished answers", "[golden]") {
  ExampleA example;
  check_probs(example.read("beam_sum"), .61562, .5643);
  ReadoutOptions options;
  options.n_beams = 1;
  // A. and A,B. and what ends beside them: N, and A,A. is never in the beam.
  check_probs(example.read("beam_sum", options), .261 + .2871, .2871);
}

TEST_CASE("Example B: labels that share a first token", "[golden]") {
  const ListTokenizer tokenizer({"dis", "g", "ust", "approval", "joy", ".", ",", "?"});
  support::FakeModel model = model_of(tokenizer,
                                      {{"", {{"dis", .6}, {"joy", .3}, {"?", .1}}},
                                       {"dis", {{"approval", .70}, {"g", .25}, {"?", .05}}},
                                       {"disg", {{"ust", 1.0}}}},
                                      ".");
  const AnswerFormat format = format_of({"disgust", "disapproval", "joy"});
  record::ReadoutValues values = read_one(model, format, tokenizer, {}, "slot_trie");
  CHECK(at(values.probs, "disapproval") == close_to(.42));
  CHECK(at(values.probs, "disgust") == close_to(.15));
  CHECK(at(values.probs, "joy") == close_to(.30));
  CHECK(*values.off_format == close_to(.13));
  CHECK(values.n_extra_tokens == 1);  // behind "disg"
  values = read_one(model, format, tokenizer, {}, "length_normalised");
  CHECK(at(values.probs, "disapproval") == close_to(.648074));
  CHECK(at(values.probs, "disgust") == close_to(.531329));
  CHECK(at(values.probs, "joy") == close_to(.30));
  CHECK(support::message_of<ConfigError>(
            [&] { read_one(model, format, tokenizer, {}, "first_token"); }) ==
        "first_token: the labels 'disgust' and 'disapproval' begin with the same token 'dis' "
        "behind ''; slot_trie tells them apart");
}

TEST_CASE("Example C: a label that is a prefix of another", "[golden]") {
  const ListTokenizer tokenizer({"S", "0", "1", "2", ",", "."});
  support::FakeModel model = model_of(tokenizer,
                                      {{"", {{"S", 1.0}}},
                                       {"S", {{"1", .7}, {"2", .3}}},
                                       {"S1", {{"0", .4}, {",", .25}, {".", .35}}},
                                       {"S1,", {{"S", 1.0}}}},
                                      ".");
  AnswerFormat format = format_of({"S1", "S10", "S2"});
  format.completion = Completion::Lookahead;
  record::ReadoutValues values = read_one(model, format, tokenizer, {}, "slot_trie");
  CHECK(at(values.probs, "S1") == close_to(.42));
  CHECK(at(values.probs, "S10") == close_to(.28));
  CHECK(at(values.probs, "S2") == close_to(.30));
  format.completion = Completion::Eager;
  CHECK(at(read_one(model, format, tokenizer, {}, "slot_trie").probs, "S1") == close_to(.70));
}

TEST_CASE("Example D: a label listed twice counts once, but twice in the published walk",
          "[golden]") {
  const ListTokenizer tokenizer({"A", ",", "."});
  support::FakeModel model =
      model_of(tokenizer, {{"", {{"A", 1.0}}}, {"A", {{",", 1.0}}}, {"A,", {{"A", 1.0}}}}, ".");
  const AnswerFormat format = format_of({"A"});
  CHECK(at(read_one(model, format, tokenizer, {}, "marginal_exact").probs, "A") == close_to(1.0));
  CHECK(at(read_one(model, format, tokenizer, {}, "marginal_any").probs, "A") == close_to(2.0));
}

}  // namespace
}  // namespace labelprobe::readout
