#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "labelprobe/analysis/calibration.h"
#include "labelprobe/core/error.h"

#include "analysis/fixture_json.h"
#include "support/catch.h"

namespace labelprobe::analysis {
namespace {

const LabelSet kFittedLabels({"joy", "fear", "anger", "love"}, LabelKind::MultiLabel);

struct Data {
  Distributions estimates{"unary", {}};
  Votes votes;
  double before = 0.0;
  double after = 0.0;
  double base_rate = 0.0;
};

Data read_data() {
  const nlohmann::json one = read_fixture("calibration.json")["loss"];
  Data data;
  for (std::size_t i = 0; i < one["probs"].size(); ++i) {
    const std::string id = fmt::format("de{:03}", i);
    data.estimates.probs.emplace(id, one["probs"][i].get<std::vector<double>>());
    data.votes.emplace(id, ExampleVotes{one["shares"][i], 3, {}});
  }
  data.before = one["before"];
  data.after = one["after"];
  data.base_rate = one["base_rate"];
  return data;
}

FittedCalibration fit(std::string_view name, const Data& data, int n_folds, std::int64_t seed = 0) {
  return fit_calibration(find_calibrator(name, LabelKind::MultiLabel),
                         {data.estimates, data.votes, nullptr, kFittedLabels, {}}, {n_folds, seed});
}

TEST_CASE("The loss before and after, and the base rate's, are scikit-learn's", "[calibrate]") {
  const Data data = read_data();
  const FittedCalibration fitted = fit("platt", data, 0);
  REQUIRE(fitted.loss);
  CHECK(fitted.loss->before == Approx(data.before).epsilon(1e-9));
  CHECK(fitted.loss->after == Approx(data.after).epsilon(1e-6));
  CHECK(fitted.loss->base_rate == Approx(data.base_rate).epsilon(1e-9));
  CHECK_FALSE(fitted.loss->held_out);
  CHECK(fitted.example_ids.size() == 40);
}

TEST_CASE("Folds share out the examples, as evenly as they can, the same every time",
          "[calibrate]") {
  const Data data = read_data();
  const FittedCalibration fitted = fit("platt", data, 7);
  REQUIRE(fitted.folds.size() == 7);
  std::set<std::string> dealt;
  for (const CalibrationFold& fold : fitted.folds) {
    CHECK((fold.held_out.size() == 5 || fold.held_out.size() == 6));
    dealt.insert(fold.held_out.begin(), fold.held_out.end());
  }
  CHECK(dealt == fitted.example_ids);
  CHECK(fit("platt", data, 7).folds[3].held_out == fitted.folds[3].held_out);
  CHECK(fit("platt", data, 7, 1).folds[3].held_out != fitted.folds[3].held_out);
}

TEST_CASE("No example's votes reach its own probabilities, all others' do", "[calibrate]") {
  const Data data = read_data();
  for (const char* name : {"temperature", "label_temperature", "platt", "affine", "isotonic",
                           "prior_shift", "batch_fitted"}) {
    INFO(name);
    const auto calibrated = [&](const Data& with) {
      return apply_calibration(fit(name, with, 5), with.estimates, kFittedLabels, "here").probs;
    };
    const LabelNumbers before = calibrated(data);
    Data changed = data;
    std::vector<double>& shares = changed.votes.at("de008").shares;
    for (double& share : shares) share = 1.0 - share;
    const LabelNumbers after = calibrated(changed);
    CHECK(after.at("de008") == before.at("de008"));
    const auto n_equal = std::count_if(before.begin(), before.end(), [&](const auto& entry) {
      return after.at(entry.first) == entry.second;
    });
    CHECK(n_equal < 20);  // its own fold has 8
  }
}

TEST_CASE("The held-out loss of a fit that learns by heart is far above the one it sees",
          "[calibrate]") {
  const FittedCalibration fitted = fit("isotonic", read_data(), 4);
  REQUIRE(fitted.loss->held_out);
  CHECK(*fitted.loss->held_out > fitted.loss->after + 0.1);
}

TEST_CASE("Parameters are not applied to the votes they were fitted on", "[calibrate]") {
  const Data data = read_data();
  const FittedCalibration fitted = fit("platt", data, 0);
  Distributions others{"unary", {{"new", {.5, .5, .5, .5}}}};
  CHECK(apply_calibration(fitted, others, kFittedLabels, "here").probs.size() == 1);
  others.probs.emplace("de008", std::vector<double>{.5, .5, .5, .5});
  CHECK_THROWS_WITH(
      apply_calibration(fitted, others, kFittedLabels, "logs/x_0"),
      ContainsSubstring("logs/x_0: 1 of 2 examples are those that platt was fitted on, the first "
                        "'de008'") &&
          ContainsSubstring("fit on another split, or fit with --folds 5"));
  CHECK_THROWS_WITH(apply_calibration(fitted, others, LabelSet({"a"}, LabelKind::MultiLabel), "x"),
                    ContainsSubstring("fitted on other labels"));
}

TEST_CASE("New examples have the parameters fitted on all", "[calibrate]") {
  const Data data = read_data();
  const Distributions others{"unary", {{"new", {.9, .5, .2, .01}}}};
  CHECK(apply_calibration(fit("platt", data, 5), others, kFittedLabels, "").probs ==
        apply_calibration(fit("platt", data, 0), others, kFittedLabels, "").probs);
}

TEST_CASE("Batch calibration reads no votes: it is applied to the batch itself", "[calibrate]") {
  const Data data = read_data();
  const FittedCalibration fitted = fit("batch", data, 0);
  CHECK_FALSE(fitted.has_read_votes);
  CHECK(apply_calibration(fitted, data.estimates, kFittedLabels, "").probs.size() == 40);
  CHECK_THROWS_WITH(fit("batch", data, 5), ContainsSubstring("reads no votes here"));
}

TEST_CASE("Numbers of folds that mean nothing are refused", "[calibrate]") {
  const Data data = read_data();
  CHECK_THROWS_WITH(fit("platt", data, 1), ContainsSubstring("expected 0, or 2 or more, found 1"));
  CHECK_THROWS_WITH(fit("platt", data, 41),
                    ContainsSubstring("41 folds: expected as many examples with votes and an "
                                      "estimate, found 40"));
  CHECK_THROWS_AS(fit("platt", data, -1), ConfigError);
}

TEST_CASE("A temperature at the end of what is searched is told", "[calibrate]") {
  Data data;
  data.estimates.probs = {{"x", {.9, .9, .9, .9}}, {"y", {.1, .1, .1, .1}}};
  data.votes = {{"x", {{0, 1, 0, 0}, 1, {}}}, {"y", {{1, 0, 1, 1}, 1, {}}}};
  const FittedCalibration fitted = fit("label_temperature", data, 0);
  CHECK(fitted.parameters.numbers.at("temperature") == std::vector<double>{100, .01, 100, 100});
  REQUIRE(fitted.warnings.size() == 4);
  CHECK_THAT(fitted.warnings[1], ContainsSubstring("temperature of 'fear' is 0.01, the end"));
}

TEST_CASE("Probabilities that sum to 1 are no whole texts', which is told", "[calibrate]") {
  const LabelSet classes({"a", "b"}, LabelKind::SingleLabel);
  const Distributions texts{"scores", {{"", {.01, .001}}}};
  CalibrationOptions options;
  options.n_tokens = {1, 2};
  const Votes nobody;
  const auto warnings_of = [&](const std::vector<double>& probs) {
    const Distributions estimates{"scores", {{"x", probs}}};
    return fit_calibration(find_calibrator("ncc", LabelKind::SingleLabel),
                           {estimates, nobody, &texts, classes, options}, {})
        .warnings;
  };
  CHECK(warnings_of({.02, .003}).empty());
  REQUIRE(warnings_of({.5, .5}).size() == 1);
  CHECK_THAT(warnings_of({.5, .5})[0], ContainsSubstring("of the whole label texts"));
}

}  // namespace
}  // namespace labelprobe::analysis
