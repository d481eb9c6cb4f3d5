// Every calibrator against scikit-learn and scipy (scripts/fixtures/calibration_reference.py).
// Tolerance 1e-8, of parameters above 1 relative to their size: the furthest apart are a fit with a
// ridge of 1e-9 and scikit-learn's without one, by 5e-10.
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "labelprobe/analysis/calibration.h"
#include "labelprobe/core/error.h"

#include "analysis/fixture_json.h"
#include "support/catch.h"

namespace labelprobe::analysis {
namespace {

using nlohmann::json;

constexpr double kTolerance = 1e-8;

LabelSet labels_of(const json& one) {
  const std::vector<std::string> names = {"joy", "fear", "anger", "love"};
  const auto n = static_cast<std::ptrdiff_t>(one["probs"][0].size());
  return {{names.begin(), names.begin() + n},
          one["kind"] == "multi" ? LabelKind::MultiLabel : LabelKind::SingleLabel};
}

Distributions distributions_of(const json& rows) {
  Distributions found{"unary", {}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    found.probs.emplace(fmt::format("de{:03}", i), rows[i].get<std::vector<double>>());
  }
  return found;
}

Votes votes_of(const json& rows) {
  Votes votes;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    votes.emplace(fmt::format("de{:03}", i), ExampleVotes{rows[i], 3, {0}});
  }
  return votes;
}

void check_near(double found, double wanted) {
  CAPTURE(found, wanted, found - wanted);
  CHECK(std::abs(found - wanted) <= kTolerance * std::max(1.0, std::abs(wanted)));
}

void check_rows(const Distributions& found, const json& wanted) {
  REQUIRE(found.probs.size() == wanted.size());
  std::size_t i = 0;
  for (const auto& [id, probs] : found.probs) {
    INFO(id);
    REQUIRE(probs.size() == wanted[i].size());
    for (std::size_t label = 0; label < probs.size(); ++label) {
      CAPTURE(label);
      check_near(probs[label], wanted[i][label]);
    }
    ++i;
  }
}

void check_parameters(const CalibrationParameters& found, const json& wanted) {
  CHECK(found.numbers.size() + found.curves.size() == wanted.size());
  for (const auto& [name, numbers] : found.numbers) {
    INFO(name);
    REQUIRE(numbers.size() == wanted.at(name).size());
    for (std::size_t i = 0; i < numbers.size(); ++i) check_near(numbers[i], wanted[name][i]);
  }
  for (const auto& [name, curves] : found.curves) {
    REQUIRE(curves.size() == wanted.at(name).size());
    for (std::size_t label = 0; label < curves.size(); ++label) {
      CAPTURE(name, label);
      REQUIRE(curves[label].size() == wanted[name][label].size());
      for (std::size_t i = 0; i < curves[label].size(); ++i) {
        check_near(curves[label][i], wanted[name][label][i]);
      }
    }
  }
}

TEST_CASE("Parameters and probabilities are those of scikit-learn and scipy", "[calibrate]") {
  std::set<std::string> seen;
  const json fixture = read_fixture("calibration.json");
  for (const json& one : fixture["cases"]) {
    INFO(one["name"]);
    const LabelSet label_set = labels_of(one);
    const Calibrator& calibrator =
        find_calibrator(one["calibrator"].get<std::string>(), label_set.kind());
    seen.insert(one["calibrator"].get<std::string>() + one["kind"].get<std::string>());
    const Distributions estimates = distributions_of(one["probs"]);
    CalibrationOptions options;
    options.ridge = one.value("ridge", options.ridge);
    options.n_tokens = one.value("n_tokens", options.n_tokens);
    std::optional<Distributions> texts;
    if (one.contains("content_free")) texts = distributions_of(one["content_free"]);
    const Votes votes = votes_of(one["shares"]);
    const CalibrationParameters found = fit_calibrator(
        calibrator, {estimates, votes, texts ? &*texts : nullptr, label_set, options});
    check_parameters(found, one["parameters"]);
    check_rows(apply_calibrator(calibrator, found, estimates, label_set.kind()), one["calibrated"]);
    check_rows(
        apply_calibrator(calibrator, found, distributions_of(one["others"]), label_set.kind()),
        one["calibrated_others"]);
  }
  std::size_t n_wanted = 0;
  for (const Calibrator& calibrator : calibrators()) {
    n_wanted += calibrator.fits(LabelKind::MultiLabel) ? 1 : 0;
    n_wanted += calibrator.fits(LabelKind::SingleLabel) ? 1 : 0;
  }
  CHECK(seen.size() == n_wanted);  // every row has a reference, of each kind of set
}

// --- What can be reckoned by hand ---

const LabelSet kTwo({"joy", "fear"}, LabelKind::MultiLabel);
const LabelSet kThree({"A", "B", "N"}, LabelKind::SingleLabel);

CalibrationParameters fit(std::string_view name,
                          const LabelSet& label_set,
                          const LabelNumbers& probs,
                          const Votes& votes,
                          const CalibrationOptions& options = {},
                          const Distributions* texts = nullptr) {
  return fit_calibrator(find_calibrator(name, label_set.kind()),
                        {{"unary", probs}, votes, texts, label_set, options});
}

TEST_CASE("Example A: the first slot divided by its content-free distribution", "[calibrate]") {
  const Distributions texts{"unary", {{"N/A", {.8, .1, .1}}, {"", {.6, .3, .1}}}};  // .7 .2 .1
  const CalibrationParameters found = fit("contextual", kThree, {{"x", {1, 0, 0}}}, {}, {}, &texts);
  const Distributions first_slot{"unary", {{"x", {.58 / .96, .28 / .96, .1 / .96}}}};
  const Calibrator& contextual = find_calibrator("contextual", LabelKind::SingleLabel);
  const auto q = apply_calibrator(contextual, found, first_slot, LabelKind::SingleLabel);
  CHECK(q.probs.at("x")[0] == Approx(.256637).margin(5e-7));
  CHECK(q.probs.at("x")[1] == Approx(.433628).margin(5e-7));
  CHECK(q.probs.at("x")[2] == Approx(.309735).margin(5e-7));
  CHECK(q.estimator == "unary+contextual");
}

TEST_CASE("A content-free probability of 0 counts as a millionth", "[calibrate]") {
  const Distributions texts{"unary", {{"", {1, 0, 0}}}};
  const CalibrationParameters found = fit("contextual", kThree, {{"x", {1, 0, 0}}}, {}, {}, &texts);
  const Calibrator& row = find_calibrator("contextual", LabelKind::SingleLabel);
  const std::vector<double> q = row.apply(found, LabelKind::SingleLabel, {.5, .5, 0});
  CHECK(q[0] == Approx(.5 / (.5 + .5e6)));
  CHECK(q[2] == 0.0);
}

TEST_CASE("A temperature of votes that follow the logits is theirs", "[calibrate]") {
  // logit .9 = 2 * logit .75: half of the logits is right.
  const CalibrationParameters found =
      fit("temperature", kTwo, {{"x", {.9, .1}}}, {{"x", {{.75, .25}, 4, {}}}});
  CHECK(found.numbers.at("temperature")[0] == Approx(2.0).epsilon(1e-9));
}

TEST_CASE("Given rates are taken and votes not asked for", "[calibrate]") {
  CalibrationOptions options;
  options.new_rates = {.5, .25};
  options.old_rates = {.75, .25};
  const CalibrationParameters found = fit("prior_shift", kTwo, {{"x", {.9, .1}}}, {}, options);
  const auto& row = find_calibrator("prior_shift", LabelKind::MultiLabel);
  const std::vector<double> q = row.apply(found, LabelKind::MultiLabel, {.75, .1});
  CHECK(q[0] == Approx(.5));  // the odds 3 over the odds 3
  CHECK(q[1] == Approx(.1));
  CHECK_FALSE(reads_votes(row, options));
  CHECK(reads_votes(row, {}));
}

TEST_CASE("Hard predictions are refused where degrees are scaled", "[calibrate]") {
  const LabelNumbers hard = {{"x", {1 - 1e-8, 1e-8}}, {"y", {1e-8, 1.0}}};
  const Votes votes = {{"x", {{.5, 0}, 2, {}}}, {"y", {{0, 1}, 2, {}}}};
  for (const char* name :
       {"temperature", "label_temperature", "platt", "affine", "batch", "batch_fitted"}) {
    CHECK_THROWS_WITH(fit(name, kTwo, hard, votes),
                      ContainsSubstring(std::string(name) + ": all 4 probabilities of 'unary' are "
                                                            "0 or 1") &&
                          ContainsSubstring("expected an estimator with probabilities"));
  }
  CHECK(fit("isotonic", kTwo, hard, votes).curves.at("share")[0] == std::vector<double>{0, .5});
}

TEST_CASE("Fits say what is missing, out of range or of no use", "[calibrate]") {
  const LabelNumbers probs = {{"x", {.9, .1}}};
  const Votes votes = {{"x", {{.5, .5}, 2, {}}}};
  const Distributions texts{"unary", {{"", {.5, .5}}}};
  CalibrationOptions rates;
  rates.new_rates = {.5, .5};
  CalibrationOptions certain_rates;
  certain_rates.new_rates = {.5, 1.0};
  CalibrationOptions no_ridge;
  no_ridge.ridge = 0.0;
  CalibrationOptions tokens;
  tokens.n_tokens = {1, 2};
  CHECK_THROWS_WITH(fit("platt", kTwo, probs, {}),
                    ContainsSubstring("expected examples with votes and an estimate, found none"));
  CHECK_THROWS_WITH(fit("contextual", kTwo, probs, votes),
                    ContainsSubstring("needs distributions of content-free prompts"));
  CHECK_THROWS_WITH(fit("isotonic", kTwo, probs, votes, {}, &texts),
                    ContainsSubstring("has no use for content-free prompts"));
  CHECK_THROWS_WITH(fit("isotonic", kTwo, probs, votes, rates),
                    ContainsSubstring("are for prior_shift, found the calibrator 'isotonic'"));
  CHECK_THROWS_WITH(fit("prior_shift", kTwo, probs, votes, certain_rates),
                    ContainsSubstring("the rate of 'fear': expected a share above 0 and below 1"));
  CHECK_THROWS_WITH(fit("affine", kTwo, probs, votes, no_ridge),
                    ContainsSubstring("expected a ridge above 0"));
  CHECK_THROWS_WITH(fit("isotonic", kTwo, probs, votes, tokens),
                    ContainsSubstring("numbers of tokens are for ncc"));
  CHECK_THROWS_WITH(fit("ncc", kThree, {{"x", {.2, .1, .1}}}, {}, {}, &texts),
                    ContainsSubstring("expected the number of tokens of each label's text"));
}

TEST_CASE("Names are found, or the nearest is told", "[calibrate]") {
  CHECK(find_calibrator("platt", LabelKind::MultiLabel).title == "Platt scaling");
  CHECK_THROWS_WITH(find_calibrator("plat", LabelKind::MultiLabel),
                    ContainsSubstring("did you mean 'platt'?"));
  CHECK_THROWS_WITH(
      find_calibrator("platt", LabelKind::SingleLabel),
      ContainsSubstring("is defined for multi-label sets only") && ContainsSubstring("affine"));
  CHECK_THROWS_WITH(find_calibrator("dc_pmi", LabelKind::MultiLabel),
                    ContainsSubstring("is defined for single-label sets only"));
}

}  // namespace
}  // namespace labelprobe::analysis
