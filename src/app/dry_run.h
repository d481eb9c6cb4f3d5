// What --dry-run shows: everything that can be known before weights are loaded.
#pragma once

#include <ostream>

#include "labelprobe/experiment/preparation.h"
#include "labelprobe/model/language_model.h"
#include "labelprobe/record/run.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::app {

void describe_dry_run(std::ostream& out,
                      const experiment::Settings& settings,
                      const experiment::Preparation& preparation,
                      const tokenizer::Tokenizer& tokenizer,
                      const model::ModelInfo& model,
                      const record::RunRequest& request);

}  // namespace labelprobe::app
