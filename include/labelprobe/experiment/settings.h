// Everything that decides what one run computes. Made by app from flags and config files; nothing
// here is resolved yet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "labelprobe/core/label_format.h"
#include "labelprobe/data/dataset.h"
#include "labelprobe/prompt/plan.h"
#include "labelprobe/prompt/sampler.h"
#include "labelprobe/prompt/template.h"
#include "labelprobe/readout/label_tokens.h"

namespace labelprobe::experiment {

struct Settings {
  std::string task;            // a data set's name
  data::DatasetOptions train;  // where demonstrations come from; no splits = none are needed
  data::DatasetOptions test;   // what is asked
  prompt::TemplateOptions templates;
  prompt::SamplingStrategy sampling;
  prompt::DemonstrationMode demonstrations = prompt::DemonstrationMode::Shared;
  int n_shots = 0;
  std::int64_t seed = 0;
  std::optional<std::int64_t> limit;  // only the first so many queries
  int max_new_tokens = 0;
  readout::LabelVariants label_variants = readout::LabelVariants::Both;
  std::optional<int> logs_precision;  // decimals kept of logged numbers; unset = all
  int batch_size = 0;                 // 0 = chosen by the model
  bool share_prefixes = true;
};

}  // namespace labelprobe::experiment
