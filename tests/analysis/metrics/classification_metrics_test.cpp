#include "labelprobe/analysis/classification_metrics.h"

#include <cmath>
#include <fstream>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"

using labelprobe::LabelKind;
using labelprobe::Labels;
using labelprobe::LabelSet;
using labelprobe::analysis::classification_metrics;
using labelprobe::analysis::LabelledPair;
using labelprobe::analysis::pair_metrics;
using labelprobe::analysis::single_label_metrics;
using nlohmann::json;

TEST_CASE("Metrics are those of scikit-learn", "[metrics]") {
  std::ifstream in(labelprobe::support::fixture("analysis/classification_metrics.json"));
  const json fixture = json::parse(in);
  for (const json& wanted : fixture["cases"]) {
    INFO(wanted["name"]);
    const std::string kind = wanted["kind"];
    const LabelSet label_set(fixture["labels"].get<std::vector<std::string>>(),
                             kind == "multi" ? LabelKind::MultiLabel : LabelKind::SingleLabel);
    std::vector<LabelledPair> items;
    for (std::size_t i = 0; i < wanted["gold"].size(); ++i) {
      items.push_back({wanted["gold"][i].get<Labels>(), wanted["predicted"][i].get<Labels>()});
    }
    const auto metrics = kind == "single_label_metrics" ? single_label_metrics(items, label_set)
                         : kind == "pair_metrics"       ? pair_metrics(items)
                                                        : classification_metrics(items, label_set);
    CHECK(metrics.size() == wanted["metrics"].size());
    for (const auto& [name, number] : wanted["metrics"].items()) {
      INFO(name);
      REQUIRE(metrics.contains(name));
      CHECK(std::abs(metrics.at(name) - number.get<double>()) < 1e-12);
    }
  }
}

TEST_CASE("Without items every metric is 0", "[metrics]") {
  const auto metrics = classification_metrics({}, LabelSet({"a", "b"}, LabelKind::MultiLabel));
  CHECK(metrics.size() == 5);
  for (const auto& [name, number] : metrics) {
    INFO(name);
    CHECK(number == 0.0);
  }
  for (const auto& [name, number] : pair_metrics({})) {
    INFO(name);
    CHECK(number == 0.0);
  }
  const LabelSet harms({"hate", "normal"}, LabelKind::SingleLabel);
  CHECK(single_label_metrics({}, harms) ==
        std::map<std::string, double>{
            {"accuracy", 0.0}, {"macro_f1", 0.0}, {"macro_auc", 0.0}, {"micro_auc", 0.0}});
}

TEST_CASE("An item without a prediction is wrong, and no false alarm", "[metrics]") {
  const std::vector<LabelledPair> items = {{{1}, {1}}, {{1}, {}}, {{0}, {}}, {{0}, {0}}};
  const auto metrics = pair_metrics(items);
  CHECK(metrics.at("accuracy") == 0.5);
  CHECK(metrics.at("f1") == 2.0 / 3.0);
  // Four pairs of a positive and a negative: 1 above 0 and above nothing, nothing equal to
  // nothing.
  CHECK(metrics.at("auc") == 2.5 / 4.0);
}

TEST_CASE("A pair has one gold class of two", "[metrics]") {
  const std::vector<LabelledPair> none = {{{}, {1}}};
  const std::vector<LabelledPair> third = {{{2}, {1}}};
  CHECK_THROWS_AS(pair_metrics(none), labelprobe::InternalError);
  CHECK_THROWS_AS(pair_metrics(third), labelprobe::InternalError);
}

TEST_CASE("A label outside the set is a bug of the caller", "[metrics]") {
  const std::vector<LabelledPair> items = {{{0}, {2}}};
  CHECK_THROWS_AS(classification_metrics(items, LabelSet({"a", "b"}, LabelKind::MultiLabel)),
                  labelprobe::InternalError);
}
