#include "labelprobe/analysis/estimated_rows.h"

#include <span>
#include <sstream>

#include "labelprobe/core/error.h"

#include "support/catch.h"

namespace labelprobe::analysis {
namespace {

const LabelSet kRowEmotions({"joy", "fear"}, LabelKind::MultiLabel);
const LabelSet kClasses({"joy", "fear"}, LabelKind::SingleLabel);

// Two labels of one example, judged alone.
RunLog unary_run(const std::string& folder = "logs/unary_0") {
  RunLog run;
  run.folder = folder;
  run.plan = "unary";
  for (const char* key : {"de0_unary_joy", "de0_unary_fear"}) {
    record::ItemRecord& item = run.items.emplace_back();
    item.key = key;
    item.stand_in_probs = {{"reasonable", 0.5F}, {"unreasonable", 0.5F}};
    item.first_answer = record::AnswerReading{{{"reasonable", 0.25F}, {"unreasonable", 0.0F}},
                                              {{"reasonable", 0.25F}, {"unreasonable", 0.0F}},
                                              true};
  }
  return run;
}

RunLog example_run(ModelState state) {
  RunLog run;
  run.folder = "logs/baseline_0";
  run.plan = "baseline";
  run.model_state = state;
  record::ItemRecord& item = run.items.emplace_back();
  item.key = "de0";
  item.predictions = {"joy"};
  item.stand_in_probs = {{"joy", 0.75F}, {"fear", 0.25F}};
  return run;
}

constexpr AnswerPosition kGreedyPosition[] = {AnswerPosition::Greedy};
constexpr AnswerPosition kBothPositions[] = {AnswerPosition::Greedy, AnswerPosition::First};

std::vector<std::string> names_of(const std::vector<EstimatedRow>& rows) {
  std::vector<std::string> names;
  for (const EstimatedRow& row : rows) names.push_back(row.name());
  return names;
}

record::ReadoutValues readout(const std::string& name, float joy, float fear) {
  record::ReadoutValues values;
  values.name = name;
  values.probs = {{"joy", joy}, {"fear", fear}};
  return values;
}

TEST_CASE("Readouts of a run are rows behind those of the table, of the runs that have them",
          "[align]") {
  RunLog with = example_run(ModelState::Plain);
  with.items[0].readouts = {readout("mc", 0.75F, 0.5F), readout("marginal_exact", 0.25F, 1.0F)};
  with.items.push_back(with.items[0]);
  with.items[1].key = "de1";
  with.items[1].readouts.pop_back();
  const std::vector<RunLog> runs = {example_run(ModelState::Plain), with};
  std::vector<std::string> warnings;
  const auto rows = estimate_rows(runs, kGreedyPosition, kRowEmotions, {}, warnings);
  std::vector<std::string> names = names_of(rows);
  REQUIRE(names.size() > 2);
  CHECK(std::vector<std::string>(names.end() - 2, names.end()) ==
        std::vector<std::string>{"mc", "marginal_exact"});
  const EstimatedRow& mc = rows[rows.size() - 2];
  CHECK(mc.run == &runs[1]);
  CHECK(mc.estimates.estimator == "mc");
  CHECK(mc.estimates.probs.at("de0") == std::vector<double>{0.75, 0.5});
  const EstimatedRow& exact = rows.back();
  CHECK(exact.estimates.probs.size() == 1);
  CHECK(exact.estimates.n_answers_found == 1);
  CHECK_THAT(warnings.back(), ContainsSubstring("1 of 2 items have no such readout and are left "));

  warnings.clear();
  const auto chosen =
      estimate_rows(runs, kGreedyPosition, kRowEmotions, {"marginal_exact"}, warnings);
  CHECK(names_of(chosen) == std::vector<std::string>{"marginal_exact"});
  CHECK_THROWS_WITH(
      estimate_rows(std::span(runs).first(1), kGreedyPosition, kRowEmotions, {"mc"}, warnings),
      ContainsSubstring("unknown estimator 'mc'"));
}

record::ReadoutValues word_readout(record::ReadoutPlace place,
                                   std::pair<const char*, float> one,
                                   std::pair<const char*, float> other) {
  record::ReadoutValues values;
  values.name = "slot_trie";
  values.place = place;
  values.probs = {{one.first, one.second}, {other.first, other.second}};
  values.label_mass = one.second + other.second;
  return values;
}

TEST_CASE("Readouts of one word become labels as the words themselves do", "[align]") {
  using record::ReadoutPlace;
  RunLog unary = unary_run();
  for (record::ItemRecord& item : unary.items) {
    const float yes = item.key.ends_with("joy") ? 0.375F : 0.0625F;
    item.readouts = {
        word_readout(ReadoutPlace::First, {"reasonable", 0.25F}, {"unreasonable", 0}),
        word_readout(ReadoutPlace::Healed, {"reasonable", yes}, {"unreasonable", 0.125F})};
  }
  const std::vector<RunLog> runs = {unary};
  std::vector<std::string> warnings;
  constexpr AnswerPosition kAll[] = {AnswerPosition::Greedy, AnswerPosition::First,
                                     AnswerPosition::Healed};
  const auto rows = estimate_rows(runs, kAll, kRowEmotions, {"unary_slot_trie"}, warnings);
  CHECK(names_of(rows) ==
        std::vector<std::string>{"unary, slot_trie (first)", "unary, slot_trie (healed)"});
  CHECK(rows[0].estimates.probs.at("de0") == std::vector<double>{1, 1});
  CHECK(rows[1].estimates.estimator == "unary_slot_trie");
  CHECK(rows[1].estimates.probs.at("de0") == std::vector<double>{0.75, 1.0 / 3});
  CHECK(*rows[1].estimates.mean_answer_mass == (0.5 + 0.1875) / 2);
  CHECK(rows[1].estimates.n_answers_found == 2);

  // The same numbers as answer words and as a readout: Bradley-Terry makes the same of them.
  RunLog binary;
  binary.plan = "binary";
  for (const auto& [key, a] : {std::pair{"de0_binary_joy_fear", 0.6F},
                               {"de0_binary_joy_none", 0.7F},
                               {"de0_binary_fear_none", 0.2F}}) {
    record::ItemRecord& item = binary.items.emplace_back();
    item.key = key;
    item.healed_answer =
        record::AnswerReading{{{"a", a / 2}, {"b", (1 - a) / 2}}, {{"a", 0.0F}, {"b", 0.0F}}, true};
    item.readouts = {word_readout(ReadoutPlace::Healed, {"a", a / 2}, {"b", (1 - a) / 2})};
  }
  const std::vector<RunLog> pairs = {binary};
  constexpr AnswerPosition kHealed[] = {AnswerPosition::Healed};
  const auto of_pairs =
      estimate_rows(pairs, kHealed, kRowEmotions, {"binary", "binary_slot_trie"}, warnings);
  REQUIRE(of_pairs.size() == 2);
  CHECK(of_pairs[0].estimates.probs.at("de0") == of_pairs[1].estimates.probs.at("de0"));
  CHECK(of_pairs[1].estimates.probs.at("de0")[0] > of_pairs[1].estimates.probs.at("de0")[1]);
}

TEST_CASE("A run of numbers allows no estimator of label steps, and the other way round",
          "[align]") {
  RunLog run = example_run(ModelState::Plain);
  run.plan = "verbalized";
  run.items[0].reported_probs = {{"joy", 0.9F}, {"fear", 0.1F}};
  std::vector<std::string> warnings;
  const std::vector<RunLog> runs = {run};
  for (const EstimatedRow& row : estimate_rows(runs, kGreedyPosition, kRowEmotions, {}, warnings)) {
    CHECK(row.estimator->name.starts_with("verbalized"));
  }
  CHECK_THROWS_WITH(estimate_rows(runs, kGreedyPosition, kRowEmotions, {"baseline"}, warnings),
                    ContainsSubstring("(they allow: verbalized, verbalized_expected)"));
}

TEST_CASE("Runs allow the estimators of their kind and model, in the paper's order", "[align]") {
  const std::vector<RunLog> runs = {example_run(ModelState::Tuned), unary_run(),
                                    example_run(ModelState::Plain)};
  std::vector<std::string> warnings;
  CHECK(names_of(estimate_rows(runs, kGreedyPosition, kRowEmotions, {}, warnings)) ==
        std::vector<std::string>{"Compare-to-None", "Hard Predictions", "Unary (greedy)",
                                 "Max-over-generations", "SFT outputs", "SFT max"});
  CHECK(names_of(estimate_rows(runs, kGreedyPosition, kRowEmotions, {"unary"}, warnings)) ==
        std::vector<std::string>{"Unary (greedy)"});
}

TEST_CASE("Each answer position is a row, each warning said once a run", "[align]") {
  const std::vector<RunLog> runs = {unary_run()};
  std::vector<std::string> warnings;
  const auto rows = estimate_rows(runs, kBothPositions, kClasses, {}, warnings);
  CHECK(names_of(rows) == std::vector<std::string>{"Unary (greedy)", "Unary (first)",
                                                   "Unary, sum 1 (greedy)",
                                                   "Unary, sum 1 (first)"});
  CHECK(rows[3].estimates.probs.at("de0") == std::vector<double>{0.5, 0.5});
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], ContainsSubstring("logs/unary_0, experiment 0: Unary (greedy): 2 of 2 "
                                            "answers never came"));
}

