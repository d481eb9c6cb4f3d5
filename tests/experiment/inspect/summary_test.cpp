#include <cmath>

#include "labelprobe/experiment/inspection.h"

#include "support/catch.h"

namespace labelprobe::experiment {
namespace {

record::LabelValues values(float joy, float fear) {
  return {{"joy", joy}, {"fear", fear}};
}

InspectedStep step_of(record::LabelValues logits) {
  InspectedStep step;
  step.logits = logits;
  step.lens = {values(0.0F, 0.0F), logits};
  step.parts = {values(0.0F, 0.0F), values(2.0F, 1.0F), values(0.5F, 2.5F)};
  return step;
}

}  // namespace

TEST_CASE("Of the whole vocabulary the mean probability and the median rank are told", "[unit]") {
  Inspection inspection;
  for (const std::int64_t rank : {7, 1, 2, 40}) {
    InspectedStep& step = inspection.steps.emplace_back(step_of(values(1.0F, 0.0F)));
    step.lens_log_sum_exp = {0.0F, 1.0F + std::log(4.0F)};
    step.lens_ranks = {{100, 200}, {rank, 50}};
  }
  InspectionSummary summary;
  summary.add(inspection);
  const auto layers = summary.layers();
  CHECK(*layers[0].vocabulary_prob == Approx(1.0));
  CHECK(*layers[0].vocabulary_rank == 100.0);
  CHECK(*layers[1].vocabulary_prob == Approx(0.25));
  CHECK(*layers[1].vocabulary_rank == 4.5);
}

// Log 3 apart: probabilities of 3/4 and 1/4.
TEST_CASE("Means are over label steps, of the label that is written", "[unit]") {
  const auto log3 = std::log(3.0F);
  Inspection inspection;
  inspection.steps = {step_of(values(log3, 0.0F)), step_of(values(0.0F, log3))};
  InspectedStep::Part part;
  part.name = "input";
  part.attention = {0.5F, 0.25F};
  part.adds = {values(1.0F, 0.0F), values(3.0F, 0.0F)};
  part.knocked_out = values(0.0F, log3);  // turns the first step over
  inspection.steps[0].text_parts = {part};
  InspectionSummary summary;
  summary.add(inspection);
  REQUIRE(summary.n_steps() == 2);
  const auto layers = summary.layers();
  REQUIRE(layers.size() == 2);
  CHECK(layers[0].written == Approx(0.5));
  CHECK(layers[0].next == Approx(0.5));
  CHECK(layers[0].entropy == Approx(std::log(2.0)));
  CHECK(layers[0].rank == Approx(1.0));
  CHECK(layers[1].written == Approx(0.75));
  CHECK(!layers[1].vocabulary_rank);
  CHECK(layers[1].next == Approx(0.25));  // fear follows joy
  CHECK(layers[1].entropy == Approx(-0.75 * std::log(0.75) - 0.25 * std::log(0.25)));
  // To joy at the first step, to fear at the second, less the mean of both.
  CHECK(layers[1].attention == Approx((0.5 - 0.5) / 2));
  CHECK(layers[1].mlp == Approx((-1.0 + 1.0) / 2));
  const auto parts = summary.parts();
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].n_steps == 1);
  CHECK(parts[0].attention == Approx(0.375));
  CHECK(parts[0].adds == Approx(2.0));
  CHECK(parts[0].change == Approx(-0.5));
  CHECK(parts[0].flips == Approx(1.0));
}

}  // namespace labelprobe::experiment
