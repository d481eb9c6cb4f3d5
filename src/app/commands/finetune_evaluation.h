// How well a tuned model answers the test items, as the published trainer measures it.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "labelprobe/experiment/training_texts.h"

#include "app/options/finetune_options.h"

namespace labelprobe::app {

// Answers every prompt greedily, with the adapter. A label is predicted where its name stands
// anywhere in the whole answer, in lower case, whatever else it says. Returns "jaccard_score" (1
// where both are empty), "micro_f1", "macro_f1" and the labels' own. Progress and what is odd about
// the model go to standard error. Throws as model::open() does.
std::map<std::string, double> evaluate_adapter(const experiment::TrainingTexts& texts,
                                               const FinetuneOptions& finetune,
                                               const std::filesystem::path& model,
                                               const std::filesystem::path& adapter);

}  // namespace labelprobe::app