TEST_CASE("What a label set does not allow is a row without a run, once", "[align]") {
  const std::vector<RunLog> runs = {example_run(ModelState::Plain), example_run(ModelState::Plain)};
  std::vector<std::string> warnings;
  const auto rows = estimate_rows(runs, kGreedyPosition, kClasses, {}, warnings);
  std::size_t n_without_run = 0;
  for (const EstimatedRow& row : rows) {
    if (row.run) continue;
    ++n_without_run;
    CHECK(row.name() == "Max-over-generations");
  }
  CHECK(n_without_run == 1);
}

TEST_CASE("Estimators are asked for by name", "[align]") {
  const std::vector<RunLog> runs = {unary_run()};
  std::vector<std::string> warnings;
  CHECK_THROWS_WITH(estimate_rows(runs, kGreedyPosition, kRowEmotions, {"unnary"}, warnings),
                    ContainsSubstring("did you mean 'unary'?"));
  CHECK_THROWS_WITH(estimate_rows(runs, kGreedyPosition, kRowEmotions, {"max"}, warnings),
                    ContainsSubstring("do not allow 'max' (they allow: unary)"));
  CHECK(parse_answers({"first", "greedy", "first"}) ==
        std::vector<AnswerPosition>{AnswerPosition::First, AnswerPosition::Greedy});
}

