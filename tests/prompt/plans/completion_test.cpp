#include <fstream>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/prompt/queries.h"

#include "prompt/toys.h"
#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::prompt {
namespace {

using Ids = std::vector<std::string>;

const LabelSet kToyEmotions = toy_go_emotions_labels();

TEST_CASE("Writes the published baseline prompt byte for byte", "[plan]") {
  const std::vector<Example> train = toy_go_emotions();
  const std::vector<Example> queries = {{"de0", "aggregate", "Can I speak to the manager?", {3}}};
  const std::vector<Query> made = make_baseline({train, queries, kToyEmotions, pipeline_options()});
  REQUIRE(made.size() == 1);
  CHECK(
      made[0].text ==
      R"(Classify the following inputs into none, one, or multiple the following emotions per input: joy, optimism, admiration, surprise, fear, sadness and anger. Output exactly these emotions and no others.
Input: Well done, I am proud and happy
{"label": ["joy", "admiration"]}
Input: What a lovely day!
{"label": ["joy"]}
Input: He is a hero, good luck to him
{"label": ["optimism", "admiration"]}
Input: Why would he do that?
{"label": ["surprise"]}
Input: Can I speak to the manager?)");
  CHECK(made[0].item.id() == "de0__aggregate");
  CHECK(made[0].query_text == "Can I speak to the manager?");
  CHECK(made[0].gold == Labels{3});
  CHECK(made[0].demonstration_ids == Ids{"t8", "t0", "t11", "t6"});
}

TEST_CASE("A training text is the prompt in full with its labels behind it", "[plan]") {
  const std::vector<Example> train = toy_go_emotions();
  const std::vector<Example> queries = {{"de0", "aggregate", "Can I speak to the manager?", {3}},
                                        {"de1", "aggregate", "Fine.", {}}};
  QueryOptions options = pipeline_options();
  options.n_shots = 0;
  const auto made = make_training_texts({train, queries, kToyEmotions, options});
  REQUIRE(made.size() == 2);
  CHECK(made[0].item.id() == "de0__aggregate");
  CHECK(
      made[0].text ==
      R"(Classify the following inputs into none, one, or multiple the following emotions per input: joy, optimism, admiration, surprise, fear, sadness and anger. Output exactly these emotions and no others.
Input: Can I speak to the manager?
{"label": ["surprise"]})");
  CHECK_THAT(made[1].text, ContainsSubstring("Input: Fine.\n{\"label\": [\"none\"]}"));
  options.n_shots = 4;
  const std::string shown = make_training_texts({train, queries, kToyEmotions, options})[0].text;
  CHECK(shown.starts_with(make_baseline({train, queries, kToyEmotions, options})[0].text));
  CHECK(shown.ends_with("Can I speak to the manager?\n{\"label\": [\"surprise\"]}"));
}

TEST_CASE("Draws the published demonstrations of the worked example at every ratio", "[plan]") {
  const std::vector<std::pair<std::string, Ids>> expected = {
      {"multilabel_0.0", {"t7", "t0", "t10", "t5"}}, {"multilabel_0.2", {"t7", "t0", "t10", "t5"}},
      {"multilabel_0.4", {"t8", "t0", "t7", "t5"}},  {"multilabel_0.6", {"t8", "t0", "t11", "t6"}},
      {"multilabel_0.8", {"t8", "t1", "t11", "t6"}}, {"multilabel_1.0", {"t8", "t1", "t11", "t2"}},
  };
  for (const auto& [strategy, ids] : expected) {
    CAPTURE(strategy);
    QueryOptions options = pipeline_options();
    options.sampling = SamplingStrategy::parse(strategy);
    const std::vector<Example> queries = {{"de0", "aggregate", "Can I speak to the manager?", {3}}};
    CHECK(make_baseline({toy_go_emotions(), queries, kToyEmotions, options})[0].demonstration_ids ==
          ids);
  }
}

std::optional<std::string> optional_text(const nlohmann::json& object, const char* key) {
  return object.contains(key) ? std::optional(object.at(key).get<std::string>()) : std::nullopt;
}

std::vector<Example> examples_of_rows(const nlohmann::json& rows) {
  std::vector<Example> examples;
  for (const nlohmann::json& row : rows) {
    examples.push_back(
        {row.at("id"), row.at("annotator"), row.at("text"), row.at("labels").get<Labels>()});
  }
  return examples;
}

void expect_prompts(const nlohmann::json& expected) {
  const nlohmann::json& given = expected.at("options");
  const LabelSet label_set(expected.at("labels").get<Ids>(), expected.at("kind") == "single"
                                                                 ? LabelKind::SingleLabel
                                                                 : LabelKind::MultiLabel);
  TemplateOptions options;
  options.defaults = DefaultTemplates::Published;
  options.system = optional_text(given, "system");
  options.instruction = optional_text(given, "instruction");
  options.incontext = optional_text(given, "incontext");
  options.query = optional_text(given, "query");
  options.user = optional_text(given, "user");
  options.assistant = optional_text(given, "assistant");
  options.label_format = LabelFormat::parse(expected.at("label_format").get<std::string>());
  QueryOptions plan;
  plan.templates = Templates::resolve(options, label_set);
  const nlohmann::json& templates = expected.at("templates");
  CHECK(plan.templates.system == templates.at("system").get<std::string>());
  CHECK(plan.templates.instruction == templates.at("instruction").get<std::string>());
  CHECK(plan.templates.incontext == templates.at("incontext").get<std::string>());
  CHECK(plan.templates.query == templates.at("query").get<std::string>());

  plan.n_shots = expected.at("shots");
  plan.seed = expected.at("seed");
  plan.demonstrations =
      expected.at("fresh").get<bool>() ? DemonstrationMode::Fresh : DemonstrationMode::Shared;
  const std::vector<Query> made =
      make_baseline({examples_of_rows(expected.at("train")),
                     examples_of_rows(expected.at("queries")), label_set, plan});
  REQUIRE(made.size() == expected.at("prompts").size());
  for (std::size_t i = 0; i < made.size(); ++i) {
    CHECK(made[i].demonstration_ids == expected.at("prompts")[i].at("demos").get<Ids>());
    CHECK(made[i].text == expected.at("prompts")[i].at("text").get<std::string>());
  }
}

TEST_CASE("Writes the prompts that the published rules give in Python, shared and fresh",
          "[plan]") {
  std::ifstream file(support::fixture("prompt/prompts.json"));
  const nlohmann::json cases = nlohmann::json::parse(file).at("prompts");
  REQUIRE(cases.size() == 20);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(i);
    expect_prompts(cases[i]);
  }
}

