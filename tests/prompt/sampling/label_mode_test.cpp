#include "labelprobe/prompt/label_mode.h"

#include "labelprobe/core/error.h"
#include "labelprobe/prompt/queries.h"

#include "prompt/toys.h"
#include "support/catch.h"

namespace labelprobe::prompt {
namespace {

using Texts = std::vector<std::string>;

const std::vector<Example> kAsked = {{"q", "aggregate", "query", {1}}};

QueryOptions with_mode(LabelMode mode, int n_shots = 4) {
  TemplateOptions templates;
  templates.system = templates.instruction = " ";
  QueryOptions options;
  options.templates = Templates::resolve(templates, toy_m_labels());
  options.n_shots = n_shots;
  options.labels.mode = mode;
  return options;
}

std::string first_prompt(const QueryOptions& options,
                         const std::vector<Example>& train,
                         const LabelSet& label_set,
                         const std::vector<Example>& queries = kAsked) {
  return make_baseline({train, queries, label_set, options}).at(0).text;
}

TEST_CASE("Reads the label modes' names, the misspelt one too", "[label_mode]") {
  CHECK(parse_label_mode("") == LabelMode::Gold);
  CHECK(parse_label_mode("None") == LabelMode::Gold);
  CHECK(parse_label_mode("random") == LabelMode::Random);
  CHECK(parse_label_mode("distribution") == LabelMode::Distribution);
  CHECK(parse_label_mode("preds") == LabelMode::Predictions);
  CHECK(parse_label_mode("opposite") == LabelMode::Opposite);
  CHECK(parse_label_mode("contrastive") == LabelMode::Contrastive);
  CHECK(parse_label_mode("constrastive") == LabelMode::Contrastive);
  CHECK_THROWS_WITH(parse_label_mode("pred"),
                    "unknown label mode 'pred'; did you mean 'preds'? (known: random, "
                    "distribution, preds, opposite, "
                    "contrastive)");
}

TEST_CASE("Changes the labels of aggregate queries only", "[label_mode]") {
  std::vector<Example> train = toy_s();
  for (std::size_t i = 0; i < train.size(); i += 2) {
    train[i].annotator = "r1";
  }
  const auto changes = [&](const std::string& annotator) {
    const std::vector<Example> queries = {{"q", annotator, "query", {1}}};
    return first_prompt(with_mode(LabelMode::Random, 12), train, toy_s_labels(), queries) !=
           first_prompt(with_mode(LabelMode::Gold, 12), train, toy_s_labels(), queries);
  };
  CHECK(changes("aggregate"));
  CHECK_FALSE(changes("r1"));
}

TEST_CASE("A seed of its own changes the labels and leaves the demonstrations", "[label_mode]") {
  QueryOptions options = with_mode(LabelMode::Random, 12);
  const auto make = [&](std::optional<std::int64_t> seed) {
    options.labels.randomization_seed = seed;
    return make_baseline({toy_m(), kAsked, toy_m_labels(), options}).at(0);
  };
  const Query unset = make(std::nullopt);
  CHECK(make(options.seed).text == unset.text);  // the run's seed is no seed of its own
  CHECK(make(7).text != unset.text);
  CHECK(make(7).text != make(8).text);
  CHECK(make(7).demonstration_ids == unset.demonstration_ids);
}

TEST_CASE("Opposite labels are for two classes", "[label_mode]") {
  const LabelSet two({"harm", "harmless"}, LabelKind::SingleLabel);
  const std::vector<Example> train = {{"t0", "aggregate", "first", {0}}};
  CHECK(first_prompt(with_mode(LabelMode::Opposite, 1), train, two) ==
        "Input: first\nLabels: harmless\n\nInput: query\nLabels:");
  CHECK_THROWS_AS(first_prompt(with_mode(LabelMode::Opposite), toy_s(), toy_s_labels()),
                  ConfigError);
  CHECK_THROWS_WITH(first_prompt(with_mode(LabelMode::Opposite), toy_s(), toy_s_labels()),
                    "label mode 'opposite': expected a single-label set of two labels, found a "
                    "single-label set of 3; use random or distribution");
  CHECK_THROWS_WITH(first_prompt(with_mode(LabelMode::Opposite), toy_m(), toy_m_labels()),
                    ContainsSubstring("found a multi-label set of 4"));
}

TEST_CASE("Refuses contrastive labels, saying what is missing", "[label_mode]") {
  CHECK_THROWS_WITH(
      first_prompt(with_mode(LabelMode::Contrastive), toy_m(), toy_m_labels()),
      ContainsSubstring("label mode 'contrastive': no rule says which labels these are"));
}

TEST_CASE("Names the example that has no prior labels", "[label_mode]") {
  const std::vector<Example> train = {{"t7", "aggregate", "first", {0}}};
  CHECK_THROWS_WITH(first_prompt(with_mode(LabelMode::Predictions, 1), train, toy_m_labels()),
                    ContainsSubstring("found none for 't7__aggregate'"));
}

TEST_CASE("The gold labels of a query are its prior labels where it has some", "[label_mode]") {
  std::vector<Example> queries = kAsked;
  queries.push_back({"q2", "aggregate", "query", {1}, Labels{0, 2}});
  const auto gold = [&](LabelMode mode, std::size_t query) {
    return make_baseline({{}, queries, toy_m_labels(), with_mode(mode, 0)})[query].gold;
  };
  CHECK(gold(LabelMode::Predictions, 0) == Labels{1});
  CHECK(gold(LabelMode::Predictions, 1) == Labels{0, 2});
  CHECK(gold(LabelMode::Gold, 1) == Labels{1});
}

TEST_CASE("Labels of the same length need a tokenizer", "[label_mode]") {
  QueryOptions options = with_mode(LabelMode::Distribution);
  options.labels.same_length = true;
  CHECK_THROWS_WITH(first_prompt(options, toy_m(), toy_m_labels()),
                    ContainsSubstring("expected a tokenizer to measure them, found none"));
}

// Chains of thought stand in the same places as label draws, behind them.
QueryOptions with_cots(bool randomize) {
  QueryOptions options = with_mode(LabelMode::Gold, 2);
  TemplateOptions templates;
  templates.system = templates.instruction = " ";
  templates.incontext = std::string("{text}: {cot} So {label}\n");
  options.templates = Templates::resolve(templates, toy_m_labels());
  options.cots = {{"t0__aggregate", "because $5 {text}"}, {"t9__r1", "of another annotator"}};
  options.randomize_cots = randomize;
  return options;
}

TEST_CASE("A missing chain of thought leaves its placeholder", "[label_mode]") {
  const std::vector<Example> train = {{"t0", "aggregate", "first", {0}},
                                      {"t9", "aggregate", "second", {1}}};
  const std::string prompt = first_prompt(with_cots(false), train, toy_m_labels());
  CHECK(prompt.find("first: because $5 {text} So a\n") != std::string::npos);
  CHECK(prompt.find("second: {cot} So b\n") != std::string::npos);
  CHECK(prompt.ends_with("query:"));
  CHECK(first_prompt(with_cots(true), train, toy_m_labels()).find("{cot}") == std::string::npos);
}

TEST_CASE("Pair prompts follow the published template files", "[pair]") {
  QueryOptions options = with_mode(LabelMode::Gold, 2);
  options.pair.yes_no = GENERATE(false, true);
  const Texts words = pair_words(options.pair);
  CHECK(words == (options.pair.yes_no ? Texts{"no", "yes"} : Texts{"unreasonable", "reasonable"}));
  TemplateOptions templates;
  templates.system = templates.instruction = " ";
  templates.pair_words = words;
  options.templates = Templates::resolve(templates, toy_m_labels());
  const std::vector<Example> train = {{"t0", "aggregate", "first", {0}}};
  options.n_shots = 1;
  options.pair.unreasonable_rate = 0;
  const std::vector<Example> queries = {{"q", "aggregate", "query", {1, 3}}};
  const Query made = make_pairs({train, queries, toy_m_labels(), options}).at(0);
  CHECK(made.text == "Input: `first`\nLabel: a\nAssessment: " + words[1] +
                         "\n\nInput: `query`\nLabel: b, d\nAssessment:");
  CHECK(made.checked_label == "b, d");
  CHECK(made.item.id() == "q__aggregate");
  options.pair.unreasonable_rate = 1;
  CHECK(make_pairs({train, queries, toy_m_labels(), options})[0].text ==
        "Input: `first`\nLabel: a\nAssessment: " + words[0] +
            "\n\nInput: `query`\nLabel: b, d\nAssessment:");
}

TEST_CASE("Pair prompts never ask about none unless it is the gold label", "[pair]") {
  QueryOptions options = with_mode(LabelMode::Gold, 3);
  TemplateOptions templates;
  templates.pair_words = pair_words({});
  options.templates = Templates::resolve(templates, toy_m_labels());
  options.pair.query_label = GENERATE(LabelMode::Random, LabelMode::Distribution);
  options.labels.randomization_seed = GENERATE(std::optional<std::int64_t>(), 0, 3);
  const std::vector<Example> queries(10, {"q", "aggregate", "query", {}});
  for (options.seed = 0; options.seed < 10; ++options.seed) {
    for (const Query& query : make_pairs({toy_m(), queries, toy_m_labels(), options})) {
      CHECK(query.checked_label != "none");
      CHECK(query.gold.empty());
    }
  }
  options.pair.query_label = LabelMode::Gold;
  CHECK(make_pairs({toy_m(), queries, toy_m_labels(), options})[0].checked_label == "none");
}

TEST_CASE("Says which option of pair prompts cannot work", "[pair]") {
  QueryOptions options = with_mode(LabelMode::Gold, 1);
  TemplateOptions templates;
  templates.pair_words = pair_words({});
  options.templates = Templates::resolve(templates, toy_m_labels());
  const auto make = [&](const std::vector<Example>& train) {
    make_pairs({train, kAsked, toy_m_labels(), options});
  };
  const std::vector<Example> unlabelled = {{"t0", "aggregate", "first", {}}};
  options.pair.unreasonable_rate = 1.5;
  CHECK_THROWS_WITH(
      make(toy_m()),
      ContainsSubstring("unreasonable rate: expected a share from 0 to 1, found 1.5"));
  options.pair = {.unreasonable_labels = LabelMode::Gold};
  CHECK_THROWS_WITH(make(toy_m()), ContainsSubstring("reasonableness label mode: expected where"));
  options.pair = {.unreasonable_labels = LabelMode::Contrastive};
  CHECK_THROWS_WITH(make(toy_m()), ContainsSubstring("reasonableness label mode 'contrastive'"));
  options.pair = {.query_label = LabelMode::Opposite};
  CHECK_THROWS_WITH(make(toy_m()), ContainsSubstring("query label mode 'opposite'"));
  options.pair = {.query_label = LabelMode::Predictions};
  CHECK_THROWS_WITH(make(toy_m()), ContainsSubstring("found none for 'q__aggregate'"));
  options.pair = {.query_label = LabelMode::Distribution};
  CHECK_THROWS_WITH(make(unlabelled),
                    "query label mode: expected training examples with labels for 'q__aggregate', "
                    "found only ones without");
  options.n_shots = 0;
  CHECK_THROWS_WITH(make({}), ContainsSubstring("expected training examples to take labels from"));
  options.labels.same_length = true;
  options.labels.n_tokens = [](std::string_view label) { return static_cast<int>(label.size()); };
  CHECK_THROWS_WITH(make(unlabelled),
                    ContainsSubstring("a training example whose labels have 1 tokens, as those of "
                                      "'q__aggregate' have, found none"));
}

}  // namespace
}  // namespace labelprobe::prompt