TEST_CASE("Errors of an estimator begin with the run", "[align]") {
  RunLog run = unary_run();
  run.items[0].stand_in_probs[0].second = 2.0F;
  CHECK_THROWS_WITH(
      estimate_run(find_estimator("unary", LabelKind::MultiLabel), run, kRowEmotions, {}),
      ContainsSubstring("logs/unary_0, experiment 0: item 'de0_unary_joy'"));
}

TEST_CASE("Distributions are written by estimator, id and label", "[align]") {
  const std::vector<RunLog> runs = {unary_run(), example_run(ModelState::Plain)};
  std::vector<std::string> warnings;
  const auto rows =
      estimate_rows(runs, kBothPositions, kRowEmotions, {"output", "unary"}, warnings);
  std::ostringstream yaml;
  write_distributions_yaml(yaml, rows, kRowEmotions, 2);
  CHECK(yaml.str() ==
        "\"output\":\n  \"de0\":\n    \"joy\": 0.99999999\n    \"fear\": 1.0e-08\n"
        "\"unary_greedy\":\n  \"de0\":\n    \"joy\": 0.5\n    \"fear\": 0.5\n"
        "\"unary_first\":\n  \"de0\":\n    \"joy\": 1.0\n    \"fear\": 1.0\n");
  std::ostringstream lines;
  write_distributions_json_lines(lines, rows, kRowEmotions);
  CHECK_THAT(
      lines.str(),
      ContainsSubstring(
          R"({"id":"de0","estimator":"output","method":"Hard Predictions",)"
          R"("answer":null,"run":"logs/baseline_0","experiment":0,"probs":{"joy":0.99999999,)") &&
          ContainsSubstring(R"("estimator":"unary","method":"Unary","answer":"first")"));

  const std::vector<RunLog> twice = {unary_run(), unary_run("logs/unary_1")};
  const auto doubled = estimate_rows(twice, kGreedyPosition, kRowEmotions, {}, warnings);
  std::ostringstream out;
  CHECK_THROWS_WITH(write_distributions_yaml(out, doubled, kRowEmotions, 1),
                    ContainsSubstring("found logs/unary_0, experiment 0 and logs/unary_1"));
}

TEST_CASE("Votes are written with shares, gold labels and annotators", "[align]") {
  std::ostringstream out;
  write_votes_json_lines(out, {{"de0", {{0.5, 0.0}, 2, {0}}}}, kRowEmotions);
  CHECK(out.str() ==
        R"({"id":"de0","shares":{"joy":0.5,"fear":0.0},"gold":["joy"],"n_annotators":2})"
        "\n");
  std::ostringstream soft;
  write_votes_json_lines(soft, {{"de0", {{0.5, 0.0}, 0, {0}}}}, kRowEmotions);
  CHECK_THAT(soft.str(), ContainsSubstring(R"("n_annotators":null)"));
}

}  // namespace
}  // namespace labelprobe::analysis
