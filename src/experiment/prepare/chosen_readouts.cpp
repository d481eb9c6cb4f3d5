#include "experiment/prepare/chosen_readouts.h"

#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

namespace labelprobe::experiment {

std::unique_ptr<readout::ReadoutExplorer> make_readouts(const Settings& settings,
                                                        const Answers& answers,
                                                        const tokenizer::Tokenizer& tokenizer,
                                                        TokenIds end_ids,
                                                        readout::ReadoutSink sink) {
  if (!answers.format) {
    throw ConfigError(fmt::format(
        "readouts are of answers that list labels in a format; those of plan '{}'{} do not",
        settings.plan->name,
        settings.plan->lists_labels ? " with a chain of thought before the labels" : ""));
  }
  std::vector<const readout::Readout*> chosen;
  for (const std::string& name : settings.readouts.names) {
    chosen.push_back(&readout::find_readout(name));
  }
  readout::ReadoutOptions options = settings.readouts.options;
  options.max_new_tokens = settings.max_new_tokens;
  options.seed = settings.seed;
  return std::make_unique<readout::ReadoutExplorer>(*answers.format, tokenizer, std::move(end_ids),
                                                    std::move(chosen), options, std::move(sink));
}

}  // namespace labelprobe::experiment
