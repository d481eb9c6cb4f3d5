// Which runs calibrate which rows.
#pragma once

#include "labelprobe/analysis/alignment_builder.h"

namespace labelprobe::analysis {

// The calibration's run that serves `row`; null if there is none. Throws ConfigError for several.
const RunLog* find_calibration(const Calibration& calibration, const EstimatedRow& row);

}  // namespace labelprobe::analysis
