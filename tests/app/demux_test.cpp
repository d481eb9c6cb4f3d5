// labelprobe demux, from a data set to a table: training, kills, mistakes, and what takes its logs.
#include <csignal>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/killed_run.h"
#include "support/catch.h"
#include "support/program.h"

namespace labelprobe {
namespace {

namespace fs = std::filesystem;
using support::fixture;
using support::ProgramResult;
using support::read_file;
using support::run_program;
using support::TempFolder;

// A folder with a tiny BERT of random weights, and room for logs.
class Place {
 public:
  Place() {
    fs::create_directories(encoder());
    fs::copy(fixture("model/sentence/bert/config.json"), encoder());
    fs::copy(fixture("model/sentence/bert/model.safetensors"), encoder());
    fs::copy(fixture("tokenizer/words/vocab.txt"), encoder());
  }

  fs::path encoder() const { return folder_.path() / "encoder"; }
  fs::path logs() const { return folder_.path() / "logs"; }
  fs::path log(int number = 0) const {
    return logs() / "GoEmotions" / ("aggregate,None,None,None_" + std::to_string(number));
  }

  ProgramResult run(const std::vector<std::string>& more) const {
    return run_program(arguments(more));
  }

  std::vector<std::string> arguments(const std::vector<std::string>& more) const {
    const std::string data = (support::source_folder() / "configs/example").string();
    std::vector<std::string> words = {"demux",
                                      "GoEmotions",
                                      "--root-dir",
                                      data,
                                      "--emotion-clustering-json",
                                      data + "/emotion_clustering.json",
                                      "--model-name-or-path",
                                      encoder().string(),
                                      "--max-length",
                                      "48",
                                      "--train-batch-size",
                                      "32",
                                      "--log-root",
                                      logs().string(),
                                      "--num-train-epochs",
                                      "2"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

 private:
  TempFolder folder_;
};

}  // namespace

TEST_CASE("demux trains, logs in the published layout, and align takes its scores", "[e2e]") {
  const Place place;
  const ProgramResult result =
      place.run({"--intra-loss-coef", "0", "0.2", "--lr", "1e-3", "--save-model"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(result.out == place.log(0).string() + "\n" + place.log(1).string() + "\n");
  CHECK_THAT(result.err, ContainsSubstring("step 10, dev: ") && ContainsSubstring("examples/s") &&
                             ContainsSubstring("10 steps in ") &&
                             ContainsSubstring("texts are longer than --max-length 48 allows"));
  for (const char* name :
       {"indexed_metrics.yml", "metrics.yml", "annotator_metrics.yml", "params.yml", "names.txt",
        "steps.yml", "aggregated_metrics.yml", "training_0/curve.csv", "training_0/curve.svg",
        "training_0/model/model.safetensors"}) {
    INFO(name);
    CHECK(fs::exists(place.log(1) / name));
  }
  CHECK_FALSE(fs::exists(place.log(1) / "training_0/checkpoint.safetensors"));
  CHECK(read_file(place.log(1) / "names.txt").starts_with("aggregate,None,None,None:"));
  CHECK(read_file(place.log(1) / "steps.yml").find("dev_macro_f1:") != std::string::npos);
  const std::string metrics = read_file(place.log(1) / "metrics.yml");
  CHECK_THAT(metrics, ContainsSubstring("best_dev_macro_f1: ") &&
                          ContainsSubstring("dev_jaccard_score:\n") &&
                          ContainsSubstring("test_joy_f1: "));

  const ProgramResult again = place.run({"--intra-loss-coef", "0.2", "--lr", "1e-3"});
  CHECK(again.exit_code == 0);
  CHECK_THAT(again.err, ContainsSubstring("finished before: ") && ContainsSubstring("None_1"));

  const ProgramResult extracted =
      run_program({"extract-scores", "GoEmotions", "--experiment-name",
                   "aggregate,None,None,None_1", "--log-root", place.logs().string()});
  INFO(extracted.err);
  CHECK(extracted.exit_code == 0);
  CHECK_THAT(extracted.out, ContainsSubstring("scores.yml: "));
  const std::string data = (support::source_folder() / "configs/example").string();
  const ProgramResult aligned = run_program(
      {"align", "GoEmotions", "--root-dir", data, "--emotion-clustering-json",
       data + "/emotion_clustering.json", "--train-splits", "train", "--test-splits", "dev",
       "--scores", "BERT=" + (place.log(1) / "scores.yml").string(), "--format", "json"});
  INFO(aligned.err);
  CHECK(aligned.exit_code == 0);
  CHECK_THAT(aligned.out, ContainsSubstring("\"BERT\""));

  // What was saved can be trained on.
  const ProgramResult further =
      run_program({"demux", "GoEmotions", "--root-dir", data, "--emotion-clustering-json",
                   data + "/emotion_clustering.json", "--model-name-or-path",
                   (place.log(1) / "training_0/model").string(), "--max-length", "48", "--dry-run",
                   "--log-root", place.logs().string()});
  INFO(further.err);
  CHECK(further.exit_code == 0);
  CHECK_THAT(further.out, ContainsSubstring("36 of 48 tokens of each sequence") &&
                              ContainsSubstring("129 train, 40 dev") &&
                              ContainsSubstring("the weights of the best dev_macro_f1"));
}

TEST_CASE("A training that was killed goes on and ends in the same bytes", "[e2e]") {
  const Place whole;
  const Place killed;
  const std::vector<std::string> more = {"--lr", "1e-3", "--checkpoint-steps", "1"};
  REQUIRE(whole.run(more).exit_code == 0);
  support::start_and_kill(killed.arguments(more),
                          killed.log() / "training_0/checkpoint.safetensors", 1);
  REQUIRE_FALSE(fs::exists(killed.log() / "metrics.yml"));
  REQUIRE(fs::exists(killed.log() / "training_0/checkpoint.safetensors"));
  const ProgramResult result = killed.run(more);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.err, ContainsSubstring("goes on from ") && ContainsSubstring("of 10 steps"));
  for (const char* name : {"indexed_metrics.yml", "metrics.yml", "training_0/curve.csv"}) {
    INFO(name);
    CHECK(read_file(killed.log() / name) == read_file(whole.log() / name));
  }
}

TEST_CASE("A loss that is no number stops the training with the batch's ids", "[e2e]") {
  const Place place;
  const ProgramResult result = place.run({"--lr", "1e30", "--checkpoint-steps", "1", "--quiet"});
  CHECK(result.exit_code == 4);
  CHECK_THAT(result.err, ContainsSubstring("(epoch 1): expected a finite ") &&
                             ContainsSubstring("the last good checkpoint stays in ") &&
                             ContainsSubstring("items of the batch: x"));
  CHECK(fs::exists(place.log() / "training_0/checkpoint.safetensors"));
  CHECK_FALSE(fs::exists(place.log() / "metrics.yml"));
}

TEST_CASE("demux refuses what does not go together", "[e2e]") {
  const Place place;
  const auto refused = [&](const std::vector<std::string>& more, int exit_code,
                           const std::string& message) {
    const ProgramResult result = place.run(more);
    INFO(result.err);
    CHECK(result.exit_code == exit_code);
    CHECK_THAT(result.err, ContainsSubstring(message));
  };
  refused({"--max-length", "36", "--dry-run"}, 2, "expected 37 or more, for the names of 7 labels");
  refused({"--dry-run", "--early-stopping-metric", "macrof1"}, 2, "did you mean 'macro_f1'?");
  refused({"--dry-run", "--filter-predictions"}, 2,
          "filter_predictions needs --train-pred-log-dir");
  refused({"--dry-run", "--stopping", "first"}, 2, "(known: best, published)");
  fs::remove(place.encoder() / "vocab.txt");
  refused({"--dry-run"}, 4, "expected tokenizer.json, tokenizer.model or vocab.txt");
  const ProgramResult none = run_program({"extract-scores", "GoEmotions", "--experiment-name", "x",
                                          "--log-root", place.logs().string()});
  CHECK(none.exit_code == 3);
  CHECK_THAT(none.err, ContainsSubstring("no such file; expected the folder of a finished run"));
}

TEST_CASE("The published stopping tests the last weights where its metric does not exist",
          "[e2e]") {
  const Place place;
  const ProgramResult result = place.run({"--stopping", "published", "--lr", "1e-3"});
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.err, ContainsSubstring("the dev role has no metric 'eval_accuracy'") &&
                             ContainsSubstring("tested the weights of step 10"));
  CHECK(read_file(place.log() / "metrics.yml").find("best_dev") == std::string::npos);
}

}  // namespace labelprobe
