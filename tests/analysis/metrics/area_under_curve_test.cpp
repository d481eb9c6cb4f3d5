#include "analysis/metrics/area_under_curve.h"

#include "support/catch.h"

namespace labelprobe::analysis {
namespace {

TEST_CASE("The area under the curve counts pairs won, ties half", "[alignment]") {
  CHECK(area_under_curve({{0.9, true}, {0.1, false}}) == 1.0);
  CHECK(area_under_curve({{0.1, true}, {0.9, false}}) == 0.0);
  CHECK(area_under_curve({{0.5, true}, {0.5, false}, {0.7, true}, {0.2, false}}) == 0.875);
}

TEST_CASE("Rounding does not rank cases, small differences do", "[alignment]") {
  CHECK(area_under_curve({{0.3 + 1e-15, true}, {0.3, false}}) == 0.5);
  CHECK(area_under_curve({{0.3, true}, {0.3 + 1e-15, false}}) == 0.5);
  CHECK(area_under_curve({{2e-8, true}, {1e-8, false}}) == 1.0);
}

TEST_CASE("Cases of one kind have no area", "[alignment]") {
  CHECK_FALSE(area_under_curve({{0.3, true}, {0.4, true}}));
  CHECK_FALSE(area_under_curve({{0.3, false}}));
  CHECK_FALSE(area_under_curve({}));
}

}  // namespace
}  // namespace labelprobe::analysis
