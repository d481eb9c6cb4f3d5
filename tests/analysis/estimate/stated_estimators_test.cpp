#include "labelprobe/analysis/estimators.h"

#include "support/catch.h"

namespace labelprobe::analysis {
namespace {

record::ItemRecord stated(const std::string& key, record::LabelValues reported) {
  record::ItemRecord item;
  item.key = key;
  item.reported_probs = std::move(reported);
  return item;
}

Estimates estimate_named(std::string_view name,
                         const std::vector<record::ItemRecord>& items,
                         LabelKind kind) {
  const LabelSet label_set({"joy", "fear"}, kind);
  return estimate(find_estimator(name, kind), items, label_set);
}

TEST_CASE("Numbers of an answer are probabilities; examples that lack one are left out",
          "[estimators]") {
  std::vector<record::ItemRecord> items = {stated("a", {{"fear", 0.25F}, {"joy", 1.0F}}),
                                           stated("b", {{"joy", 0.5F}}), stated("c", {})};
  items.push_back(stated("d", {}));
  items.back().failure = "too long";
  const Estimates found = estimate_named("verbalized", items, LabelKind::MultiLabel);
  REQUIRE(found.probs.size() == 1);
  CHECK(found.probs.at("a") == std::vector<double>{1.0, 0.25});
  CHECK(found.n_items == 3);
  CHECK(found.n_answers_found == 1);
  REQUIRE(found.warnings.size() == 2);
  CHECK(found.warnings[1] ==
        "2 of 3 answers lack a number for some label, and their examples are left out: b, c");
}

TEST_CASE("Numbers for classes are shares of their sum", "[estimators]") {
  const Estimates found = estimate_named(
      "verbalized", {stated("a", {{"joy", 0.75F}, {"fear", 0.5F}})}, LabelKind::SingleLabel);
  CHECK(found.probs.at("a")[0] == Approx(0.6));
  CHECK(found.probs.at("a")[1] == Approx(0.4));
}

TEST_CASE("Expected numbers are a reading of their own", "[estimators]") {
  record::ItemRecord item = stated("a", {{"joy", 1.0F}, {"fear", 0.0F}});
  item.expected_probs = {{"joy", 0.75F}, {"fear", 0.125F}};
  const Estimates found = estimate_named("verbalized_expected", {item}, LabelKind::MultiLabel);
  CHECK(found.probs.at("a") == std::vector<double>{0.75, 0.125});
  item.expected_probs.clear();
  const Estimates none = estimate_named("verbalized_expected", {item}, LabelKind::MultiLabel);
  CHECK(none.probs.empty());
  CHECK_THAT(none.warnings.at(0), ContainsSubstring("which only numbers of one token have"));
}

}  // namespace
}  // namespace labelprobe::analysis
