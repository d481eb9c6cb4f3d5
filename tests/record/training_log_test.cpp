#include "labelprobe/record/training_log.h"

#include <fstream>

#include <yaml-cpp/yaml.h>

#include "labelprobe/core/error.h"
#include "labelprobe/record/logged_run.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::record {
namespace {

namespace fs = std::filesystem;

RunRequest make_training_request(const fs::path& root) {
  RunRequest request;
  request.log_root = root;
  request.category = "SemEval";
  request.layout = kPlainLayout;
  request.params = {{"annotation_mode", std::string("aggregate"), true, 0},
                    {"lr", 2e-5},
                    {"seed", std::int64_t{0}, false, {}, Bearing::Repetition}};
  return request;
}

TrainingLog make_log(LabelKind kind) {
  TrainingLog log;
  log.label_set = LabelSet({"joy", "fear"}, kind);
  const bool is_multi = kind == LabelKind::MultiLabel;
  const Labels none = is_multi ? Labels{} : Labels{0};
  log.items = {{"a", "aggregate", "first", {1}, ScoredLabels{{0.25F, 0.75F}, {1}}, {}},
               {"b",
                "aggregate",
                "second",
                none,
                ScoredLabels{{0.1F, 0.2F}, none},
                {{{0.5F, 0.5F}, {1}}, {{0.1F, 0.2F}, none}}},
               {"c__ann1", "ann1", "third", {1}, ScoredLabels{{0.0F, 1.0F}, {1}}, {}}};
  log.test_metrics = {{"macro_f1", 0.5}};
  log.annotator_metrics = {{"ann1", {{"macro_f1", 1.0}}}};
  log.dev_metrics = {{"macro_f1", {0.0, 0.125}}};
  log.steps = {5, 10};
  log.best = 1;
  return log;
}

}  // namespace

TEST_CASE("A training's log has the layout of Demux for a reader that is not ours", "[record]") {
  const support::TempFolder folder;
  fs::path log;
  {
    TrainingRun run(make_training_request(folder.path()));
    log = run.folder();
    CHECK(log == folder.path() / "SemEval/aggregate_0");
    run.finish(make_log(LabelKind::MultiLabel));
  }
  const auto load = [&](const char* name) {
    return YAML::LoadFile((log / name).string())["experiment_0"];
  };
  const YAML::Node items = load("indexed_metrics.yml");
  CHECK(items.size() == 3);  // "description" is one
  CHECK(items["a"]["test_preds"].as<std::vector<int>>() == std::vector{0, 1});
  CHECK(items["a"]["test_gt"].as<std::vector<int>>() == std::vector{0, 1});
  CHECK(items["a"]["test_scores"].as<std::vector<float>>() == std::vector{0.25F, 0.75F});
  CHECK_FALSE(items["a"]["dev_scores"]);
  CHECK(items["b"]["test_preds"].as<std::vector<int>>() == std::vector{0, 0});
  CHECK(items["b"]["dev_preds"].as<std::vector<std::vector<int>>>() ==
        std::vector<std::vector<int>>{{0, 1}, {0, 0}});
  CHECK(items["b"]["dev_scores"].size() == 2);
  CHECK(items["b"]["best_dev_scores"].as<std::vector<float>>() == std::vector{0.1F, 0.2F});
  const YAML::Node metrics = load("metrics.yml");
  CHECK(metrics["test_macro_f1"].as<double>() == 0.5);
  CHECK(metrics["dev_macro_f1"].as<std::vector<double>>() == std::vector{0.0, 0.125});
  CHECK(metrics["best_dev_macro_f1"].as<double>() == 0.125);
  CHECK(load("annotator_metrics.yml")["ann1"]["macro_f1"].as<double>() == 1.0);
  CHECK(load("annotator_preds.yml")["ann1"]["c"]["test_preds"].size() == 2);
  const YAML::Node steps = YAML::LoadFile((log / "steps.yml").string());
  CHECK(steps["dev_macro_f1"].as<std::vector<int>>() == std::vector{5, 10});
  const YAML::Node means = YAML::LoadFile((log / "aggregated_metrics.yml").string());
  CHECK(means[""]["test_macro_f1"].as<std::string>() == "0.5+-0.0");

  CHECK(TrainingRun(make_training_request(folder.path())).was_finished());
  CHECK_THROWS_WITH(read_run(log), ContainsSubstring("which labelprobe extract-scores takes"));
  const ScoreLists scores = read_score_lists(log, 0);
  CHECK(scores.size() == 2);
  CHECK(scores.at("a") == std::vector{0.25, 0.75});
}

TEST_CASE("Classes are logged as their index", "[record]") {
  const support::TempFolder folder;
  TrainingRun run(make_training_request(folder.path()));
  run.finish(make_log(LabelKind::SingleLabel));
  const YAML::Node items =
      YAML::LoadFile((run.folder() / "indexed_metrics.yml").string())["experiment_0"];
  CHECK(items["a"]["test_gt"].as<int>() == 1);
  CHECK(items["b"]["test_preds"].as<int>() == 0);
  CHECK(items["b"]["dev_preds"].as<std::vector<int>>() == std::vector{1, 0});
}

TEST_CASE("Scores are read of published logs too, and only of logs that have lists of them",
          "[record]") {
  const support::TempFolder folder;
  const auto write = [&](const std::string& text) {
    std::ofstream(folder.path() / "indexed_metrics.yml") << text;
  };
  write(
      "experiment_0:\n  a__aggregate:\n    test_scores:\n    - 0.5\n    - 1.0e-05\n"
      "  b:\n    dev_scores:\n    - 0.5\n  description: ''\n");
  const ScoreLists scores = read_score_lists(folder.path(), 0);
  CHECK(scores == ScoreLists{{"a", {0.5, 1e-5}}});
  CHECK_THROWS_AS(read_score_lists(folder.path(), 1), ConfigError);
  write("experiment_0:\n  a:\n    test_scores:\n      joy: 0.5\n");
  CHECK_THROWS_WITH(read_score_lists(folder.path(), 0),
                    ContainsSubstring("indexed_metrics.yml:") &&
                        ContainsSubstring("test_scores: expected a list of numbers"));
  write("experiment_0:\n  a:\n    test_gt: 1\n");
  CHECK_THROWS_WITH(read_score_lists(folder.path(), 0),
                    ContainsSubstring("expected items with test_scores in experiment_0"));
}

}  // namespace labelprobe::record
