// What a model is tuned on and measured with: training texts of the train role, and the prompts of
// the test role.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "labelprobe/experiment/settings.h"
#include "labelprobe/prompt/queries.h"

namespace labelprobe::experiment {

struct TrainingTexts {
  LabelSet label_set;
  prompt::Templates templates;
  std::vector<prompt::TrainingText> train;
  std::vector<prompt::TrainingText> validation;  // of the test role, in the same form
  std::vector<prompt::Query>
      queries;  // of the test role: prompts without demonstrations, as a run makes them
  std::map<std::string, std::string> data_files;  // path -> fingerprint
  std::vector<std::string> warnings;
};

// Without test splits there is nothing to validate with. Settings::limit counts for the test role.
// Throws ConfigError for chats and other plans than the baseline, DataError where no training text
// is left.
TrainingTexts make_training_texts(const Settings& settings);

}  // namespace labelprobe::experiment
