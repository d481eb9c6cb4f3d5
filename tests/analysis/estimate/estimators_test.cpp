#include "labelprobe/analysis/estimators.h"

#include <cmath>

#include "labelprobe/core/error.h"

#include "analysis/fixture_json.h"
#include "support/catch.h"

using labelprobe::ConfigError;
using labelprobe::DataError;
using labelprobe::ItemId;
using labelprobe::LabelKind;
using labelprobe::LabelSet;
using labelprobe::analysis::AnswerPosition;
using labelprobe::analysis::Estimates;
using labelprobe::analysis::EstimatorOptions;
using labelprobe::analysis::find_estimator;
using labelprobe::analysis::parse_answer_position;
using labelprobe::record::AnswerReading;
using labelprobe::record::ItemRecord;
using labelprobe::record::LabelValues;
using nlohmann::json;

namespace {

const LabelSet kEmotions({"joy", "anger"}, LabelKind::MultiLabel);
const LabelSet kHarms({"hate", "normal", "offensive"}, LabelKind::SingleLabel);

LabelValues values_of(const json& numbers) {
  LabelValues values;
  for (const auto& [name, number] : numbers.items()) values.emplace_back(name, number);
  return values;
}

std::optional<AnswerReading> reading_of(const json& item, const std::string& position) {
  if (!item.contains(position)) return std::nullopt;
  const json& reading = item[position];
  return AnswerReading{values_of(reading["bare_probs"]), values_of(reading["spaced_probs"]),
                       reading["is_top"]};
}

std::vector<ItemRecord> items_of(const json& entries) {
  std::vector<ItemRecord> items;
  for (const json& entry : entries) {
    ItemRecord& item = items.emplace_back();
    item.key = entry["key"];
    item.predictions = entry.value("predictions", std::vector<std::string>());
    if (!entry["is_label_found"]) {
      item.stand_in_probs = values_of(entry["scores"]);
    } else {
      for (const json& probs : entry.value("all_scores", json::array({entry["scores"]}))) {
        item.label_steps.emplace_back().logged_probs = values_of(probs);
      }
      item.label_steps[0].logits = values_of(entry.value("label_logits", json::object()));
    }
    item.first_answer = reading_of(entry, "first");
    item.healed_answer = reading_of(entry, "healed");
    item.greedy_answer = reading_of(entry, "greedy");
  }
  return items;
}

Estimates estimate(std::string_view name,
                   std::span<const ItemRecord> items,
                   const LabelSet& label_set,
                   const EstimatorOptions& options = {}) {
  return labelprobe::analysis::estimate(find_estimator(name, label_set.kind()), items, label_set,
                                        options);
}

ItemRecord example_item(const std::string& key) {
  ItemRecord item;
  item.key = key;
  item.predictions = {"joy"};
  labelprobe::record::LabelStep& step = item.label_steps.emplace_back();
  step.logits = {{"joy", 2.0f}, {"anger", 0.5f}, {"none", 1.0f}};
  step.logged_probs = {{"joy", 0.6f}, {"anger", 0.1f}, {"none", 0.3f}};
  return item;
}

ItemRecord word_item(const std::string& key, const LabelValues& probs) {
  ItemRecord item;
  item.key = key;
  item.label_steps.emplace_back().logged_probs = probs;
  return item;
}

ItemRecord unary_item(const std::string& key, float reasonable = 0.75f) {
  return word_item(key, {{"reasonable", reasonable}, {"unreasonable", 1.0f - reasonable}});
}

ItemRecord binary_item(const std::string& key, float a = 0.75f) {
  return word_item(key, {{"a", a}, {"b", 1.0f - a}});
}

double sigmoid(double x) {
  return 1.0 / (1.0 + std::exp(-x));
}

std::string warnings_of(const Estimates& estimates) {
  std::string text;
  for (const std::string& warning : estimates.warnings) text += warning + "\n";
  return text;
}

}  // namespace

