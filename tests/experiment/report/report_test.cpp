#include "labelprobe/experiment/report.h"

#include "experiment/settings_for_tests.h"
#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::experiment {
namespace {

using analysis::ReportedRun;
using analysis::ReportPage;

// A finished run of the example data, as its log tells it.
AskedRun asked_run(const std::filesystem::path& folder, const Settings& settings) {
  run_with(answering_model(), settings, folder);
  AskedRun asked;
  asked.log = record::read_run(folder / "GoEmotions" / "test_0");
  asked.origin = record::read_origin(asked.log);
  asked.settings = settings;
  return asked;
}

TEST_CASE("A report has votes, estimates, a table and the prompts of a run", "[report]") {
  const support::TempFolder folder;
  const Settings settings = example_settings();
  const ReportPage page = make_report({asked_run(folder.path(), settings)}, true);
  REQUIRE(page.runs.size() == 1);
  const ReportedRun& run = page.runs.front();
  CHECK(run.notes.empty());
  CHECK(run.task == "GoEmotions");
  REQUIRE(run.log.items.size() == 6);
  // The prompts are those that were asked.
  const Questions questions = make_questions(settings);
  REQUIRE(run.prompts.size() == 6);
  for (const prompt::Query& query : questions.queries) {
    CHECK(run.prompts.at(query.item.log_key()) == query.text);
  }
  REQUIRE(run.votes);
  CHECK(page.votes[*run.votes].votes.size() == 40);
  REQUIRE(page.tables.size() == 1);
  CHECK(page.tables[0].rows.size() >= 3);
  REQUIRE(!run.estimates.empty());
  CHECK(run.estimates.front().title == "Compare-to-None");
  CHECK(run.estimates.front().probs.size() == 6);
  CHECK_FALSE(run.validity.empty());
}

TEST_CASE("Prompts that come out otherwise are left out, and counted", "[report]") {
  const support::TempFolder folder;
  AskedRun asked = asked_run(folder.path(), example_settings());
  asked.settings->templates.instruction = "Other words: {labels}.\n";
  const ReportPage page = make_report({asked}, true);
  CHECK(page.runs[0].prompts.empty());
  REQUIRE(page.runs[0].notes.size() == 1);
  CHECK_THAT(page.runs[0].notes[0], ContainsSubstring("6 of 6 prompts are left out"));
  CHECK(make_report({asked}, false).runs[0].notes.empty());
}

TEST_CASE("What was seen inside belongs to the items with the same answers", "[report]") {
  const support::TempFolder folder;
  const AskedRun asked = asked_run(folder.path(), example_settings());
  const record::ItemRecord& item = asked.log.items.at(1);
  analysis::SeenItem seen{item.outs, {}};
  seen.steps.resize(item.label_steps.size());
  analysis::SeenItem other = seen;
  other.answer += " and more";
  InspectionFile file{"looks.jsonl", {{item.key, seen}, {asked.log.items.at(2).key, other}}};
  const ReportPage page = make_report({asked}, false, {file});
  REQUIRE(page.runs[0].inside.size() == 1);
  CHECK(page.runs[0].inside.begin()->first == item.key);
  file.items.erase(item.key);
  CHECK_THROWS_WITH(make_report({asked}, false, {file}),
                    ContainsSubstring("looks.jsonl: expected items of the runs, with their "
                                      "answers; found none among its 1 items"));
}

TEST_CASE("Without its data a run is reported from its log, and the reason is told", "[report]") {
  const support::TempFolder folder;
  AskedRun asked = asked_run(folder.path(), example_settings());
  asked.settings->train.root_dir = asked.settings->test.root_dir = folder.path() / "nowhere";
  const ReportPage page = make_report({asked}, true);
  const ReportedRun& run = page.runs[0];
  CHECK(run.log.items.size() == 6);
  CHECK_FALSE(run.votes);
  CHECK(page.tables.empty());
  CHECK(run.prompts.empty());
  std::string notes;
  for (const std::string& note : run.notes) notes += note + "\n";
  CHECK_THAT(notes, ContainsSubstring("There are no votes: "));
  CHECK_THAT(notes, ContainsSubstring("The prompts are left out: "));
  CHECK_THAT(notes, ContainsSubstring("nowhere"));
}

TEST_CASE("A log that tells no settings is reported all the same", "[report]") {
  const support::TempFolder folder;
  AskedRun asked = asked_run(folder.path(), example_settings());
  asked.settings.reset();
  asked.why_no_settings = "the log does not tell.";
  const ReportPage page = make_report({asked}, true);
  CHECK(page.runs[0].notes ==
        std::vector<std::string>{"Votes and prompts are left out: the log does not tell."});
}

TEST_CASE("Runs of the same examples share a table, others do not", "[report]") {
  const support::TempFolder folder;
  Settings unary = example_settings();
  unary.plan = &find_plan("unary");
  Settings other = example_settings();
  other.test.splits = {"test"};
  const ReportPage page =
      make_report({asked_run(folder.path() / "a", example_settings()),
                   asked_run(folder.path() / "b", unary), asked_run(folder.path() / "c", other)},
                  false);
  CHECK(page.tables.size() == 2);
  CHECK(page.runs[0].votes == page.runs[1].votes);
  CHECK(page.runs[2].votes == 1U);
}

TEST_CASE("A folder names its data set", "[report]") {
  CHECK(task_of_folder("logs/GoEmotions/baseline_0") == "GoEmotions");
  CHECK(task_of_folder("GoEmotionsReason/pairs_0") == "GoEmotions");
  CHECK(task_of_folder("GoEmotions/logs/Hatexplain/x") == "Hatexplain");
  CHECK(task_of_folder("/tmp/some_0").empty());
}

}  // namespace
}  // namespace labelprobe::experiment
