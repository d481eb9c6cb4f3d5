// Prompts of every plan against those that a Python script drew with CPython's random, query by
// query.
#include <algorithm>
#include <fstream>

#include <nlohmann/json.hpp>

#include "labelprobe/prompt/queries.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::prompt {
namespace {

using Ids = std::vector<std::string>;
using nlohmann::json;

LabelSet read_label_set(const json& toy) {
  return LabelSet(toy.at("labels").get<Ids>(),
                  toy.at("kind") == "single" ? LabelKind::SingleLabel : LabelKind::MultiLabel);
}

std::vector<Example> read_examples(const json& rows) {
  std::vector<Example> examples;
  for (const json& row : rows) {
    examples.push_back({row.at("id"), row.at("annotator"), row.at("text"),
                        row.at("labels").get<Labels>(), row.at("prior").get<Labels>()});
  }
  return examples;
}

PairOptions read_pair(const json& given) {
  return {.unreasonable_rate = given.at("rate"),
          .unreasonable_labels = parse_label_mode(given.at("mode").get<std::string>()),
          .query_label = parse_label_mode(given.at("query_mode").get<std::string>()),
          .yes_no = given.at("yes_no")};
}

LabelModeOptions read_label_mode(const json& given) {
  LabelModeOptions options;
  options.mode = parse_label_mode(given.at("label_mode").get<std::string>());
  if (!given.at("label_seed").is_null()) {
    options.randomization_seed = given.at("label_seed").get<std::int64_t>();
  }
  options.same_length = given.at("same_length");
  options.n_tokens = [](std::string_view label) {
    return 1 + static_cast<int>(std::count(label.begin(), label.end(), ' '));
  };
  return options;
}

QueryOptions read_options(const json& given, bool is_pair, const LabelSet& label_set) {
  QueryOptions options;
  options.pair = read_pair(given.at("pair"));
  TemplateOptions templates;
  templates.system = " ";
  templates.instruction = is_pair ? "Assess {labels}.\n" : " ";
  templates.incontext = given.at("incontext").get<std::string>();
  templates.label_format = LabelFormat::parse(given.at("label_format").get<std::string>());
  if (is_pair) {
    templates.pair_words = pair_words(options.pair);
  }
  options.templates = Templates::resolve(templates, label_set);
  options.sampling = SamplingStrategy::parse(given.at("strategy").get<std::string>());
  options.n_shots = given.at("shots");
  options.seed = given.at("seed");
  options.demonstrations =
      given.at("fresh").get<bool>() ? DemonstrationMode::Fresh : DemonstrationMode::Shared;
  options.labels = read_label_mode(given);
  options.cots = given.at("cots").get<std::vector<std::pair<std::string, std::string>>>();
  options.randomize_cots = given.at("randomize_cots");
  return options;
}

// The items of a breakdown query after its first are given by their ends.
std::string beginning_of(const std::string& text) {
  return text.substr(0, text.rfind("Question: "));
}

void expect_prompts(const std::vector<Query>& made, const json& prompts) {
  REQUIRE(made.size() == prompts.size());
  std::string beginning;
  for (std::size_t i = 0; i < made.size(); ++i) {
    const std::string text = prompts[i].at("text");
    if (text.starts_with("Question: ")) {
      CHECK(made[i].text == beginning + text);
    } else {
      CHECK(made[i].text == text);
      beginning = beginning_of(text);
    }
    CHECK(made[i].item.id() == prompts[i].at("id").get<std::string>());
    CHECK(made[i].demonstration_ids == prompts[i].at("demos").get<Ids>());
    CHECK(made[i].checked_label == prompts[i].value("checked", ""));
  }
}

TEST_CASE("Draws every plan's prompts as CPython does, with all label modes", "[plan]") {
  std::ifstream file(support::fixture("prompt/plans.json"));
  const json fixture = json::parse(file);
  const auto [name, make, n_cases] =
      GENERATE(table<std::string, MakeQueries, int>({{"baseline", make_baseline, 30},
                                                     {"unary", make_unary, 30},
                                                     {"binary", make_binary, 20},
                                                     {"multilabel_ICL", make_multilabel_icl, 5},
                                                     {"pair", make_pairs, 50}}));
  int n_seen = 0;
  for (const json& given : fixture.at("cases")) {
    if (given.at("plan") != name) {
      continue;
    }
    json shown = given;
    shown.erase("prompts");
    CAPTURE(shown.dump());
    const json& toy = fixture.at("sets").at(given.at("set").get<std::size_t>());
    const LabelSet label_set = read_label_set(toy);
    const bool is_pair = name == "pair";
    const std::vector<Example> train = read_examples(toy.at("train"));
    const std::vector<Example> queries = read_examples(toy.at("queries"));
    const QueryOptions options = read_options(given, is_pair, label_set);
    const std::vector<Query> made = make({train, queries, label_set, options});
    expect_prompts(made, given.at("prompts"));
    const std::size_t n_items = made.size() / queries.size();
    for (std::size_t i = 0; i < made.size(); ++i) {
      const Example& query = queries[i / n_items];
      const bool is_prior = options.labels.mode == LabelMode::Predictions && !is_pair;
      CHECK(made[i].gold == (is_prior ? *query.prior_labels : query.labels));
    }
    ++n_seen;
  }
  CHECK(n_seen == n_cases);
}

}  // namespace
}  // namespace labelprobe::prompt