TEST_CASE("Estimates are those of numpy and scipy", "[estimators]") {
  const json fixture = labelprobe::analysis::read_fixture("estimators.json");
  for (const json& log : fixture["cases"]) {
    const bool is_multi = log["kind"] == "multi";
    const LabelSet label_set(log["labels"].get<std::vector<std::string>>(),
                             is_multi ? LabelKind::MultiLabel : LabelKind::SingleLabel);
    for (const json& wanted : log["expected"]) {
      const std::string name = wanted["estimator"];
      INFO(log["kind"] << " " << name << " " << wanted["answer"] << " " << wanted["platt"]);
      EstimatorOptions options;
      options.answer = parse_answer_position(wanted["answer"].get<std::string>());
      if (!wanted["platt"].is_null()) options.platt = {wanted["platt"][0], wanted["platt"][1]};
      const labelprobe::ItemForm* form = find_estimator(name, label_set.kind()).items;
      const std::string items_name = form == &labelprobe::kPlainItems   ? "Example"
                                     : form == &labelprobe::kUnaryItems ? "Unary"
                                                                        : "Binary";
      const auto items = items_of(log[items_name]);
      const Estimates found = estimate(name, items, label_set, options);
      CHECK(found.estimator == name);
      CHECK(found.n_items == items.size());
      CHECK(found.n_failed == 0);
      CHECK(found.n_answers_found == wanted["n_answers_found"]);
      CHECK(found.mean_answer_mass.has_value() == wanted.contains("mean_answer_mass"));
      if (found.mean_answer_mass) {
        CHECK(*found.mean_answer_mass == Approx(wanted["mean_answer_mass"].get<double>()));
      }
      REQUIRE(found.probs.size() == wanted["probs"].size());
      for (const auto& [example_id, probs] : wanted["probs"].items()) {
        INFO(example_id);
        REQUIRE(found.probs.contains(example_id));
        const std::vector<double>& of_example = found.probs.at(example_id);
        REQUIRE(of_example.size() == probs.size());
        for (std::size_t label = 0; label < probs.size(); ++label) {
          CHECK(of_example[label] ==
                Approx(probs[label].get<double>()).epsilon(1e-8).margin(1e-12));
        }
      }
    }
  }
}

TEST_CASE("Compare-to-none takes logits, else ratios of probabilities, else says so",
          "[estimators]") {
  std::vector<ItemRecord> items(4, example_item("de0"));
  items[1].key = "de1";
  items[1].label_steps[0].logits.clear();
  items[2].key = "de2";
  items[2].label_steps[0].logits.pop_back();
  items[3].key = "de3";
  items[3].label_steps.clear();
  items[3].stand_in_probs = {{"anger", 0.5f}, {"joy", 0.5f}};
  const Estimates found = estimate("baseline", items, kEmotions);
  CHECK(found.platt_inputs.at("de0") == std::vector<double>{1.0, -0.5});
  CHECK(found.probs.at("de0")[0] == Approx(sigmoid(1.0)));
  CHECK(found.probs.at("de1")[0] == Approx(0.6 / 0.9));
  CHECK(found.probs.at("de1")[1] == Approx(0.1 / 0.4));
  CHECK(found.platt_inputs.at("de2") == std::vector<double>{2.0, 0.5});
  CHECK(found.probs.at("de3") == std::vector<double>{0.5, 0.5});
  CHECK(found.n_answers_found == 3);
  CHECK_THAT(warnings_of(found), ContainsSubstring("1 of 4 answers have no label step"));
  CHECK_THAT(warnings_of(found), ContainsSubstring("1 of 4 items have no logit of none"));
}

TEST_CASE("Probabilities that underflowed give finite logits and a warning", "[estimators]") {
  ItemRecord item = example_item("de0");
  item.label_steps[0].logits.clear();
  item.label_steps[0].logged_probs = {{"joy", 1.0f}, {"anger", 0.0f}, {"none", 0.0f}};
  const Estimates found = estimate("baseline", {{item}}, kEmotions);
  CHECK(found.platt_inputs.at("de0")[0] == Approx(103.28).margin(0.01));
  CHECK(found.platt_inputs.at("de0")[1] == 0.0);
  CHECK_THAT(warnings_of(found), ContainsSubstring("too small for their logarithm"));
}

TEST_CASE("Failed items are left out, counted and named", "[estimators]") {
  std::vector<ItemRecord> items = {example_item("de0"), example_item("de1")};
  items[1] = ItemRecord{};
  items[1].key = "de1";
  items[1].failure = "out of memory";
  for (const char* name : {"baseline", "output", "max"}) {
    const Estimates found = estimate(name, items, kEmotions);
    CHECK(found.n_items == 1);
    CHECK(found.n_failed == 1);
    CHECK(found.probs.size() == 1);
    CHECK_THAT(warnings_of(found), ContainsSubstring("1 of 2 items failed and are left out: de1"));
  }
}

