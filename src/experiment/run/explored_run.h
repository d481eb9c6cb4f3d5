// Answers of a run, and what else is read off the model over the same computed prompts: readouts,
// and what its layers hold.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "labelprobe/experiment/preparation.h"
#include "labelprobe/experiment/settings.h"
#include "labelprobe/model/language_model.h"
#include "labelprobe/record/readout_values.h"

#include "experiment/explore/inner_explorer.h"
#include "experiment/explore/label_looks.h"

namespace labelprobe::experiment {

struct ExploredAnswer {
  model::Generation answer;
  std::vector<record::ReadoutValues> readouts;
  std::vector<LabelLook> looks;
  std::vector<model::Inside> seen;  // [looks.size()]
};

// Whether a run asks for more than answers.
bool is_explored(const Settings& settings);

// Where the label steps of a prompt's answer are: tokens generated before each.
using LabelIndices =
    std::function<std::vector<std::int64_t>(std::size_t prompt, const model::Generation& answer)>;
// Called once for every prompt.
using AnswerSink = std::function<void(std::size_t prompt, ExploredAnswer answer)>;

// Answers the prompts as `greedy` says, and reads what the settings ask for.
void answer_and_explore(model::LanguageModel& language_model,
                        std::span<const TokenIds> prompts,
                        const model::GenerateOptions& greedy,
                        const Settings& settings,
                        const Preparation& preparation,
                        const LabelIndices& label_indices,
                        const AnswerSink& sink);

}  // namespace labelprobe::experiment
