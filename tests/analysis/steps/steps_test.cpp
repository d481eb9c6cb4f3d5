// Label steps of a small log against numpy's numbers (scripts/fixtures/figure_reference.py).
#include "labelprobe/analysis/steps.h"

#include <map>
#include <sstream>

#include <nlohmann/json.hpp>

#include "labelprobe/analysis/named_runs.h"
#include "labelprobe/analysis/step_report.h"
#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::analysis {
namespace {

using nlohmann::json;

json expected() {
  return support::read_json(support::fixture("figures/expected.json"));
}

std::vector<NamedRuns> read_listing() {
  const std::string folder = support::fixture("figures/GoEmotions/listing_0").string();
  return read_all_named(std::vector{folder}, {});
}

std::vector<StepRow> rows_of(const NamedRuns& named, const StepOptions& options) {
  std::vector<StepRow> rows;
  for (const record::LoggedRun& run : named.experiments) {
    const auto more = measure_steps(run, options);
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace

TEST_CASE("Every number of the label steps is numpy's", "[steps]") {
  const bool removes_none = GENERATE(false, true);
  const json wanted = expected()[removes_none ? "steps_without_none" : "steps"];
  const StepSummary summary =
      summarize_steps(rows_of(read_listing().front(), {.removes_none = removes_none}));
  CHECK(summary.n_not_next == wanted["n_not_next"]);
  CHECK(summary.n_never == wanted["n_never"]);
  CHECK(summary.moments.size() == wanted["moments"].size());
  for (const json& one : wanted["moments"]) {
    CAPTURE(one);
    const StepMoments* found =
        summary.find(kStepPlaces.parse(one["place"].get<std::string>()), one["step"].get<int>() - 1,
                     one["statistic"].get<std::string>());
    REQUIRE(found);
    CHECK(found->mean == Approx(one["mean"].get<double>()).epsilon(1e-12));
    CHECK(found->deviation == Approx(one["deviation"].get<double>()).epsilon(1e-9).margin(1e-12));
    CHECK(found->n == one["n"]);
  }
}

TEST_CASE("Tells when the second label comes later", "[steps]") {
  std::map<std::string, int> found;
  for (const StepRow& row : rows_of(read_listing().front(), {})) {
    if (!row.next || !row.next->n_steps_to_second) continue;
    ++found[std::to_string(row.index + 1) + " " + std::to_string(*row.next->n_steps_to_second)];
  }
  CHECK(json(found) == expected()["steps"]["later"]);
}

TEST_CASE("Experiments of a folder count together, under its set and model", "[steps]") {
  const std::vector<NamedRuns> all = read_listing();
  CHECK(all.front().experiments.size() == 2);
  CHECK(all.front().name() == "GoEmotions/model-1B");
  const std::string one = support::fixture("figures/GoEmotions/listing_0/experiment_1").string();
  const auto named = read_all_named(std::vector{one}, std::vector<std::string>{"MFRC/8B Base"});
  REQUIRE(named.front().experiments.size() == 1);
  CHECK(named.front().experiments.front().index == 1);
  CHECK(named.front().set == "MFRC");
  CHECK(named.front().model == "8B Base");
  CHECK_THAT(support::message_of<ConfigError>([&] {
               read_all_named(std::vector{one}, std::vector<std::string>{"a", "b"});
             }),
             ContainsSubstring("--name: expected one name for each of the 1 runs, found 2"));
}

TEST_CASE("Steps that are last and intermediate ones are shown", "[steps]") {
  const StepSummary summary = summarize_steps(rows_of(read_listing().front(), {}));
  CHECK(shown_steps(summary, StepRange::Common, {}) == std::vector{0, 1, 2});
  CHECK(shown_steps(summary, StepRange::All, {}) == std::vector{0, 1, 2, 3});
  CHECK(shown_steps(summary, StepRange::All, 2) == std::vector{0, 1});
}

TEST_CASE("The files of the published scripts hold every mean and deviation", "[steps]") {
  const StepSummary summary = summarize_steps(rows_of(read_listing().front(), {}));
  const std::string text = stats_text(summary);
  CHECK_THAT(text, ContainsSubstring("avg stats as last label: {0: {'top': (0."));
  CHECK_THAT(text, ContainsSubstring("\n\nsecond not predicted ever: 45.5%"));
  const std::string yaml = stats_yaml(summary);
  CHECK_THAT(yaml, ContainsSubstring("avg_stats_as_last_label:\n  0:\n    top: [0."));
  CHECK_THAT(yaml, ContainsSubstring("\nsecond_not_predicted_ever: 45.45454545454545\n"));
  CHECK_THAT(stats_yaml({}), ContainsSubstring("avg_stats_as_last_label: {}\n"
                                               "second_not_predicted_ever: null\n"));
  CHECK(stats_text({}) == "avg stats as last label: {}\n\navg stats as intermediate label: {}");
  CHECK(file_stem("Llama3 8B Base") == "llama3_8b_base");
}

TEST_CASE("Answers of one word have no steps to compare", "[steps]") {
  const record::LoggedRun run =
      record::read_run(support::fixture("align/logs/GoEmotions/small/unary/tiny--model_0"));
  CHECK_THAT(support::message_of<DataError>([&] { measure_steps(run, {}); }),
             ContainsSubstring("expected answers that list labels (baseline, classify), found "
                               "those of unary"));
}

}  // namespace labelprobe::analysis
