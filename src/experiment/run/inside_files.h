// The files that a run's looks inside the model end in, beside its log.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/experiment/settings.h"
#include "labelprobe/model/language_model.h"
#include "labelprobe/record/row_file.h"

#include "experiment/run/explored_run.h"

namespace labelprobe::experiment {

// The files that a run with these settings ends in. Throws ConfigError for a layer that the model
// does not have.
std::vector<record::RowLayout> layouts_of(const InsideSettings& settings,
                                          const model::ModelInfo& info);

class InsideFiles {
 public:
  // hidden_states_<i>.safetensors: states [n_rows, n_layers, hidden size], layer [n_layers];
  // attention_<i>.safetensors: shares [n_rows, 4, layers, heads], of the prompt, the answer so far,
  // its labels' predicting places and their tokens.
  InsideFiles(const std::filesystem::path& folder,
              int experiment,
              const InsideSettings& settings,
              const model::ModelInfo& info);

  bool has(const std::string& key) const;
  void append(const std::string& key, const ExploredAnswer& answer);

  // Before the log is finished: the files. Afterwards: what an interrupted run needs goes away.
  void finish(std::span<const std::string> keys);
  void forget();

 private:
  std::unique_ptr<record::RowFile> states_;
  std::unique_ptr<record::RowFile> attention_;
};

}  // namespace labelprobe::experiment
