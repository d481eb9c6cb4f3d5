// Queries that are drawn as their own demonstrations. Expected draws from CPython's random, by the
// rule of Sampler::sample().
#include <algorithm>

#include "labelprobe/core/error.h"
#include "labelprobe/prompt/queries.h"

#include "prompt/toys.h"
#include "support/catch.h"

namespace labelprobe::prompt {
namespace {

using Positions = std::vector<int>;
using Ids = std::vector<std::string>;

Positions draw(std::string_view strategy, const Positions& own, int n_shots = 10) {
  const Sampler sampler(toy_m(), toy_m_labels(), SamplingStrategy::parse(strategy), n_shots);
  python::Random random(0);
  return sampler.sample(random, {.seed = 0, .annotator = kAggregate, .own = own});
}

std::vector<Query> ask(const std::vector<Example>& queries, const QueryOptions& options) {
  return make_baseline({toy_go_emotions(), queries, toy_go_emotions_labels(), options});
}

QueryOptions replacing() {
  QueryOptions options = pipeline_options();
  options.own = OwnDemonstrations::Replace;
  return options;
}

// One that is shown (8, 0, 11, 6), by its id and by its text, and one that is not.
const std::vector<Example> kQueries = {{"t0", "aggregate", "Another text", {0}},
                                       {"x", "aggregate", "Why would he do that?", {3}},
                                       {"t5", "aggregate", "Hope it works out", {1}}};

}  // namespace

TEST_CASE("Another example stands in the query's place and the others stay", "[sampler]") {
  CHECK(draw("random", {}) == Positions{54, 24, 48, 56, 26, 2, 16, 32, 31, 25});
  CHECK(draw("random", {3}) == draw("random", {}));
  CHECK(draw("random", {48}) == Positions{54, 24, 21, 56, 26, 2, 16, 32, 31, 25});
  CHECK(draw("random", {56, 31, 40}) == Positions{54, 24, 48, 21, 26, 2, 16, 32, 38, 25});
  CHECK(draw("multilabel", {58}) == Positions{37, 18, 38, 52, 5, 41, 47, 26, 24, 49});
  CHECK(draw("multilabel", {18, 24}) == Positions{58, 37, 38, 52, 5, 41, 47, 26, 54, 49});
}

TEST_CASE("What stands in has the very labels where every label is shown equally", "[sampler]") {
  for (const char* strategy : {"uniform", "complete"}) {
    CAPTURE(strategy);
    const Positions published = draw(strategy, {});
    for (std::size_t i = 0; i < published.size(); ++i) {
      const Positions drawn = draw(strategy, {published[i]});
      CHECK(drawn[i] % 6 == published[i] % 6);  // toy M: the labels go by i mod 6
      CHECK(std::count(published.begin(), published.end(), drawn[i]) == 0);
      CHECK(std::count(drawn.begin(), drawn.end(), drawn[i]) == 1);
    }
  }
  CHECK_THROWS_WITH(draw("random", {3}, 60),
                    ContainsSubstring("expected an example of annotator 'aggregate' to show in "
                                      "place of the query"));
}

TEST_CASE("A query among its demonstrations is known by its id and by its text", "[plan]") {
  QueryOptions options = pipeline_options();
  std::vector<Query> made = ask(kQueries, options);
  CHECK(made[0].is_demonstrated);
  CHECK(made[1].is_demonstrated);
  CHECK(!made[2].is_demonstrated);
  for (const Query& query : made) {
    CHECK(query.demonstration_ids == Ids{"t8", "t0", "t11", "t6"});
  }
  options.ids_are_common = false;  // ids that are line numbers say nothing
  made = ask(kQueries, options);
  CHECK(!made[0].is_demonstrated);
  CHECK(made[1].is_demonstrated);
}

TEST_CASE("Replacing the query changes the prompts of such queries only", "[plan]") {
  const std::vector<Query> made = ask(kQueries, replacing());
  for (const Query& query : made) {
    CHECK(!query.is_demonstrated);
  }
  CHECK(made[0].demonstration_ids[1] != "t0");
  CHECK(made[0].demonstration_ids[0] == "t8");
  CHECK(made[1].demonstration_ids[3] != "t6");
  CHECK(made[2].text == ask(kQueries, pipeline_options())[2].text);
}

TEST_CASE("By similarity the next nearest stands in for the query", "[plan]") {
  auto vectors = std::make_shared<SentenceVectors>();
  vectors->n_dims = 1;
  vectors->train.assign(12, 1);
  vectors->queries = {1};
  QueryOptions options = pipeline_options();
  options.sampling = SamplingStrategy::parse("similarity");
  options.vectors = vectors;
  const std::vector<Example> queries = {kQueries[0]};
  CHECK(ask(queries, options)[0].demonstration_ids == Ids{"t0", "t1", "t2", "t3"});
  CHECK(ask(queries, options)[0].is_demonstrated);
  options.own = OwnDemonstrations::Replace;
  CHECK(ask(queries, options)[0].demonstration_ids == Ids{"t1", "t2", "t3", "t4"});
}

}  // namespace labelprobe::prompt
