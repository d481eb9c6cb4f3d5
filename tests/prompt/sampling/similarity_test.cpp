// Demonstrations that resemble the query.
#include <memory>

#include "labelprobe/core/error.h"
#include "labelprobe/prompt/queries.h"
#include "labelprobe/prompt/sampler.h"

#include "prompt/toys.h"
#include "support/catch.h"

namespace labelprobe::prompt {
namespace {

using Positions = std::vector<int>;
using Ids = std::vector<std::string>;

// Directions in the plane, in degrees from the first axis: 0, 90, 45, 45 (longer), 180, none.
std::shared_ptr<const SentenceVectors> plane_vectors(std::vector<float> queries) {
  auto vectors = std::make_shared<SentenceVectors>();
  vectors->n_dims = 2;
  vectors->train = {1, 0, 0, 2, 3, 3, 50, 50, -1, 0, 0, 0};
  vectors->queries = std::move(queries);
  return vectors;
}

std::vector<Example> plane_examples() {
  std::vector<Example> train;
  for (int i = 0; i < 6; ++i) {
    train.push_back(toy_example(i, {i % 4}));
  }
  return train;
}

Positions nearest(int n_shots, std::vector<float> query, std::string_view annotator = kAggregate) {
  std::vector<Example> train = plane_examples();
  train[2].annotator = "ann1";
  const Sampler sampler(train, toy_m_labels(), SamplingStrategy::parse("similarity"), n_shots,
                        plane_vectors(std::move(query)));
  python::Random random(7);
  python::Random untouched(7);
  const Positions positions = sampler.sample(random, {.seed = 1, .annotator = annotator});
  CHECK(random.getrandbits(32) == untouched.getrandbits(32));
  return positions;
}

}  // namespace

TEST_CASE("The most similar examples come first, by direction and not by length", "[sampler]") {
  CHECK(nearest(3, {9, 1}) == Positions{0, 3, 1});
  CHECK(nearest(3, {0, 0.1F}) == Positions{1, 3, 0});      // 0 and 4 are equally far: the first
  CHECK(nearest(5, {-1, 0}) == Positions{4, 1, 5, 3, 0});  // 1 and the empty 5 are equally far
  CHECK(nearest(1, {1, 0}, "ann1") == Positions{2});
}

TEST_CASE("Of equally similar examples the first are shown", "[sampler]") {
  const Sampler sampler(plane_examples(), toy_m_labels(), SamplingStrategy::parse("similarity"), 2,
                        plane_vectors({1, 1}));
  python::Random random(0);
  CHECK(sampler.sample(random, {.annotator = kAggregate}) == Positions{2, 3});
}

TEST_CASE("Similarity says what it lacks", "[sampler]") {
  CHECK_THROWS_WITH(
      Sampler(plane_examples(), toy_m_labels(), SamplingStrategy::parse("similarity"), 2),
      "sampling strategy 'similarity': expected sentence vectors, found none; give "
      "--sentence-vectors FILE or --sentence-model-name-or-path MODEL");
  CHECK_THROWS_WITH(nearest(6, {1, 0}),
                    ContainsSubstring("expected at least 6 training examples of annotator "
                                      "'aggregate', found 5"));
  CHECK_NOTHROW(
      Sampler(plane_examples(), toy_m_labels(), SamplingStrategy::parse("similarity"), 0));
}

TEST_CASE("Every plan shows each query the demonstrations that resemble it", "[plan]") {
  const std::vector<Example> queries = {toy_example(10, {0}), toy_example(11, {1})};
  QueryOptions options = pipeline_options();
  options.sampling = SamplingStrategy::parse("similarity");
  options.n_shots = 2;
  options.vectors = plane_vectors({0, 1, 1, 0.1F});
  for (const DemonstrationMode mode : {DemonstrationMode::Shared, DemonstrationMode::Fresh}) {
    options.demonstrations = mode;
    for (const MakeQueries make : {make_baseline, make_unary, make_binary}) {
      for (const Query& query : make({plane_examples(), queries, toy_m_labels(), options})) {
        CAPTURE(query.item.id());
        CHECK(query.demonstration_ids ==
              (query.item.example_id == "t10" ? Ids{"t1", "t2"} : Ids{"t0", "t2"}));
      }
    }
  }
}

TEST_CASE("The ratios of multilabel_ICL do not look at similarity", "[plan]") {
  const std::vector<Example> queries = {toy_example(100, {0})};
  QueryOptions options = pipeline_options();
  const std::vector<Query> by_default =
      make_multilabel_icl({toy_m(), queries, toy_m_labels(), options});
  options.sampling = SamplingStrategy::parse("similarity");
  const std::vector<Query> by_similarity =
      make_multilabel_icl({toy_m(), queries, toy_m_labels(), options});
  REQUIRE(by_default.size() == 6);
  for (std::size_t i = 0; i < by_default.size(); ++i) {
    CHECK(by_default[i].text == by_similarity[i].text);
  }
}

}  // namespace labelprobe::prompt
