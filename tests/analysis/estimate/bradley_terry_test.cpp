#include "labelprobe/analysis/bradley_terry.h"

#include <cmath>
#include <limits>

#include "labelprobe/core/error.h"
#include "labelprobe/python/random.h"

#include "analysis/fixture_json.h"
#include "support/catch.h"

using labelprobe::analysis::Comparison;
using labelprobe::analysis::fit_bradley_terry;
using labelprobe::analysis::Strengths;

TEST_CASE("Strengths are those that scipy finds", "[bradley_terry]") {
  const auto fixture = labelprobe::analysis::read_fixture("bradley_terry.json");
  for (const auto& wanted : fixture["cases"]) {
    INFO(wanted["name"]);
    std::vector<Comparison> comparisons;
    for (const auto& pair : wanted["comparisons"]) {
      comparisons.push_back({pair[0], pair[1], pair[2]});
    }
    const Strengths found = fit_bradley_terry(wanted["n_competitors"], comparisons);
    CHECK(found.largest_gradient <= 1e-10);
    REQUIRE(found.scores.size() == wanted["scores"].size());
    for (std::size_t i = 0; i < found.scores.size(); ++i) {
      CHECK(found.scores[i] == Approx(wanted["scores"][i].get<double>()).margin(2e-9));
    }
  }
}

TEST_CASE("The gradient vanishes for many competitors and any outcomes", "[bradley_terry]") {
  labelprobe::python::Random random(3);
  for (const int n : {2, 10, 60}) {
    for (const double lambda : {1e-4, 0.01, 10.0}) {
      std::vector<Comparison> comparisons;
      for (int i = 0; i < n; ++i) {
        for (int j = i + 1; j < n; ++j) {
          const double outcome = i % 3 == 0 ? 1.0 : random.random();
          comparisons.push_back({i, j, random.random() < 0.5 ? outcome : 0.0});
        }
      }
      const Strengths found = fit_bradley_terry(n, comparisons, lambda);
      // The gradient anew, as the header's formula gives it.
      for (int k = 0; k < n; ++k) {
        double slope = 2 * lambda * found.scores[static_cast<std::size_t>(k)];
        for (const Comparison& pair : comparisons) {
          const double difference = found.scores[static_cast<std::size_t>(pair.first)] -
                                    found.scores[static_cast<std::size_t>(pair.second)];
          const double residual = 1 / (1 + std::exp(-difference)) - pair.first_wins;
          slope += (pair.first == k ? residual : 0.0) - (pair.second == k ? residual : 0.0);
        }
        CHECK(std::abs(slope) <= 1.1e-10);
      }
    }
  }
}

TEST_CASE("Without comparisons every score is 0", "[bradley_terry]") {
  CHECK(fit_bradley_terry(3, {}).scores == std::vector<double>{0, 0, 0});
  CHECK(fit_bradley_terry(0, {}).scores.empty());
}

TEST_CASE("A competitor against itself says nothing", "[bradley_terry]") {
  const std::vector<Comparison> comparisons = {{0, 0, 1.0}, {0, 1, 0.5}};
  CHECK(fit_bradley_terry(2, comparisons).scores == std::vector<double>{0, 0});
}

TEST_CASE("Impossible comparisons are a bug of the caller", "[bradley_terry]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Comparison& pair : {Comparison{0, 2, 0.5}, Comparison{-1, 0, 0.5},
                                 Comparison{0, 1, 1.1}, Comparison{0, 1, nan}}) {
    CHECK_THROWS_AS(fit_bradley_terry(2, std::span(&pair, 1)), labelprobe::InternalError);
  }
  CHECK_THROWS_AS(fit_bradley_terry(2, {}, 0.0), labelprobe::InternalError);
}
