#include "labelprobe/analysis/chosen_estimates.h"

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::analysis {
namespace {

const LabelSet kChosenEmotions({"joy", "fear"}, LabelKind::MultiLabel);
constexpr AnswerPosition kGreedy[] = {AnswerPosition::Greedy};
constexpr AnswerPosition kBoth[] = {AnswerPosition::Greedy, AnswerPosition::First};

// Two labels of one example, judged alone.
RunLog unary_run_named() {
  RunLog run;
  run.folder = "logs/unary_0";
  run.plan = "unary";
  run.model = "tiny/model";
  for (const char* key : {"de0_unary_joy", "de0_unary_fear"}) {
    record::ItemRecord& item = run.items.emplace_back();
    item.key = key;
    item.stand_in_probs = {{"reasonable", 0.25F}, {"unreasonable", 0.75F}};
    item.first_answer = record::AnswerReading{{{"reasonable", 0.25F}, {"unreasonable", 0.0F}},
                                              {{"reasonable", 0.25F}, {"unreasonable", 0.0F}},
                                              true};
  }
  return run;
}

RunLog baseline_run() {
  RunLog run;
  run.folder = "logs/baseline_0";
  run.plan = "baseline";
  record::ItemRecord& item = run.items.emplace_back();
  item.key = "de0";
  item.predictions = {"joy"};
  item.stand_in_probs = {{"joy", 0.75F}, {"fear", 0.25F}};
  return run;
}

TEST_CASE("The only estimate of a run needs no name", "[align]") {
  const std::vector<RunLog> runs = {unary_run_named()};
  const ChosenEstimates chosen = choose_estimates(runs, kGreedy, kChosenEmotions, "");
  CHECK(chosen.estimates.estimator == "unary");
  CHECK(chosen.estimates.probs.size() == 1);
  CHECK(chosen.place == "logs/unary_0, experiment 0");
  CHECK(chosen.model == "tiny/model");
  CHECK(chosen.answer == "greedy");
}

TEST_CASE("Where there are several, they are named", "[align]") {
  const std::vector<RunLog> runs = {baseline_run()};
  CHECK_THROWS_WITH(choose_estimates(runs, kGreedy, kChosenEmotions, ""),
                    ContainsSubstring("expected one estimate, found 3: baseline of "
                                      "logs/baseline_0, experiment 0; output of") &&
                        ContainsSubstring("name one run, --estimator NAME and one --answer"));
  CHECK(choose_estimates(runs, kGreedy, kChosenEmotions, "output").estimates.probs.at("de0")[0] >
        0.99);
  const std::vector<RunLog> unary = {unary_run_named()};
  CHECK_THROWS_WITH(choose_estimates(unary, kBoth, kChosenEmotions, "unary"),
                    ContainsSubstring("found 2: unary (greedy) of logs/unary_0, experiment 0; "
                                      "unary (first) of"));
  CHECK_THROWS_WITH(choose_estimates({}, kGreedy, kChosenEmotions, ""),
                    ContainsSubstring("found none"));
}

TEST_CASE("A scores file is taken as it is", "[align]") {
  const support::TempFolder folder;
  const auto path = folder.path() / "scores.yml";
  support::write_file(path, "de0: {joy: 0.5, fear: 0.25}\n");
  const ChosenEstimates chosen = choose_scores(path, kChosenEmotions);
  CHECK(chosen.estimates.estimator == "scores");
  CHECK(chosen.place == path.string());
  CHECK(chosen.estimates.probs.at("de0") == std::vector<double>{0.5, 0.25});
}

}  // namespace
}  // namespace labelprobe::analysis
