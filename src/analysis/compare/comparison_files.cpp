// A comparison as CSV and JSON.
#include <cmath>
#include <ostream>

#include <nlohmann/json.hpp>

#include "labelprobe/analysis/comparison_report.h"
#include "labelprobe/files/text_table.h"

#include "analysis/compare/comparison_numbers.h"
#include "analysis/report/numbers.h"

namespace labelprobe::analysis {

namespace {

using Json = nlohmann::ordered_json;

double logprob_of(double prob) {
  return std::log(std::max(prob, kSmallestProb));
}

Json spread_json(const Spread& spread) {
  return {{"max", spread.max}, {"p99", spread.p99}, {"mean", spread.mean}};
}

Json place_json(const PlaceSummary& place) {
  return {{"step", place.place},
          {"n_items", place.n_items},
          {"n_probs", place.n_probs},
          {"n_other_prefix", place.n_other_prefix},
          {"prob_difference", spread_json(place.prob_difference)},
          {"logprob_difference", spread_json(place.logprob_difference)},
          {"l1", spread_json(place.l1)},
          {"kl", spread_json(place.kl)},
          {"n_flips", place.n_flips}};
}

Json margins_json(const Margins& margins) {
  Json json = {{"n_items", margins.n_items}, {"quantiles", Json::array()}};
  for (std::size_t i = 0; i < margins.quantiles.size(); ++i) {
    json["quantiles"].push_back({{"share", kMarginShares[i]}, {"margin", margins.quantiles[i]}});
  }
  return json;
}

template <typename T>
Json value_or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json flip_json(const Flip& flip, const ComparedItem& item) {
  Json json = {{"item", item.key},
               {"predicted_a", item.predictions_a},
               {"predicted_b", item.predictions_b},
               {"have_predictions_flipped", flip.have_predictions_flipped},
               {"has_first_label_flipped", flip.has_first_label_flipped},
               {"first_differing_token", value_or_null(item.first_differing_token)},
               {"step", flip.place.empty() ? Json() : Json(flip.place)}};
  if (!flip.place.empty()) {
    json["likeliest_a"] = flip.label_a;
    json["likeliest_b"] = flip.label_b;
    json["margin_a"] = flip.margin_a;
    json["margin_b"] = flip.margin_b;
    json["largest_difference"] = flip.largest;
    json["is_near_tie"] = value_or_null(flip.is_near_tie);
  }
  return json;
}

Json largest_json(const RunComparison& comparison) {
  if (comparison.worst.empty()) return nullptr;
  const LargestDifference& worst = comparison.worst.front();
  const ComparedItem& item = comparison.items[worst.item];
  const ComparedStep& step = item.steps[worst.step];
  return {{"item", item.key},
          {"step", step.place},
          {"label", step.labels[worst.label]},
          {"prob_a", step.probs_a[worst.label]},
          {"prob_b", step.probs_b[worst.label]},
          {"difference", worst.difference}};
}

Json settings_json(const std::vector<SettingDifference>& settings) {
  Json json = Json::array();
  for (const SettingDifference& setting : settings) {
    json.push_back({{"name", setting.name}, {"a", setting.value_a}, {"b", setting.value_b}});
  }
  return json;
}

Json stated_json(const RunComparison& comparison, std::vector<std::string> ComparedItem::*labels) {
  Json items = Json::array();
  for (const ComparedItem& item : comparison.items) {
    if (!(item.*labels).empty()) items.push_back({{"item", item.key}, {"labels", item.*labels}});
  }
  return items;
}

Json answers_json(const RunComparison& comparison) {
  Json items = Json::array();
  for (const ComparedItem& item : comparison.items) {
    if (item.first_differing_token || item.have_other_texts) {
      items.push_back({{"item", item.key},
                       {"first_differing_token", value_or_null(item.first_differing_token)},
                       {"is_one_longer", item.is_one_longer}});
    }
  }
  return items;
}

}  // namespace

void write_csv(std::ostream& out, const RunComparison& comparison) {
  files::TextTable grid;
  grid.columns = {{"item"},
                  {"step"},
                  {"label"},
                  {"prob_a"},
                  {"prob_b"},
                  {"difference"},
                  {"logprob_difference"},
                  {"same_prefix"}};
  for (const ComparedItem& item : comparison.items) {
    for (const ComparedStep& step : item.steps) {
      for (std::size_t i = 0; i < step.labels.size(); ++i) {
        const double a = step.probs_a[i];
        const double b = step.probs_b[i];
        grid.rows.push_back({item.key, step.place, step.labels[i], exact(a), exact(b), exact(b - a),
                             exact(logprob_of(b) - logprob_of(a)),
                             step.has_equal_prefix ? "true" : "false"});
      }
    }
  }
  files::write_csv(out, grid);
}

void write_json(std::ostream& out, const ComparisonReport& report) {
  const RunComparison& comparison = report.comparison;
  Json json = {{"run_a", report.run_a},
               {"run_b", report.run_b},
               {"settings", settings_json(report.settings)},
               {"labels", comparison.labels},
               {"n_items", comparison.items.size()},
               {"only_a", comparison.only_a},
               {"only_b", comparison.only_b},
               {"failed_a", comparison.failed_a},
               {"failed_b", comparison.failed_b},
               {"n_prompts_apart", comparison.n_prompts_apart},
               {"stated_only_a", stated_json(comparison, &ComparedItem::stated_only_a)},
               {"stated_only_b", stated_json(comparison, &ComparedItem::stated_only_b)},
               {"largest", largest_json(comparison)},
               {"usual_difference", comparison.usual_difference},
               {"steps", Json::array()},
               {"margins_a", margins_json(comparison.margins_a)},
               {"margins_b", margins_json(comparison.margins_b)},
               {"n_answers_apart", comparison.n_answers_apart},
               {"n_one_longer", comparison.n_one_longer},
               {"flips", Json::array()},
               {"answers_apart", answers_json(comparison)}};
  for (const PlaceSummary& place : comparison.places) json["steps"].push_back(place_json(place));
  for (const Flip& flip : comparison.flips) {
    json["flips"].push_back(flip_json(flip, comparison.items[flip.item]));
  }
  out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

}  // namespace labelprobe::analysis
