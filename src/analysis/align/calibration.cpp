#include "analysis/align/calibration.h"

#include <algorithm>
#include <charconv>
#include <system_error>

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

// See parse_calibrators().
CrossFittedCalibrator parse_calibrator(const std::string& text, LabelKind kind) {
  constexpr int kUsualFolds = 5;
  const std::size_t colon = text.find(':');
  const Calibrator& calibrator = find_calibrator(text.substr(0, colon), kind);
  if (calibrator.needs == CalibratorNeeds::ContentFree) {
    throw ConfigError(fmt::format(
        "'{}' needs content-free prompts: fit it with `labelprobe calibrate fit --content-free`, "
        "and give what `calibrate apply` writes to --scores",
        calibrator.name));
  }
  const bool reads = reads_votes(calibrator, {});
  if (colon == std::string::npos) return {&calibrator, reads ? kUsualFolds : 0};
  if (!reads) {
    throw ConfigError(
        fmt::format("'{}' reads no votes and has no folds, found '{}'", calibrator.name, text));
  }
  int n_folds = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + colon + 1, end, n_folds);
  if (read.ec != std::errc() || read.ptr != end || n_folds < 2) {
    throw ConfigError(
        fmt::format("expected NAME or NAME:FOLDS with 2 folds or more, found '{}'", text));
  }
  return {&calibrator, n_folds};
}

}  // namespace

std::vector<CrossFittedCalibrator> parse_calibrators(const std::vector<std::string>& given,
                                                     LabelKind kind) {
  std::vector<CrossFittedCalibrator> parsed;
  for (const std::string& text : given) {
    try {
      parsed.push_back(parse_calibrator(text, kind));
    } catch (const ConfigError& error) {
      throw ConfigError(fmt::format("--calibrate: {}", error.what()));
    }
  }
  return parsed;
}

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
