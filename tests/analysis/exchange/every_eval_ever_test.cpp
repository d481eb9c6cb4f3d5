// A run in the schema of Every Eval Ever: its numbers. Whether the files are of the schema is
// tested by tests/scripts/export_test.py.
#include "labelprobe/analysis/every_eval_ever.h"

#include <sstream>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/paths.h"

namespace labelprobe::analysis {
namespace {

using nlohmann::json;

record::LoggedRun small_run() {
  record::LoggedRun run = record::read_run(support::fixture("figures/GoEmotions/listing_0"), 0);
  run.items.resize(4);
  const std::vector<std::vector<std::string>> gold = {{"joy"}, {}, {"joy", "anger"}, {"joy"}};
  const std::vector<std::vector<std::string>> predicted = {{"joy"}, {}, {"joy"}, {"anger"}};
  for (std::size_t i = 0; i < gold.size(); ++i) {
    run.items[i].gold = gold[i];
    run.items[i].predictions = predicted[i];
  }
  return run;
}

}  // namespace

TEST_CASE("Scores of items and their mean, failed items aside", "[exchange]") {
  record::LoggedRun run = small_run();
  run.items.push_back(run.items.back());
  run.items.back().failure = "too long";
  const EvalRun eval = prepare_eval(run);
  CHECK(eval.set == "GoEmotions");
  CHECK(eval.model_id == "tiny/model-1B");
  CHECK(eval.file.parent_path() == "data/GoEmotions/tiny/model-1B");
  std::ostringstream out;
  write_eval(out, eval, {.organization = "Us"});
  const json found = json::parse(out.str());
  const json& scores = found["evaluation_results"];
  REQUIRE(scores.size() == 2);
  CHECK(scores[0]["score_details"]["score"].get<double>() == Approx(0.625));
  CHECK(scores[1]["score_details"]["score"].get<double>() == Approx(0.5));
  // numpy.std(ddof=1) / 2 of 1, 1, 0.5 and 0.
  CHECK(scores[0]["score_details"]["uncertainty"]["standard_error"]["value"].get<double>() ==
        Approx(0.2393567769));
  CHECK(found["source_metadata"]["source_organization_name"] == "Us");
  std::ostringstream lines;
  write_eval_samples(lines, eval);
  std::istringstream read(lines.str());
  std::vector<json> samples;
  for (std::string line; std::getline(read, line);) samples.push_back(json::parse(line));
  REQUIRE(samples.size() == 5);
  CHECK(samples[2]["evaluation"]["score"] == 0.5);
  CHECK(samples[1]["evaluation"]["is_correct"] == true);
  CHECK(samples[4]["error"] == "too long");
  CHECK(samples[0]["evaluation_id"] == found["evaluation_id"]);
}

TEST_CASE("No model's name leads out of the folder of evaluations", "[exchange]") {
  record::LoggedRun run = small_run();
  for (const char* name : {"..", "a/..", "a/.", "../..", "/", "", "../x/.."}) {
    INFO(name);
    run.model = name;
    CHECK(prepare_eval(run).file.parent_path() == "data/GoEmotions/unknown/unknown");
  }
  run.model = "/etc/passwd";
  CHECK(prepare_eval(run).file.parent_path() == "data/GoEmotions/unknown/passwd");
}

TEST_CASE("What the schema cannot hold is refused", "[exchange]") {
  const record::LoggedRun words =
      record::read_run(support::fixture("align/logs/GoEmotions/small/unary/tiny--model_0"));
  CHECK_THAT(support::message_of<DataError>([&] { prepare_eval(words); }),
             ContainsSubstring("expected answers that list labels"));
  record::LoggedRun homeless = small_run();
  homeless.params.clear();
  CHECK_THAT(support::message_of<DataError>([&] { prepare_eval(homeless); }),
             ContainsSubstring("expected the folder LOG_ROOT/SET/..."));
}

}  // namespace labelprobe::analysis