TEST_CASE("Unary leaves out examples that lack a label, not those that lack none", "[estimators]") {
  std::vector<ItemRecord> items = {unary_item("de0_unary_joy"), unary_item("de0_unary_anger"),
                                   unary_item("de1_unary_joy"), unary_item("de1_unary_none"),
                                   unary_item("de2_unary_joy"), unary_item("de2_unary_anger")};
  items.back().failure = "prompt too long";
  const Estimates found = estimate("unary", items, kEmotions);
  CHECK(found.probs == std::map<std::string, std::vector<double>>{{"de0", {0.75, 0.75}}});
  CHECK(found.n_items == 5);
  CHECK_THAT(warnings_of(found),
             ContainsSubstring("2 of 3 examples lack labels and are left out: de1 (anger), de2 "
                               "(anger)"));
}

TEST_CASE("Binary fits on the pairs there are and reports the others", "[estimators]") {
  std::vector<ItemRecord> items = {
      binary_item("de0_binary_joy_anger"), binary_item("de0_binary_joy_none"),
      binary_item("de0_binary_anger_none"), binary_item("de1_binary_joy_none", 0.5f),
      binary_item("de2_binary_joy_none")};
  items.back().failure = "prompt too long";
  const Estimates found = estimate("binary", items, kEmotions);
  REQUIRE(found.probs.size() == 2);
  CHECK(found.probs.at("de0")[0] > found.probs.at("de0")[1]);
  CHECK(found.probs.at("de1") == std::vector<double>{0.5, 0.5});
  CHECK_THAT(warnings_of(found),
             ContainsSubstring("5 of 9 pairs are missing; fitted on the pairs there are: de1; "
                               "left out without any pair: de2"));
  // As published, an even answer counts as lost.
  CHECK(estimate("binary_outcome", items, kEmotions).probs.at("de1")[0] < 0.5);
}

TEST_CASE("A pair may come in both orders", "[estimators]") {
  const std::vector<ItemRecord> items = {binary_item("de0_binary_joy_anger", 0.9f),
                                         binary_item("de0_binary_anger_joy", 0.9f)};
  const Estimates found = estimate("binary", items, kEmotions);
  CHECK(found.probs.at("de0")[0] == Approx(0.5).margin(1e-6));
  CHECK_THAT(warnings_of(found), ContainsSubstring("2 of 3 pairs are missing"));
}

TEST_CASE("Answers are read at the position asked", "[estimators]") {
  std::vector<ItemRecord> items = {unary_item("de0_unary_joy"), unary_item("de0_unary_anger")};
  items[0].first_answer = AnswerReading{{{"reasonable", 0.1f}, {"unreasonable", 0.2f}},
                                        {{"reasonable", 0.2f}, {"unreasonable", 0.0f}},
                                        true};
  items[1].first_answer = AnswerReading{{{"reasonable", 0.0f}, {"unreasonable", 0.0f}},
                                        {{"reasonable", 0.0f}, {"unreasonable", 0.0f}},
                                        false};
  EstimatorOptions options;
  options.answer = AnswerPosition::First;
  const Estimates found = estimate("unary", items, kEmotions, options);
  CHECK(found.probs.at("de0")[0] == Approx(0.6));
  CHECK(found.probs.at("de0")[1] == 0.5);
  CHECK(found.n_answers_found == 1);
  CHECK(found.mean_answer_mass.value() == Approx(0.25));
  CHECK_THAT(warnings_of(found), ContainsSubstring("1 of 2 items have no answer at the position"));

  options.answer = AnswerPosition::Healed;
  CHECK_THROWS_WITH(estimate("unary", items, kEmotions, options),
                    ContainsSubstring("'healed': the log has no reading of it"));
  CHECK_THROWS_AS(estimate("unary", items, kEmotions, options), ConfigError);
}

TEST_CASE("Logs of the published program have no mass, and are read greedily", "[estimators]") {
  std::vector<ItemRecord> items = {unary_item("de0_unary_joy"), unary_item("de0_unary_anger")};
  items[1].label_steps.clear();
  items[1].stand_in_probs = {{"reasonable", 0.5f}, {"unreasonable", 0.5f}};
  const Estimates found = estimate("unary", items, kEmotions);
  CHECK(found.probs.at("de0") == std::vector<double>{0.75, 0.5});
  CHECK(found.n_answers_found == 1);
  CHECK_FALSE(found.mean_answer_mass.has_value());
  CHECK_THAT(warnings_of(found), ContainsSubstring("1 of 2 answers never came"));
}

