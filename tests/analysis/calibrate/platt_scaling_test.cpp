#include "labelprobe/analysis/platt_scaling.h"

#include "labelprobe/core/error.h"

#include "analysis/fixture_json.h"
#include "support/catch.h"

using labelprobe::DataError;
using labelprobe::analysis::fit_platt;
using labelprobe::analysis::PlattScaling;
using labelprobe::analysis::Votes;

namespace {

// One example of which the numbers are the labels'.
PlattScaling fit(const std::vector<double>& x, const std::vector<double>& shares) {
  return fit_platt({{"de0", x}}, {{"de0", {shares, 4, {}}}});
}

}  // namespace

TEST_CASE("Weight and bias are those that scipy finds", "[platt]") {
  const auto fixture = labelprobe::analysis::read_fixture("platt_scaling.json");
  for (const auto& wanted : fixture["cases"]) {
    INFO(wanted["name"]);
    const PlattScaling platt = fit(wanted["x"], wanted["shares"]);
    CHECK(platt.weight == Approx(wanted["fit"][0].get<double>()).epsilon(1e-7));
    CHECK(platt.bias == Approx(wanted["fit"][1].get<double>()).epsilon(1e-7));
  }
}

TEST_CASE("Two points with soft shares are met exactly", "[platt]") {
  // logit(3/4) = ln 3 at x = 1, -ln 3 at x = -1
  const PlattScaling platt = fit({-1.0, 1.0}, {0.25, 0.75});
  CHECK(platt.weight == Approx(std::log(3.0)));
  CHECK(platt.bias == Approx(0.0).margin(1e-10));
}

TEST_CASE("Examples add up, those without votes do not count", "[platt]") {
  const Votes votes = {{"de0", {{0.25}, 4, {}}}, {"de1", {{0.75}, 4, {}}}};
  const PlattScaling platt = fit_platt({{"de0", {-1.0}}, {"de1", {1.0}}, {"de2", {500.0}}}, votes);
  CHECK(platt.weight == Approx(std::log(3.0)));
}

TEST_CASE("Platt scaling refuses what has no single optimum", "[platt]") {
  // Separated upwards, downwards, and with one shared value in between.
  CHECK_THROWS_WITH(fit({1, 2, 3, 4}, {0, 0, 1, 1}), ContainsSubstring("separates"));
  CHECK_THROWS_WITH(fit({1, 2, 3, 4}, {1, 1, 0, 0}), ContainsSubstring("separates"));
  CHECK_THROWS_WITH(fit({1, 2, 2, 4}, {0, 0, 1, 1}), ContainsSubstring("separates"));
  CHECK_THROWS_WITH(fit({1, 2, 3}, {0, 0.5, 1}), ContainsSubstring("separates"));
  CHECK_THROWS_WITH(fit({2, 2, 2}, {0, 0.5, 1}), ContainsSubstring("all inputs are equal"));
  CHECK_THROWS_WITH(fit({1, 2}, {0, 0}), ContainsSubstring("found all 0"));
  CHECK_THROWS_WITH(fit({1, 2}, {1, 1}), ContainsSubstring("found all 1"));
  CHECK_THROWS_AS(fit_platt({{"de0", {1.0}}}, {}), DataError);
}

TEST_CASE("All but separated shares have their large weight", "[platt]") {
  const PlattScaling platt = fit({-1, -0.001, 0.001, 1}, {0, 1, 0, 1});
  CHECK(platt.weight > 1.0);
  CHECK(platt.bias == Approx(0.0).margin(1e-6));
}
