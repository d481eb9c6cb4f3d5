#include "labelprobe/analysis/alignment_builder.h"

#include <cmath>

#include "labelprobe/core/error.h"

#include "support/catch.h"

namespace labelprobe::analysis {
namespace {

const LabelSet kAlignedEmotions({"joy", "fear"}, LabelKind::MultiLabel);
const std::string kTask = "GoEmotions";

// Four examples, of which de3 has no votes.
VotedSet voted_set(const LabelSet& label_set = kAlignedEmotions) {
  VotedSet set;
  set.label_set = label_set;
  set.example_ids = {"de0", "de1", "de2", "de3"};
  set.votes = {
      {"de0", {{0.5, 0.0}, 2, {0}}}, {"de1", {{0.0, 1.0}, 2, {1}}}, {"de2", {{1.0, 0.5}, 2, {0}}}};
  return set;
}

RunLog run_of(const std::string& folder) {
  RunLog run;
  run.folder = folder;
  run.model = "tiny/model";
  return run;
}

// A row of `baseline` as estimate_rows() makes them.
EstimatedRow row_of(const RunLog& run, const LabelNumbers& probs) {
  EstimatedRow row{&find_estimator("baseline", LabelKind::MultiLabel), &run, {}, {}};
  row.estimates.estimator = "baseline";
  row.estimates.probs = probs;
  row.estimates.n_items = row.estimates.n_answers_found = probs.size();
  return row;
}

const LabelNumbers kAlignedProbs = {
    {"de0", {0.75, 0.25}}, {"de1", {0.25, 0.75}}, {"de2", {0.5, 0.5}}};

std::string warnings_of(const AlignmentTable& table) {
  std::string text;
  for (const std::string& warning : table.warnings) text += warning + "\n";
  return text;
}

TEST_CASE("A table has the rows of runs, scores and base rates in the order they come in",
          "[align]") {
  const RunLog run = run_of("logs/run_0/");
  const std::vector<EstimatedRow> rows = {row_of(run, kAlignedProbs)};
  const NamedScores scores{"Demux", "scores.yml", {"scores", {{"de0", {0.5, 0.0}}}}};
  AlignmentBuilder builder(kTask, voted_set(), {PaperTable::Table1, false});
  builder.choose_examples(rows, {{scores}});
  builder.add_runs(rows, ModelState::Plain, {});
  builder.add_runs(rows, ModelState::Tuned, {});
  builder.add_scores(scores);
  builder.add_constant({0.5, 0.5}, "half");
  const AlignmentTable table = builder.finish();
  REQUIRE(table.rows.size() == 3);
  CHECK(table.n_examples_with_votes == 3);
  CHECK(table.labels == kAlignedEmotions.names());
  CHECK(table.rows[0].method == "Compare-to-None");
  CHECK(table.rows[0].run == "logs/run_0, experiment 0");
  CHECK(table.rows[0].published->numbers[0] == 23.93);
  CHECK(table.rows[0].by_label.empty());
  CHECK(table.rows[1].estimator == "scores");
  CHECK(table.rows[1].published->numbers[0] == 2.72);  // Demux is the paper's BERT
  CHECK(table.rows[1].alignment->find("l1")->value == 0.0);
  CHECK(table.rows[2].estimator == "constant");
  CHECK(table.rows[2].note == "half");
  CHECK_FALSE(table.rows[2].published);
  CHECK_THAT(warnings_of(table),
             ContainsSubstring("scores.yml: has no probabilities for 2 of 3 examples, the first "
                               "'de1'") &&
                 ContainsSubstring("rows rest on different examples (Demux on 1 of 3)"));
}

TEST_CASE("A row whose answers were mostly not found is marked, one without any has no numbers",
          "[align]") {
  const RunLog run = run_of("logs/run_0");
  const auto row_with = [&](std::size_t n_found, AnswerPosition position) {
    EstimatedRow row = row_of(run, kAlignedProbs);
    row.estimates.n_items = 100;
    row.estimates.n_answers_found = n_found;
    row.answer = position;
    AlignmentBuilder builder(kTask, voted_set(), {});
    builder.choose_examples({{row}}, {});
    builder.add_runs({{row}}, ModelState::Plain, {});
    return builder.finish().rows.at(0);
  };
  CHECK_FALSE(row_with(90, AnswerPosition::Greedy).is_doubtful);
  const AlignmentRow few = row_with(89, AnswerPosition::Greedy);
  CHECK(few.is_doubtful);
  CHECK(few.alignment);
  const AlignmentRow none = row_with(0, AnswerPosition::Greedy);
  CHECK(none.is_doubtful);
  CHECK_FALSE(none.alignment);
  CHECK(none.note == "no numbers: none of 100 answers was found");
  // The first position is always read, whatever token is likeliest there.
  CHECK(row_with(0, AnswerPosition::First).alignment);
}

TEST_CASE("A row tells how many answers name nothing, and its numbers without them", "[align]") {
  const RunLog run = run_of("logs/run_0");
  std::vector<EstimatedRow> rows = {row_of(run, kAlignedProbs), row_of(run, kAlignedProbs),
                                    row_of(run, kAlignedProbs)};
  rows[0].estimates.unanswered = {"de1", "de9"};
  rows[1].estimates.unanswered = {"de0", "de1", "de2"};
  AlignmentBuilder builder(kTask, voted_set(), {});
  builder.choose_examples(rows, {});
  builder.add_runs(rows, ModelState::Plain, {});
  const AlignmentTable table = builder.finish();
  CHECK(table.rows[0].alignment->example_ids.size() == 3);
  CHECK(table.rows[0].n_without_answer == 1U);
  REQUIRE(table.rows[0].answered);
  CHECK(table.rows[0].answered->example_ids == std::vector<std::string>{"de0", "de2"});
  // |0.75 - 0.5| + |0.25 - 0|, |0.5 - 1| + |0.5 - 0.5|
  CHECK(table.rows[0].answered->find("l1")->value == Approx((0.5 + 0.5) / 2));
  CHECK(table.rows[1].n_without_answer == 3U);
  CHECK_FALSE(table.rows[1].answered);
  CHECK(table.rows[2].n_without_answer == 0U);
  CHECK_FALSE(table.rows[2].answered);
}

TEST_CASE("Runs say which examples count, scores only without runs", "[align]") {
  const RunLog run = run_of("logs/run_0");
  const NamedScores scores{"Mine", "scores.yml", {"scores", kAlignedProbs}};
  const std::vector<EstimatedRow> rows = {
      row_of(run, {{"de0", {0.5, 0.5}}, {"de3", {0.5, 0.5}}, {"de9", {0.5, 0.5}}})};
  AlignmentBuilder of_runs(kTask, voted_set(), {});
  of_runs.choose_examples(rows, {{scores}});
  CHECK(of_runs.votes().size() == 1);
  of_runs.add_runs(rows, ModelState::Plain, {});
  const AlignmentTable table = of_runs.finish();
  CHECK(table.rows[0].alignment->example_ids == std::vector<std::string>{"de0"});
  CHECK_THAT(warnings_of(table),
             ContainsSubstring("logs/run_0, experiment 0: 1 of 3 examples are not in the test "
                               "splits, the first 'de9'") &&
                 ContainsSubstring("1 of 2 examples have no annotator's vote"));

  AlignmentBuilder of_scores(kTask, voted_set(), {});
  of_scores.choose_examples({}, {{scores}});
  CHECK(of_scores.votes().size() == 3);
}

TEST_CASE("Runs of other examples, without votes or without estimates are refused", "[align]") {
  const RunLog run = run_of("logs/run_0");
  const auto choose = [&](const LabelNumbers& probs) {
    AlignmentBuilder builder(kTask, voted_set(), {});
    builder.choose_examples({{row_of(run, probs)}}, {});
  };
  CHECK_THROWS_WITH(choose({{"x", {0.5, 0.5}}}),
                    ContainsSubstring("logs/run_0, experiment 0: expected examples of GoEmotions's "
                                      "test splits") &&
                        ContainsSubstring("all 1 are unknown, the first 'x'"));
  CHECK_THROWS_WITH(choose({{"de3", {0.5, 0.5}}}),
                    ContainsSubstring("none of the 1 examples has an annotator's vote"));
  CHECK_THROWS_WITH(choose({}), ContainsSubstring("every item of the runs failed"));
  CHECK_THROWS_AS(AlignmentBuilder("TREC", voted_set(), {PaperTable::Table1, false}), ConfigError);
}

TEST_CASE("Each row may have its labels", "[align]") {
  const RunLog run = run_of("logs/run_0");
  const std::vector<EstimatedRow> rows = {row_of(run, kAlignedProbs)};
  AlignmentBuilder builder(kTask, voted_set(), {std::nullopt, true});
  builder.choose_examples(rows, {});
  builder.add_runs(rows, ModelState::Plain, {});
  const AlignmentTable table = builder.finish();
  REQUIRE(table.rows[0].by_label.size() == 2);
  CHECK(table.rows[0].by_label[1].find("prevalence")->value.value() == Approx(1.0 / 3));
  CHECK(table.rows[0].by_label[1].find("mean_share")->value == 0.5);
}

TEST_CASE("Differences are against the row named, by number, name or estimator", "[align]") {
  const RunLog run = run_of("logs/run_0");
  const std::vector<EstimatedRow> rows = {row_of(run, kAlignedProbs)};
  const BootstrapOptions few{.n_resamples = 5};
  const auto built = [&](const std::string& against) {
    AlignmentBuilder builder(kTask, voted_set(), {});
    builder.choose_examples(rows, {});
    builder.add_runs(rows, ModelState::Plain, {});
    builder.add_constant({0.5, 0.5}, "half");
    builder.add_differences(against, few);
    return builder.finish();
  };
  CHECK(built("").differences.front().row == 1);
  for (const char* against : {"2", "base rate", "constant"}) {
    const AlignmentTable table = built(against);
    REQUIRE(table.differences.size() == 1);
    CHECK(table.differences[0].against == 1);
    CHECK(table.differences[0].difference.n_examples == 3);
  }
  CHECK_THROWS_WITH(built("base rat"), ContainsSubstring("did you mean 'Base rate'?"));
}

TEST_CASE("A row without numbers is no row to compare with", "[align]") {
  const RunLog run = run_of("logs/run_0");
  const std::vector<EstimatedRow> rows = {row_of(run, kAlignedProbs), row_of(run, {})};
  AlignmentBuilder builder(kTask, voted_set(), {});
  builder.choose_examples(rows, {});
  builder.add_runs(rows, ModelState::Plain, {});
  CHECK_THROWS_WITH(builder.add_differences("2", {}),
                    ContainsSubstring("expected a row with numbers, found Compare-to-None"));
  CHECK(builder.finish().rows[1].note == "has estimates for none of the examples");
}

TEST_CASE("Rows that share no example have no difference", "[align]") {
  const RunLog run = run_of("logs/run_0");
  const std::vector<EstimatedRow> rows = {row_of(run, {{"de0", {0.5, 0.5}}}),
                                          row_of(run, {{"de1", {0.5, 0.5}}})};
  AlignmentBuilder builder(kTask, voted_set(), {});
  builder.choose_examples({{rows[0]}}, {{{"Mine", "s.yml", {"scores", kAlignedProbs}}}});
  builder.add_runs(rows, ModelState::Plain, {});
  CHECK(builder.finish().rows[1].note == "has estimates for none of the examples");

  AlignmentBuilder both(kTask, voted_set(), {});
  both.choose_examples({}, {{{"A", "a.yml", {"scores", kAlignedProbs}}}});
  both.add_scores({"A", "a.yml", {"scores", {{"de0", {0.5, 0.5}}}}});
  both.add_scores({"B", "b.yml", {"scores", {{"de1", {0.5, 0.5}}}}});
  CHECK_THROWS_WITH(both.add_differences("", {.n_resamples = 5}),
                    ContainsSubstring("difference between 'B' and 'A': expected examples that both "
                                      "estimate"));
}

TEST_CASE("Scores of classes that do not sum to 1 are taken as they are, with a warning",
          "[align]") {
  const LabelSet classes({"hate", "normal"}, LabelKind::SingleLabel);
  const NamedScores scores{"Mine", "s.yml", {"scores", {{"de0", {0.5, 0.25}}}}};
  AlignmentBuilder builder(kTask, voted_set(classes), {});
  builder.choose_examples({}, {{scores}});
  builder.add_scores(scores);
  CHECK_THAT(warnings_of(builder.finish()),
             ContainsSubstring("s.yml: the probabilities of 1 of 1 examples do not sum to 1"));
}

// Runs to calibrate on need something to scale.
EstimatedRow scalable(const RunLog& run) {
  EstimatedRow row = row_of(run, kAlignedProbs);
  row.estimates.platt_inputs = {{"de0", {1.0, -1.0}}};
  return row;
}

TEST_CASE("A run calibrates rows of its kind and model, and only one does", "[align]") {
  const RunLog run = run_of("logs/run_0");
  RunLog unary = run_of("logs/unary_0");
  unary.plan = "unary";
  RunLog other = run_of("logs/other_0");
  other.model = "another/model";
  const std::vector<EstimatedRow> rows = {scalable(run)};
  CHECK_NOTHROW(check_calibration({{run_of("logs/fit_0")}, {}}, rows));
  CHECK_THROWS_WITH(check_calibration({{unary}, {}}, rows),
                    ContainsSubstring("--platt: logs/unary_0, experiment 0: expected a unary run"));
  CHECK_THROWS_AS(check_calibration({{other}, {}}, rows), ConfigError);
  CHECK_THROWS_AS(check_calibration({{run}, {}}, {{row_of(run, kAlignedProbs)}}), ConfigError);

  AlignmentBuilder builder(kTask, voted_set(), {});
  builder.choose_examples(rows, {});
  CHECK_THROWS_WITH(
      builder.add_runs(rows, ModelState::Plain, {{run_of("logs/fit_0"), run_of("logs/fit_1")}, {}}),
      ContainsSubstring("found logs/fit_0, experiment 0 and logs/fit_1"));
}

TEST_CASE("Calibrated rows follow their rows, each example by what the others say", "[align]") {
  const RunLog run = run_of("logs/run_0");
  const std::vector<EstimatedRow> rows = {
      row_of(run, {{"de0", {0.75, 0.5}}, {"de1", {0.9, 0.2}}, {"de3", {0.5, 0.5}}})};
  VotedSet set = voted_set();
  set.votes = {{"de0", {{0.25, 0.5}, 4, {}}}, {"de1", {{0.5, 0.75}, 4, {0}}}};
  AlignmentOptions options;
  options.calibrators =
      parse_calibrators({"prior_shift:2", "batch", "platt:3"}, LabelKind::MultiLabel);
  AlignmentBuilder builder(kTask, set, options);
  builder.choose_examples(rows, {});
  builder.add_runs(rows, ModelState::Plain, {});
  const AlignmentTable table = builder.finish();
  REQUIRE(table.rows.size() == 3);
  CHECK(table.rows[1].method == "Compare-to-None+prior_shift");
  CHECK(table.rows[1].estimator == "baseline+prior_shift");
  CHECK(table.rows[1].run == "logs/run_0, experiment 0");
  CHECK_THAT(table.rows[1].note, ContainsSubstring("fitted on the other 1 of 2 folds"));
  CHECK(table.rows[2].method == "Compare-to-None+batch");
  CHECK(table.rows[2].note == "Batch calibration, without votes");
  // Two folds of one example each: odds times those of the other's votes over its estimate.
  // de0: 3 * 1 / 9 and 1 * 3 / (1/4); de1: 9 * (1/3) / 3 and (1/4) * 1 / 1.
  const Measured* l1 = table.rows[1].alignment->find("l1");
  CHECK(l1->by_example[0] == Approx(std::abs(0.25 - 0.25) + std::abs(12.0 / 13.0 - 0.5)));
  CHECK(l1->by_example[1] == Approx(std::abs(0.5 - 0.5) + std::abs(0.2 - 0.75)));
  CHECK_THAT(warnings_of(table),
             ContainsSubstring("Compare-to-None is not calibrated: 3 folds: expected as many"));
}

TEST_CASE("Where nothing can be fitted the calibrated row is missing, and it is said why",
          "[align]") {
  AlignmentOptions options;
  options.calibrators = parse_calibrators({"platt:2"}, LabelKind::MultiLabel);
  AlignmentBuilder builder(kTask, voted_set(), options);
  builder.add_scores({"Mine", "mine.yml", {"scores", {{"de0", {1, 0}}, {"de1", {0, 1}}}}});
  const AlignmentTable table = builder.finish();
  CHECK(table.rows.size() == 1);
  CHECK_THAT(warnings_of(table), ContainsSubstring("Mine is not calibrated: platt: all 4") &&
                                     ContainsSubstring("0 or 1"));
}

TEST_CASE("Calibrators are named with their folds", "[align]") {
  const auto parsed = parse_calibrators({"platt", "isotonic:10", "batch"}, LabelKind::MultiLabel);
  REQUIRE(parsed.size() == 3);
  CHECK(parsed[0].n_folds == 5);
  CHECK(parsed[1].calibrator->name == "isotonic");
  CHECK(parsed[1].n_folds == 10);
  CHECK(parsed[2].n_folds == 0);
  const auto refused = [](const char* text) {
    return parse_calibrators({text}, LabelKind::MultiLabel);
  };
  CHECK_THROWS_WITH(refused("plat"), ContainsSubstring("--calibrate: unknown calibrator 'plat'"));
  for (const char* text : {"platt:", "platt:1", "platt:x", "platt:5x", "platt:99999999999"}) {
    CHECK_THROWS_WITH(refused(text), ContainsSubstring("NAME:FOLDS with 2 folds or more"));
  }
  CHECK_THROWS_WITH(refused("batch:5"), ContainsSubstring("has no folds"));
  CHECK_THROWS_WITH(refused("contextual"), ContainsSubstring("calibrate fit --content-free"));
}

}  // namespace
}  // namespace labelprobe::analysis
