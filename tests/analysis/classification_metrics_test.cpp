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
using nlohmann::json;

TEST_CASE("Metrics are those of scikit-learn", "[metrics]") {
  std::ifstream in(labelprobe::support::fixture("analysis/classification_metrics.json"));
  const json fixture = json::parse(in);
  for (const json& wanted : fixture["cases"]) {
    INFO(wanted["name"]);
    const bool is_multi = wanted["kind"] == "multi";
    const LabelSet label_set(fixture["labels"].get<std::vector<std::string>>(),
                             is_multi ? LabelKind::MultiLabel : LabelKind::SingleLabel);
    std::vector<LabelledPair> items;
    for (std::size_t i = 0; i < wanted["gold"].size(); ++i) {
      items.push_back({wanted["gold"][i].get<Labels>(), wanted["predicted"][i].get<Labels>()});
    }
    const auto metrics = classification_metrics(items, label_set);
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
}

TEST_CASE("A label outside the set is a bug of the caller", "[metrics]") {
  const std::vector<LabelledPair> items = {{{0}, {2}}};
  CHECK_THROWS_AS(classification_metrics(items, LabelSet({"a", "b"}, LabelKind::MultiLabel)),
                  labelprobe::InternalError);
}
