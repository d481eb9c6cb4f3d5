#include "labelprobe/analysis/listing_metrics.h"

#include <algorithm>
#include <map>

#include "analysis/fixture_json.h"
#include "support/catch.h"

namespace labelprobe::analysis {
namespace {

std::vector<ScoredItem> scored_items_of(const nlohmann::json& one) {
  std::vector<ScoredItem> items;
  for (std::size_t i = 0; i < one["gold"].size(); ++i) {
    items.push_back({one["gold"][i], one["scores"][i], one["folds"][i]});
  }
  return items;
}

void check(const std::optional<double>& found, const nlohmann::json& expected) {
  REQUIRE(found.has_value() != expected.is_null());
  if (found) CHECK(*found == Approx(expected.get<double>()).margin(1e-12));
}

void check(const SetMetrics& found, const nlohmann::json& expected) {
  check(found.micro_f1, expected["micro_f1"]);
  check(found.macro_f1, expected["macro_f1"]);
  check(found.hamming_loss, expected["hamming_loss"]);
}

}  // namespace

TEST_CASE("Metrics of scored labels are scikit-learn's", "[golden]") {
  const nlohmann::json reference = read_fixture("listing_metrics.json");
  for (const auto& one : reference["cases"]) {
    INFO(one["name"]);
    const std::vector<ScoredItem> items = scored_items_of(one);
    ThresholdOptions options;
    options.fixed = one["threshold"];
    for (const int fold : one["folds"]) options.n_folds = std::max(options.n_folds, fold + 1);
    const ListingMetrics found = listing_metrics(items, reference["n_labels"], options);
    const auto& expected = one["expected"];
    CHECK(found.n_items == items.size());
    CHECK(found.n_two_class == expected["n_two_class"].get<int>());
    check(found.micro_auc, expected["micro_auc"]);
    check(found.macro_auc, expected["macro_auc"]);
    check(found.at_threshold, expected["at_threshold"]);
    REQUIRE(found.fitted_thresholds.size() == expected["fitted_thresholds"].size());
    for (std::size_t fold = 0; fold < found.fitted_thresholds.size(); ++fold) {
      CHECK(found.fitted_thresholds[fold] ==
            Approx(expected["fitted_thresholds"][fold].get<double>()));
    }
    REQUIRE(found.at_fitted.has_value() != expected["at_fitted"].is_null());
    CHECK(found.at_fitted.has_value() == found.why_not_fitted.empty());
    if (found.at_fitted) check(*found.at_fitted, expected["at_fitted"]);
  }
}

TEST_CASE("What a threshold is measured on does not move it", "[unit]") {
  const nlohmann::json one = read_fixture("listing_metrics.json")["cases"][0];
  std::vector<ScoredItem> items = scored_items_of(one);
  const ListingMetrics before = listing_metrics(items, 5, {0.5, 5});
  for (ScoredItem& item : items) {
    if (item.fold == 2) item.gold = {0, 1, 2, 3, 4};
  }
  const ListingMetrics after = listing_metrics(items, 5, {0.5, 5});
  CHECK(after.fitted_thresholds[2] == before.fitted_thresholds[2]);
  CHECK(after.fitted_thresholds[1] != before.fitted_thresholds[1]);
}

TEST_CASE("Metrics without items or folds are undefined", "[unit]") {
  const ListingMetrics none = listing_metrics({}, 3, {0.5, 5});
  CHECK_FALSE(none.micro_auc.has_value());
  CHECK_FALSE(none.macro_auc.has_value());
  CHECK_FALSE(none.at_threshold.micro_f1.has_value());
  CHECK_FALSE(none.at_threshold.hamming_loss.has_value());
  CHECK(none.why_not_fitted == "fewer items than folds");
  const ListingMetrics unfitted = listing_metrics({}, 3, {});
  CHECK_FALSE(unfitted.at_fitted.has_value());
  CHECK(unfitted.why_not_fitted.empty());
}

TEST_CASE("Folds share out ids evenly, whatever their order", "[unit]") {
  std::vector<std::string> ids;
  for (int i = 0; i < 23; ++i) ids.push_back("item " + std::to_string(i));
  const std::vector<int> folds = folds_of(ids, 5, 0);
  std::map<std::string, int> fold_of;
  for (std::size_t i = 0; i < ids.size(); ++i) fold_of[ids[i]] = folds[i];
  for (int fold = 0; fold < 5; ++fold) {
    const auto n = std::count(folds.begin(), folds.end(), fold);
    CHECK((n == 4 || n == 5));
  }
  std::reverse(ids.begin(), ids.end());
  const std::vector<int> again = folds_of(ids, 5, 0);
  for (std::size_t i = 0; i < ids.size(); ++i) CHECK(again[i] == fold_of[ids[i]]);
  CHECK(folds_of(ids, 5, 1) != again);
}

}  // namespace labelprobe::analysis
