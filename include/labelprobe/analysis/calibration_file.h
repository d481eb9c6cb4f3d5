// Fitted calibrations as JSON files: written once, checked when read, applied by others.
#pragma once

#include <filesystem>
#include <iosfwd>

#include "labelprobe/analysis/calibration.h"

namespace labelprobe::analysis {

// One object: "format" (1), "calibrator", "program", "task", "label_kind", "labels", "source",
// "fitted_on" (number and fingerprint of the example ids, whether votes were read, seed), "loss"
// (mean NLL; null where there are no votes), "parameters", "folds" and "example_ids". Parameters
// are {"shared": {name: number}, "labels": {label: {name: number or list}}}. Every digit is kept.
void write_calibration(std::ostream& out, const FittedCalibration& calibration);

// Throws DataError (file, JSON path, expected, found) for anything else than what
// write_calibration() writes: unknown keys, labels or calibrators, numbers out of range, folds that
// do not share out the examples, ids that are not those of the fingerprint.
FittedCalibration read_calibration(const std::filesystem::path& path);

}  // namespace labelprobe::analysis