TEST_CASE("A hard prediction leaves the smallest probability to the others", "[estimators]") {
  ItemRecord item = example_item("de0");
  CHECK(estimate("output", {{item}}, kEmotions).probs.at("de0") ==
        std::vector<double>{1 - 1e-8, 1e-8});
  item.predictions = {"none"};
  CHECK(estimate("SFT_output", {{item}}, kEmotions).probs.at("de0") ==
        std::vector<double>{1e-8, 1e-8});
  item.predictions = {};
  const Estimates classes = estimate("output_normalized", {{item}}, kHarms);
  CHECK(classes.probs.at("de0")[0] == Approx(1.0 / 3));
  CHECK_THAT(warnings_of(classes), ContainsSubstring("1 of 1 answers name no class"));
  item.predictions = {"jo"};
  CHECK_THROWS_WITH(estimate("output", {{item}}, kEmotions),
                    ContainsSubstring("item 'de0': predictions: unknown label 'jo'"));
}

TEST_CASE("Max falls back to the first scores without a label step", "[estimators]") {
  ItemRecord item = example_item("de0");
  item.label_steps.emplace_back().logged_probs = {{"joy", 0.0f}, {"anger", 0.9f}, {"none", 0.1f}};
  const Estimates steps = estimate("max", {{item}}, kEmotions);
  CHECK(steps.probs.at("de0") == std::vector<double>{double{0.6f}, double{0.9f}});
  CHECK(steps.warnings.empty());
  item.label_steps.clear();
  item.stand_in_probs = {{"joy", 0.5f}, {"anger", 0.5f}};
  const Estimates fallback = estimate("SFT_max", {{item}}, kEmotions);
  CHECK(fallback.probs.at("de0") == std::vector<double>{0.5, 0.5});
  CHECK_THAT(warnings_of(fallback), ContainsSubstring("1 of 1 answers have no label step"));
}

TEST_CASE("Estimators are refused by name where they do not fit", "[estimators]") {
  CHECK_THROWS_WITH(estimate("max", {}, kHarms),
                    ContainsSubstring("'max' is defined for multi-label sets only") &&
                        ContainsSubstring("there are: baseline, output, output_normalized"));
  CHECK_THROWS_AS(estimate("SFT_max", {}, kHarms), ConfigError);
  CHECK_THROWS_WITH(estimate("unary_normalized", {}, kEmotions),
                    ContainsSubstring("single-label sets only"));
  CHECK_THROWS_WITH(estimate("binary_outcomes", {}, kEmotions),
                    ContainsSubstring("did you mean 'binary_outcome'?"));
  CHECK_THROWS_WITH(parse_answer_position("heald"), ContainsSubstring("did you mean 'healed'?"));
  CHECK(name_of(parse_answer_position("first")) == "first");
}

TEST_CASE("Items of another kind, foreign labels and impossible numbers are refused",
          "[estimators]") {
  const auto refuse = [](const char* name, const ItemRecord& item, const std::string& message) {
    INFO(name << " " << item.key);
    CHECK_THROWS_AS(estimate(name, {{item}}, kEmotions), DataError);
    CHECK_THROWS_WITH(estimate(name, {{item}}, kEmotions), ContainsSubstring(message));
  };
  refuse("baseline", unary_item("de0_unary_joy"),
         "item 'de0_unary_joy': expected an example's own item (<id>), found a unary item");
  refuse("unary", example_item("de0"), "expected a unary item (<id>_unary_<label>), found an");
  refuse("binary", unary_item("de0_unary_joy"), "found a unary item");
  refuse("unary", unary_item("de0_unary_yoy"), "unknown label 'yoy'");
  refuse("binary", binary_item("de0_binary_joy_joy"), "found the same twice");
  refuse("output", example_item("de0__ann7"), "found annotator 'ann7'");
  refuse("unary", unary_item("de0_unary_joy", 1.5f), "expected a probability for 'reasonable'");
  refuse("binary", binary_item("de0_binary_joy_anger", NAN), "expected a probability for 'a'");
  refuse("binary", word_item("de0_binary_joy_anger", {}), "'a', found no numbers");
  ItemRecord item = example_item("de0");
  item.label_steps[0].logits[0].second = INFINITY;
  refuse("baseline", item, "expected a finite logit for 'joy'");
  item.label_steps[0].logits = {{"joy", 1.0f}, {"none", 0.0f}};
  refuse("baseline", item, "expected a number for 'anger', found others only");
  const std::vector<ItemRecord> twice = {example_item("de0"), example_item("de0")};
  CHECK_THROWS_WITH(estimate("max", twice, kEmotions),
                    ContainsSubstring("item 'de0': expected once, found twice"));
}
