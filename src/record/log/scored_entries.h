// Entries of logs of trained classifiers.
#pragma once

#include <nlohmann/json.hpp>

#include "labelprobe/files/yaml_writer.h"
#include "labelprobe/record/training_log.h"

namespace labelprobe::record {

// An entry of indexed_metrics.yml.
files::JsonF32 entry_of(const ScoredItem& item, const TrainingLog& log);

// What metrics.yml has besides the description, and steps.yml.
nlohmann::json metrics_of(const TrainingLog& log);
nlohmann::json steps_of(const TrainingLog& log);

}  // namespace labelprobe::record
