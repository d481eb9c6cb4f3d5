// Numbers per label from flags to files.
#include "labelprobe/record/logged_run.h"

#include "app/e2e_run.h"
#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe {
namespace {

using support::ProgramResult;
using support::run_arguments;
using support::run_program;
using support::TempFolder;

const std::vector<std::string> kAsksForNumbers = {"--distribution", "verbalized", "--limit", "3"};

std::vector<std::string> verbalized_arguments(const TempFolder& logs,
                                              const std::vector<std::string>& more) {
  std::vector<std::string> flags = kAsksForNumbers;
  flags.insert(flags.end(), more.begin(), more.end());
  return run_arguments(logs.path(), flags);
}

TEST_CASE("A verbalized run says how many answers state no number", "[e2e]") {
  const TempFolder logs;
  const ProgramResult result = run_program(verbalized_arguments(logs, {"--max-new-tokens", "100"}));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);  // the tiny model has learned to list labels, whatever is asked
  CHECK_THAT(result.err, ContainsSubstring("3 of 3 answers state no number"));
  const std::string folder = (logs.path() / "GoEmotions" / "e2e_0").string();
  const auto items = record::read_run(folder).items;
  REQUIRE(items.size() == 3);
  CHECK(items[0].reported_probs.empty());
  CHECK(items[0].predictions.empty());
  const ProgramResult shown = run_program({"show", folder});
  CHECK(shown.exit_code == 0);
  CHECK_THAT(shown.out, ContainsSubstring("there are no probabilities"));
}

TEST_CASE("A verbalized run that could not answer in full is refused before it starts", "[e2e]") {
  const TempFolder logs;
  const ProgramResult result = run_program(verbalized_arguments(logs, {"--max-new-tokens", "18"}));
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err,
             ContainsSubstring("--max-new-tokens: expected at least 49 for the 7 labels") &&
                 ContainsSubstring("found 18"));
  CHECK(std::filesystem::is_empty(logs.path()));
}

TEST_CASE("A real model's numbers are logged, shown and estimated from", "[e2e]") {
  const auto model = support::smollm2_gguf();
  if (model.empty()) {
    SKIP_ALOUD("SmolLM2-135M-Instruct is not here; scripts/get_model.sh fetches it");
  }
  const TempFolder logs;
  const ProgramResult result = run_program(verbalized_arguments(
      logs, {"--max-new-tokens", "70", "--shot", "2", "--model-name-or-path", model.string()}));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const std::string folder = (logs.path() / "GoEmotions" / "e2e_0").string();
  const auto items = record::read_run(folder).items;
  REQUIRE(items.size() == 3);
  for (const record::ItemRecord& item : items) {
    CAPTURE(item.outs);
    CHECK_FALSE(item.reported_probs.empty());
    CHECK(item.expected_probs.empty());  // its tokenizer writes numbers digit by digit
  }
  CHECK_THAT(run_program({"show", folder}).out, ContainsSubstring("reported"));
}

}  // namespace
}  // namespace labelprobe
