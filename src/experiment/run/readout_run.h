// Answers and readouts of a run, over the same computed prompts.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "labelprobe/experiment/preparation.h"
#include "labelprobe/experiment/settings.h"
#include "labelprobe/model/language_model.h"
#include "labelprobe/record/readout_values.h"

namespace labelprobe::experiment {

// Called once for every prompt.
using AnswerSink = std::function<void(
    std::size_t prompt, model::Generation answer, std::vector<record::ReadoutValues> readouts)>;

// Answers the prompts as `greedy` says, and reads them.
void answer_with_readouts(model::LanguageModel& language_model,
                          std::span<const TokenIds> prompts,
                          const model::GenerateOptions& greedy,
                          const Settings& settings,
                          const Preparation& preparation,
                          const AnswerSink& sink);

}  // namespace labelprobe::experiment
