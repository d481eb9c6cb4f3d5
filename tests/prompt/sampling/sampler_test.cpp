#include "labelprobe/prompt/sampler.h"

#include <fstream>
#include <map>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "prompt/toys.h"
#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::prompt {
namespace {

using Positions = std::vector<int>;
using Kind = SamplingStrategy::Kind;

Positions draw_m(const std::string& strategy, int n_shots, std::int64_t seed) {
  return Sampler(toy_m(), toy_m_labels(), SamplingStrategy::parse(strategy), n_shots)
      .sample(seed, kAggregate);
}

Positions draw_s(const std::string& strategy, int n_shots, std::int64_t seed) {
  return Sampler(toy_s(), toy_s_labels(), SamplingStrategy::parse(strategy), n_shots)
      .sample(seed, kAggregate);
}

TEST_CASE("Draws the published random demonstrations", "[sampler]") {
  CHECK(draw_m("random", 10, 0) == Positions{54, 24, 48, 56, 26, 2, 16, 32, 31, 25});
  CHECK(draw_m("", 10, 1) == Positions{8, 36, 54, 51, 48, 4, 16, 7, 31, 55});
  CHECK(draw_m("None", 10, 42) == Positions{40, 7, 1, 47, 17, 15, 14, 8, 56, 6});
}

TEST_CASE("Draws the published multilabel demonstrations at every ratio", "[sampler]") {
  CHECK(draw_m("multilabel_0", 10, 0) == Positions{31, 18, 54, 55, 48, 24, 1, 25, 16, 30});
  CHECK(draw_m("multilabel_0.2", 10, 0) == Positions{30, 31, 52, 24, 38, 41, 18, 1, 16, 22});
  CHECK(draw_m("multilabel_0.4", 10, 0) == Positions{55, 31, 18, 24, 38, 41, 49, 5, 26, 30});
  CHECK(draw_m("multilabel", 10, 0) == Positions{58, 18, 38, 52, 5, 41, 47, 26, 24, 49});
  CHECK(draw_m("multilabel_0.5", 10, 1) == Positions{11, 40, 8, 48, 30, 24, 14, 28, 56, 26});
  CHECK(draw_m("multilabel_0.6", 10, 0) == Positions{58, 18, 38, 52, 5, 41, 47, 26, 20, 49});
  CHECK(draw_m("multilabel_0.8", 10, 0) == Positions{20, 47, 30, 59, 38, 41, 14, 5, 26, 22});
  CHECK(draw_m("multilabel_1", 10, 0) == Positions{20, 47, 23, 59, 38, 41, 14, 5, 26, 17});
}

TEST_CASE("Draws the published uniform demonstrations of both label kinds", "[sampler]") {
  CHECK(draw_m("uniform", 12, 0) == Positions{53, 36, 25, 34, 41, 14, 15, 38, 45, 56, 5, 21});
  CHECK(draw_m("uniform", 12, 1) == Positions{9, 25, 11, 51, 54, 47, 7, 53, 36, 6, 52, 12});
  CHECK(draw_s("uniform", 10, 0) == Positions{741, 784, 734, 625, 593, 647, 465, 62, 397, 367});
  CHECK(draw_s("uniform", 10, 1) == Positions{181, 582, 98, 690, 758, 815, 206, 725, 873, 389});
  CHECK(draw_s("uniform", 10, 2) == Positions{629, 142, 932, 328, 255, 551, 470, 384, 133, 88});
}

// The sets of the fixture, made by the formula in its script.
std::vector<Example> make_items(bool is_multilabel, int n_items, int n_labels, int n_annotators) {
  std::vector<Example> items;
  for (std::int64_t i = 0; i < n_items; ++i) {
    Labels labels;
    for (int label = 0; is_multilabel && label < n_labels; ++label) {
      if ((i * (2 * label + 3) + i / (label + 2)) % 7 == 0) {
        labels.push_back(label);
      }
    }
    if (!is_multilabel) {
      labels.push_back(static_cast<int>((i * i + i / 3) % n_labels));
    }
    const auto annotator = i % n_annotators;
    items.push_back(toy_example(
        static_cast<int>(i), labels,
        annotator == 0 ? "aggregate" : std::string("r").append(std::to_string(annotator))));
  }
  return items;
}

TEST_CASE("Draws what CPython's random and set objects draw, from small and large sets",
          "[sampler]") {
  std::ifstream file(support::fixture("prompt/samplers.json"));
  const nlohmann::json cases = nlohmann::json::parse(file).at("cases");
  REQUIRE(cases.size() > 400);
  std::map<std::string, std::vector<Example>> sets;
  std::map<std::string, Sampler> made;
  for (const nlohmann::json& expected : cases) {
    const bool is_multilabel = expected.at("kind") == "multilabel";
    const int n_labels = expected.at("n_labels");
    const int n_items = expected.at("n_items");
    const int n_annotators = expected.at("n_annotators");
    const std::string set_name = std::to_string(is_multilabel) + "/" + std::to_string(n_items) +
                                 "/" + std::to_string(n_labels);
    if (!sets.contains(set_name)) {
      sets[set_name] = make_items(is_multilabel, n_items, n_labels, n_annotators);
    }
    std::vector<std::string> names;
    for (int label = 0; label < n_labels; ++label) {
      names.push_back("label" + std::to_string(label));
    }
    const std::string strategy = expected.at("strategy");
    const int n_shots = expected.at("shots");
    const auto sampler =
        made.try_emplace(
                set_name + strategy + std::to_string(n_shots), sets[set_name],
                LabelSet(names, is_multilabel ? LabelKind::MultiLabel : LabelKind::SingleLabel),
                SamplingStrategy::parse(strategy), n_shots)
            .first;
    CAPTURE(expected.dump());
    CHECK(sampler->second.sample(expected.at("seed").get<std::int64_t>(),
                                 expected.at("annotator").get<std::string>()) ==
          expected.at("positions").get<Positions>());
  }
}

TEST_CASE("Draws complete demonstrations as CPython does, and fails where all attempts do",
          "[sampler]") {
  std::ifstream file(support::fixture("prompt/samplers.json"));
  const nlohmann::json cases = nlohmann::json::parse(file).at("complete");
  REQUIRE(cases.size() > 400);
  std::map<std::string, std::vector<Example>> sets;
  int n_failed = 0;
  for (const nlohmann::json& expected : cases) {
    CAPTURE(expected.dump());
    const int n_items = expected.at("n_items");
    const int n_labels = expected.at("n_labels");
    const int n_annotators = expected.at("n_annotators");
    std::vector<Example>& items = sets[std::to_string(n_items)];
    if (items.empty()) {
      items = make_items(/*is_multilabel=*/true, n_items, n_labels, n_annotators);
    }
    std::vector<std::string> names;
    for (int label = 0; label < n_labels; ++label) {
      names.push_back("label" + std::to_string(label));
    }
    SamplingStrategy strategy = SamplingStrategy::parse("complete");
    strategy.n_retries = expected.at("retries");
    const Sampler sampler(items, LabelSet(names, LabelKind::MultiLabel), strategy,
                          expected.at("shots").get<int>());
    const auto draw = [&] {
      return sampler.sample(expected.at("seed").get<std::int64_t>(),
                            expected.at("annotator").get<std::string>());
    };
    if (expected.at("positions").is_null()) {
      ++n_failed;
      CHECK_THROWS_AS(draw(), ConfigError);
    } else {
      CHECK(draw() == expected.at("positions").get<Positions>());
    }
  }
  CHECK(n_failed > 20);
}

TEST_CASE("Complete says what keeps it from showing every label", "[sampler]") {
  CHECK_THROWS_WITH(draw_m("complete", 1, 0),
                    "sampling strategy 'complete' with 1 shots: expected to show all 4 labels, "
                    "failed in 3 attempts; use more shots, more retries or another strategy");
  CHECK_THROWS_WITH(draw_m("complete", 61, 0),
                    ContainsSubstring("training examples of annotator 'aggregate', not drawn for a "
                                      "label, found "));
  const LabelSet five({"a", "b", "c", "d", "e"}, LabelKind::MultiLabel);
  const SamplingStrategy complete = SamplingStrategy::parse("complete");
  CHECK_THROWS_WITH(Sampler(toy_m(), five, complete, 9).sample(0, kAggregate),
                    ContainsSubstring("expected at least 1 training examples labelled 'e' of "
                                      "annotator 'aggregate', found 0"));
  CHECK_THROWS_WITH(draw_s("complete", 9, 0),
                    ContainsSubstring("'complete': expected a data set with several labels per "
                                      "example, found a single-label one"));
  CHECK_THROWS_WITH(Sampler(toy_m(), toy_m_labels(), {.kind = Kind::Complete, .n_retries = 0}, 9),
                    "retries: expected 1 or more, found 0");
}

TEST_CASE("Zero shots draw nothing, whatever the training set", "[sampler]") {
  for (const std::string strategy : {"random", "complete", "uniform", "multilabel"}) {
    const Sampler sampler({}, toy_m_labels(), SamplingStrategy::parse(strategy), 0);
    python::Random random(5);
    CHECK(sampler.sample(random, {.seed = 0, .annotator = "nobody"}).empty());
    CHECK(random.getrandbits(32) == python::Random(5).getrandbits(32));
  }
}

TEST_CASE("Leaves the generator where the draw ended", "[sampler]") {
  // CPython: random.seed(0); random.sample(range(60), 10); random.getrandbits(32)
  python::Random random(99);
  const Sampler sampler(toy_m(), toy_m_labels(), {}, 10);
  sampler.sample(random, {.seed = 0, .annotator = kAggregate});
  CHECK(random.getrandbits(32) == 3943786419u);
}

TEST_CASE("Random and uniform stay with the query's annotator, multilabel draws from all",
          "[sampler]") {
  std::vector<Example> train = toy_m();
  for (std::size_t i = 0; i < train.size(); i += 2) {
    train[i].annotator = "r1";
  }
  for (const std::string strategy : {"random", "uniform"}) {
    const Sampler sampler(train, toy_m_labels(), SamplingStrategy::parse(strategy), 4);
    for (const int position : sampler.sample(0, "r1")) {
      CHECK(position % 2 == 0);
    }
  }
  const Sampler sampler(train, toy_m_labels(), SamplingStrategy::parse("multilabel"), 10);
  CHECK(sampler.sample(0, "r1") == draw_m("multilabel", 10, 0));
  CHECK(sampler.sample(0, "somebody else") == draw_m("multilabel", 10, 0));
}

TEST_CASE("Says what a strategy needs when there are too few examples", "[sampler]") {
  CHECK_THROWS_AS(draw_m("random", 61, 0), ConfigError);
  CHECK_THROWS_WITH(draw_m("random", 61, 0),
                    "sampling strategy 'random' with 61 shots: expected at least 61 training "
                    "examples of annotator 'aggregate', found 60; use fewer shots or another "
                    "strategy");
  CHECK_THROWS_WITH(draw_m("multilabel_0.9", 30, 0),
                    ContainsSubstring("'multilabel_0.9' with 30 shots: expected at least 27 "
                                      "training examples with several labels, found 20"));
  CHECK_THROWS_WITH(draw_m("multilabel_0", 31, 0),
                    ContainsSubstring("at least 31 training examples with exactly one label, "
                                      "found 30"));
  CHECK_THROWS_WITH(
      draw_s("uniform", 1002, 0),
      ContainsSubstring("expected at least 334 training examples labelled 'normal' of annotator "
                        "'aggregate', not drawn for an earlier label, found 333"));
  const std::vector<Example> train = toy_m();
  CHECK_THROWS_WITH(Sampler(train, toy_m_labels(), {}, 2).sample(0, "r7"),
                    ContainsSubstring("of annotator 'r7', found 0"));
}

TEST_CASE("Refuses multilabel sampling of single-label sets and negative shots", "[sampler]") {
  CHECK_THROWS_AS(draw_s("multilabel", 2, 0), ConfigError);
  CHECK_THROWS_WITH(draw_s("multilabel_0.3", 2, 0),
                    ContainsSubstring("'multilabel_0.3': expected a data set with several labels "
                                      "per example, found a single-label one"));
  CHECK_THROWS_WITH(draw_m("random", -1, 0), "shots: expected 0 or more, found -1");
}

TEST_CASE("Reads and spells the strategies' names", "[sampler]") {
  CHECK(SamplingStrategy::parse("").kind == Kind::Random);
  CHECK(SamplingStrategy::parse("None").name() == "random");
  CHECK(SamplingStrategy::parse("uniform").kind == Kind::Uniform);
  CHECK(SamplingStrategy::parse("multilabel").multilabel_ratio == 0.5);
  CHECK(SamplingStrategy::parse("multilabel_0.3").multilabel_ratio == 0.3);
  CHECK(SamplingStrategy::parse("multilabel_0.3").name() == "multilabel_0.3");
  CHECK(SamplingStrategy::parse("multilabel_1").name() == "multilabel_1");
  CHECK(SamplingStrategy::parse("multilabel_0.50").name() == "multilabel");
  for (const SamplerInfo& info : samplers()) {
    CHECK(SamplingStrategy::parse(info.name).name() == info.name);
  }
}

TEST_CASE("Names the known strategies when it meets another", "[sampler]") {
  CHECK_THROWS_WITH(SamplingStrategy::parse("uniforn"),
                    "unknown sampling strategy 'uniforn'; did you mean 'uniform'? (known: random, "
                    "complete, similarity, "
                    "uniform, multilabel, multilabel_R)");
  for (const std::string share : {"", "1.5", "-0.1", "nan", "inf", "half", "0.5x"}) {
    CHECK_THROWS_WITH(
        SamplingStrategy::parse("multilabel_" + share),
        ContainsSubstring("expected a share from 0 to 1 after 'multilabel_', found '" + share +
                          "'"));
  }
}

}  // namespace
}  // namespace labelprobe::prompt
