// The order of work, with a scripted model and the bundled example data; no torch.
#include "labelprobe/experiment/run.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>

#include "labelprobe/core/error.h"
#include "labelprobe/record/logged_run.h"

#include "experiment/settings_for_tests.h"
#include "support/catch.h"
#include "support/program.h"

namespace labelprobe::experiment {
namespace {

using support::FakeModel;
using support::TempFolder;

TEST_CASE("Counts the nodes of the prompts' trie as a set of prefixes does", "[unit]") {
  const std::vector<TokenIds> prompts = {{1, 2, 3}, {1, 2, 4, 5}, {1, 2, 3}, {7}, {1, 2}};
  std::set<TokenIds> prefixes;
  for (const TokenIds& prompt : prompts) {
    for (std::size_t n = 1; n <= prompt.size(); ++n) {
      prefixes.insert(TokenIds(prompt.begin(), prompt.begin() + static_cast<std::ptrdiff_t>(n)));
    }
  }
  const TokenCounts counts = count_tokens(prompts);
  CHECK(counts.n_prompt_tokens == 13);
  CHECK(counts.n_distinct_tokens == static_cast<std::int64_t>(prefixes.size()));
  CHECK(counts.n_shared_prefix == 0);
  CHECK(counts.longest_prompt == 4);
  CHECK(count_tokens({{1, 2, 3}, {1, 2, 4}}).n_shared_prefix == 2);
}

TEST_CASE("An id that no log can hold is refused before there is a model", "[unit]") {
  const TempFolder data;
  for (const char* name : {"train.tsv", "dev.tsv", "emotions.txt"}) {
    std::filesystem::copy_file(kExampleData / name, data.path() / name);
  }
  std::ofstream(data.path() / "dev.tsv", std::ios::app) << "Some text\t0\tdescription\n";
  Settings settings = example_settings();
  settings.train.root_dir = settings.test.root_dir = data.path();
  CHECK_NOTHROW(prepare(settings, kTokenizer));  // the limit leaves it out
  settings.limit.reset();
  CHECK_THROWS_WITH(prepare(settings, kTokenizer),
                    ContainsSubstring("item id 'description' cannot be logged"));
}

TEST_CASE("Every query is answered, read and logged with its labels", "[unit]") {
  const TempFolder logs;
  const Outcome outcome = run_with(answering_model(), example_settings(), logs.path());
  CHECK(outcome.n_items == 6);
  CHECK(outcome.n_failed == 0);
  CHECK(outcome.n_without_label == 0);
  const auto items = record::read_run(logs.path() / "GoEmotions" / "test_0").items;
  REQUIRE(items.size() == 6);
  for (const record::ItemRecord& item : items) {
    CHECK(item.outs == "joy, fear");
    CHECK(item.predictions == std::vector<std::string>{"joy", "fear"});
    CHECK(item.label_steps.size() == 2);
    CHECK(item.label_steps[1].log_sum_exp.has_value());
    CHECK(item.label_steps[1].logits.size() == item.label_steps[0].logits.size());
  }
  std::ifstream manifest(logs.path() / "GoEmotions" / "test_0" / "manifest.json");
  const std::string text{std::istreambuf_iterator<char>(manifest), {}};
  CHECK_THAT(text, ContainsSubstring("\"program\": \"" + record::program_version() + "\"") &&
                       ContainsSubstring("configs/example/train.tsv"));
  CHECK(outcome.metrics.contains("micro_f1"));
}

TEST_CASE("A run that died goes on where it stopped and ends in the same bytes", "[unit]") {
  const TempFolder logs;
  run_with(answering_model(), example_settings(), logs.path() / "whole");
  FakeModel crashing = answering_model();
  crashing.batches_until_crash = 1;
  CHECK_THROWS_AS(run_with(std::move(crashing), example_settings(), logs.path() / "died"),
                  std::runtime_error);
  const Outcome outcome = run_with(answering_model(), example_settings(), logs.path() / "died");
  CHECK(outcome.n_resumed == 2);
  for (const char* file : {"indexed_metrics.yml", "metrics.yml"}) {
    CHECK(support::read_file(logs.path() / "died" / "GoEmotions" / "test_0" / file) ==
          support::read_file(logs.path() / "whole" / "GoEmotions" / "test_0" / file));
  }
}

TEST_CASE("Failed items are counted, logged and left out of the metrics", "[unit]") {
  const TempFolder logs;
  FakeModel small = answering_model();
  small.editable_info().max_context = 10;
  const Outcome outcome = run_with(std::move(small), example_settings(), logs.path());
  CHECK(outcome.n_failed == 6);
  CHECK(outcome.metrics.empty());
  CHECK(record::read_run(logs.path() / "GoEmotions" / "test_0").items[0].failure.has_value());
}

TEST_CASE("Rounds logged numbers where asked to", "[unit]") {
  const TempFolder logs;
  Settings settings = example_settings();
  settings.logs_precision = 2;
  run_with(answering_model(), settings, logs.path());
  // e^3 / (e^3 + 7) for eight label tokens of which one has logit 3.
  const auto items = record::read_run(logs.path() / "GoEmotions" / "test_0").items;
  for (const auto& [label, prob] : items[0].first_probs()) {
    CHECK(prob == (label == "joy" ? 0.74F : 0.04F));
  }
}

TEST_CASE("Other prompts have another fingerprint, the same prompts the same", "[unit]") {
  Settings settings = example_settings();
  const std::string first = prepare(settings, kTokenizer).contents_fingerprint;
  CHECK(prepare(settings, kTokenizer).contents_fingerprint == first);
  settings.seed = 1;
  CHECK(prepare(settings, kTokenizer).contents_fingerprint != first);
}

TEST_CASE("Says what is missing before anything is run", "[unit]") {
  Settings no_test = example_settings();
  no_test.test.splits.clear();
  CHECK_THROWS_AS(make_questions(no_test), ConfigError);
  Settings no_train = example_settings();
  no_train.train.splits.clear();
  CHECK_THROWS_AS(make_questions(no_train), ConfigError);
  no_train.n_shots = 0;
  CHECK(make_questions(no_train).queries.size() == 6);
}

}  // namespace
}  // namespace labelprobe::experiment
