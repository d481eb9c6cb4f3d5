#include "analysis/align/calibration.h"

#include <algorithm>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

namespace labelprobe::analysis {

namespace {

// A run calibrates the rows of its kind and model that have something to scale.
bool calibrates(const RunLog& fitted, const EstimatedRow& row) {
  if (!row.run || row.estimates.platt_inputs.empty()) return false;
  const RunLog& run = *row.run;
  return fitted.plan == run.plan && run.model_state == ModelState::Plain &&
         (fitted.model.empty() || run.model.empty() || fitted.model == run.model);
}

}  // namespace

const RunLog* find_calibration(const Calibration& calibration, const EstimatedRow& row) {
  const RunLog* found = nullptr;
  for (const RunLog& run : calibration.runs) {
    if (!calibrates(run, row)) continue;
    if (found) {
      throw ConfigError(fmt::format("--platt: expected one run for {}, found {} and {}",
                                    describe(*row.run), describe(*found), describe(run)));
    }
    found = &run;
  }
  return found;
}

void check_calibration(const Calibration& calibration, std::span<const EstimatedRow> rows) {
  for (const RunLog& run : calibration.runs) {
    const bool is_used = std::any_of(rows.begin(), rows.end(),
                                     [&](const EstimatedRow& row) { return calibrates(run, row); });
    if (!is_used) {
      throw ConfigError(fmt::format(
          "--platt: {}: expected a {} run of the same model among those aligned, of a method with "
          "logits (baseline or binary, multi-label), found none",
          describe(run), run.plan));
    }
  }
}

}  // namespace labelprobe::analysis