TEST_CASE("Shared demonstrations make one prefix for all queries of an annotator", "[plan]") {
  std::vector<Example> train = toy_m();
  for (std::size_t i = 0; i < train.size(); i += 3) {
    train[i].annotator = "r1";
  }
  std::vector<Example> queries;
  for (int i = 0; i < 6; ++i) {
    queries.push_back(toy_example(100 + i, {0}, i % 2 == 0 ? "aggregate" : "r1"));
  }
  QueryOptions options;
  options.templates = Templates::resolve({}, toy_m_labels());
  options.n_shots = 5;
  const std::vector<Query> shared = make_baseline({train, queries, toy_m_labels(), options});
  CHECK(shared[0].demonstration_ids == shared[2].demonstration_ids);
  CHECK(shared[1].demonstration_ids == shared[5].demonstration_ids);
  CHECK(shared[0].demonstration_ids != shared[1].demonstration_ids);
  CHECK(shared[1].item.id() == "t101__r1");

  options.demonstrations = DemonstrationMode::Fresh;
  const std::vector<Query> fresh = make_baseline({train, queries, toy_m_labels(), options});
  CHECK(fresh[0].demonstration_ids != fresh[2].demonstration_ids);
  // A query's demonstrations hang on its position, not on the queries after it.
  const std::vector<Query> first_three =
      make_baseline({train, std::span(queries).first(3), toy_m_labels(), options});
  CHECK(first_three[2].text == fresh[2].text);
}

TEST_CASE("Fails as a whole when an annotator has too few examples", "[plan]") {
  const std::vector<Example> queries = {toy_example(1, {0}), toy_example(2, {0}, "r9")};
  QueryOptions options;
  options.templates = Templates::resolve({}, toy_m_labels());
  options.n_shots = 1;
  CHECK_THROWS_WITH(make_baseline({toy_m(), queries, toy_m_labels(), options}),
                    ContainsSubstring("of annotator 'r9', found 0"));
}

TEST_CASE("Makes the prompts of a large set", "[plan]") {
  std::vector<Example> train;
  for (int i = 0; i < 43410; ++i) {
    train.push_back(toy_example(i, {i % 4}));
    if (i % 6 == 0) {
      train.back().labels = {0, 2};
    }
  }
  const std::vector<Example> queries(train.begin(), train.begin() + 231);
  QueryOptions options;
  options.templates = Templates::resolve({}, toy_m_labels());
  options.n_shots = 10;
  options.sampling = SamplingStrategy::parse(GENERATE("random", "multilabel", "uniform"));
  if (options.sampling.kind == SamplingStrategy::Kind::Uniform) {
    train[0].labels = train[1].labels = train[2].labels = {};
  }
  CHECK(make_baseline({train, queries, toy_m_labels(), options}).size() == 231);
}

}  // namespace
}  // namespace labelprobe::prompt
