// What each plan asks, reads and logs, with a scripted model; no torch.
#include <fstream>
#include <stdexcept>

#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include "labelprobe/core/error.h"
#include "labelprobe/record/logged_run.h"

#include "experiment/settings_for_tests.h"
#include "support/catch.h"
#include "support/program.h"

namespace labelprobe::experiment {
namespace {

using support::FakeModel;
using support::TempFolder;

// After a prompt that ends in a space: a line break, then `word`; one token earlier ` word`. The
// word's logit is 3, that of its rival 1, of all others 0.
FakeModel word_model(const std::string& word, const std::string& rival) {
  return {kTokenizer.vocab_size(),
          [word, rival](std::span<const TokenId> prompt, std::span<const TokenId> generated) {
            std::vector<float> logits(static_cast<std::size_t>(kTokenizer.vocab_size()), 0.0F);
            const auto at = [&](const std::string& token) -> float& {
              return logits[static_cast<std::size_t>(kTokenizer.id(token))];
            };
            if (prompt.back() != kTokenizer.id(" ")) {
              at(" " + word) = 3.0F;
              at(" " + rival) = 1.0F;
            } else if (generated.empty()) {
              at("\n") = 5.0F;
              at(word) = 3.0F;
              at(rival) = 1.0F;
            } else {
              at(word) = 3.0F;
              at(rival) = 1.0F;
            }
            return logits;
          }};
}

Settings plan_settings(const std::string& plan) {
  Settings settings = example_settings();
  settings.plan = &find_plan(plan);
  settings.batch_size = 3;  // odd: a prompt and its beginning come in different batches
  return settings;
}

std::filesystem::path folder_of(const TempFolder& logs) {
  return logs.path() / "GoEmotions" / "test_0";
}

float prob_of(const record::LabelValues& values, const std::string& name) {
  for (const auto& [key, prob] : values) {
    if (key == name) return prob;
  }
  throw std::runtime_error("no value named " + name);
}

TEST_CASE("Lists its plans; --distribution takes some of them", "[unit]") {
  std::vector<std::string> distributions;
  for (const Plan* plan : plans()) {
    CHECK(&find_plan(plan->name) == plan);
    if (plan->is_distribution) distributions.emplace_back(plan->name);
  }
  CHECK(distributions ==
        std::vector<std::string>{"baseline", "unary", "binary", "multilabel_ICL", "verbalized"});
  CHECK(&find_distribution("multilabel_icl") == &find_plan("multilabel_ICL"));
  CHECK_THROWS_WITH(
      find_distribution("unari"),
      "unknown distribution 'unari'; did you mean 'unary'? (known: baseline, unary, binary, "
      "multilabel_ICL, verbalized)");
  CHECK_THROWS_AS(find_distribution("classify"), ConfigError);
  CHECK_THROWS_AS(find_distribution(""), ConfigError);
  CHECK_THROWS_WITH(find_plan("clasify"), ContainsSubstring("did you mean 'classify'"));
}

TEST_CASE("A unary run reads the answer where it came, at once, and before the space", "[unit]") {
  const TempFolder logs;
  const Outcome outcome =
      run_with(word_model("reasonable", "unreasonable"), plan_settings("unary"), logs.path());
  CHECK(outcome.n_items == 6 * 8);
  CHECK(outcome.n_without_label == 0);
  CHECK(outcome.metrics.empty());
  const auto items = record::read_run(folder_of(logs)).items;
  REQUIRE(items.size() == 48);
  const float pair_share = 1 / (1 + std::exp(-2.0F));
  const float n_others = static_cast<float>(kTokenizer.vocab_size() - 2);
  const float alone = std::exp(3.0F) / (std::exp(3.0F) + std::exp(1.0F) + n_others);
  const float beside_break =
      std::exp(3.0F) / (std::exp(5.0F) + std::exp(3.0F) + std::exp(1.0F) + n_others - 1);
  for (const record::ItemRecord& item : items) {
    CHECK(item.predictions == std::vector<std::string>{"reasonable"});
    CHECK(item.is_label_found());
    CHECK(item.first_label_index() == 1);
    CHECK(prob_of(item.first_probs(), "reasonable") == Approx(pair_share));
    REQUIRE(item.greedy_answer);
    CHECK(prob_of(item.greedy_answer->bare_probs, "reasonable") == Approx(alone));
    CHECK(item.greedy_answer->is_top);
    REQUIRE(item.first_answer);
    CHECK(prob_of(item.first_answer->bare_probs, "reasonable") == Approx(beside_break));
    CHECK_FALSE(item.first_answer->is_top);
    REQUIRE(item.healed_answer);
    CHECK(prob_of(item.healed_answer->spaced_probs, "reasonable") == Approx(alone));
    CHECK(item.healed_answer->is_top);
  }
}

TEST_CASE("An answer that never comes is logged and counted as not found", "[unit]") {
  const TempFolder logs;
  Settings settings = plan_settings("unary");
  settings.max_new_tokens = 1;  // the line break is all that comes
  const Outcome outcome = run_with(word_model("reasonable", "unreasonable"), settings, logs.path());
  CHECK(outcome.n_without_label == 48);
  const auto items = record::read_run(folder_of(logs)).items;
  CHECK_FALSE(items[0].is_label_found());
  CHECK(items[0].predictions.empty());
  CHECK(prob_of(items[0].first_probs(), "reasonable") == 0.5F);
  CHECK_FALSE(items[0].greedy_answer);
  CHECK(items[0].first_answer);
}

TEST_CASE("A binary run that died between a prompt and its beginning ends in the same bytes",
          "[unit]") {
  const TempFolder logs;
  const Settings settings = plan_settings("binary");
  const Outcome whole = run_with(word_model("a", "b"), settings, logs.path() / "whole");
  CHECK(whole.n_items == 6 * 28);
  FakeModel crashing = word_model("a", "b");
  crashing.batches_until_crash = 5;
  CHECK_THROWS_AS(run_with(std::move(crashing), settings, logs.path() / "died"),
                  std::runtime_error);
  const Outcome outcome = run_with(word_model("a", "b"), settings, logs.path() / "died");
  CHECK(outcome.n_resumed == 7);  // of 15 prompts, 7 pairs
  for (const char* file : {"indexed_metrics.yml", "annotator_metrics.yml"}) {
    CHECK(support::read_file(logs.path() / "died" / "GoEmotions" / "test_0" / file) ==
          support::read_file(logs.path() / "whole" / "GoEmotions" / "test_0" / file));
  }
  CHECK_FALSE(
      std::filesystem::exists(logs.path() / "died" / "GoEmotions" / "test_0" / "metrics.yml"));
}

TEST_CASE("A multilabel_ICL run logs six ratios per query, with metrics for each", "[unit]") {
  const TempFolder logs;
  const Outcome outcome = run_with(answering_model(), plan_settings("multilabel_ICL"), logs.path());
  CHECK(outcome.n_items == 36);
  CHECK(outcome.metrics.empty());
  const YAML::Node metrics =
      YAML::LoadFile((folder_of(logs) / "annotator_metrics.yml").string())["experiment_0"];
  for (const char* ratio : {"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"}) {
    CHECK(metrics["aggregate_ratio_" + std::string(ratio)]["micro_f1"]);
  }
  CHECK(record::read_run(folder_of(logs)).items[0].label_steps.size() == 2);
}

TEST_CASE("Plain prompting keeps annotators apart; its log serves as prior labels", "[unit]") {
  const TempFolder logs;
  Settings settings = example_settings();
  settings.plan = &find_plan("classify");
  settings.train.annotation_mode = settings.test.annotation_mode = data::AnnotationMode::Both;
  settings.sampling = {};
  settings.limit.reset();
  settings.n_shots = 1;
  const Outcome outcome = run_with(answering_model(), settings, logs.path());
  CHECK(outcome.metrics.contains("micro_f1"));
  const auto logged = record::read_run(folder_of(logs)).items;
  CHECK(logged.size() == 40);  // the aggregate's
  const auto all = record::read_run(folder_of(logs), std::nullopt, record::Annotators::All).items;
  CHECK(all.size() == outcome.n_items);
  CHECK(all.size() > logged.size());

  Settings second = example_settings();
  second.labels.mode = prompt::LabelMode::Predictions;
  second.test_prior.folder = folder_of(logs);
  second.n_shots = 0;
  const Questions questions = make_questions(second);
  CHECK(questions.queries[0].gold == Labels{0, 4});  // joy and fear, as predicted
  second.test_prior.experiment = 3;
  CHECK_THROWS_AS(make_questions(second), ConfigError);
}

TEST_CASE("Pair prompting asks whether the gold label is reasonable", "[unit]") {
  const TempFolder logs;
  Settings settings = example_settings();
  settings.plan = &find_plan("assess");
  settings.templates.incontext = "Input: {text}\nLabel: {label}\nReasonable? {r}\n\n";
  const Outcome outcome = run_with(word_model("reasonable", "unreasonable"), settings, logs.path());
  CHECK(outcome.n_items == 6);
  CHECK(outcome.metrics.at("accuracy") == 1.0);
  CHECK(outcome.metrics.at("f1") == 1.0);
  const auto items = record::read_run(folder_of(logs)).items;
  CHECK(items[0].gold == std::vector<std::string>{"reasonable"});
  CHECK(items[0].predictions == std::vector<std::string>{"reasonable"});
  CHECK_FALSE(items[0].checked_label.empty());
}

}  // namespace
}  // namespace labelprobe::experiment
