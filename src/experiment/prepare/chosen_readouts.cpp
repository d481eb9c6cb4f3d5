#include "experiment/prepare/chosen_readouts.h"

#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

namespace labelprobe::experiment {

namespace {

std::vector<const readout::Readout*> chosen_of(const Settings& settings) {
  std::vector<const readout::Readout*> chosen;
  for (const std::string& name : settings.readouts.names) {
    chosen.push_back(&readout::find_readout(name));
  }
  return chosen;
}

readout::ReadoutOptions options_of(const Settings& settings) {
  readout::ReadoutOptions options = settings.readouts.options;
  options.max_new_tokens = settings.max_new_tokens;
  options.seed = settings.seed;
  return options;
}

}  // namespace

std::unique_ptr<readout::ReadoutExplorer> make_readouts(const Settings& settings,
                                                        const Answers& answers,
                                                        const tokenizer::Tokenizer& tokenizer,
                                                        TokenIds end_ids,
                                                        readout::ReadoutSink sink) {
  if (!answers.format) {
    throw ConfigError(fmt::format(
        "readouts are of answers that are labels or one word; those of plan '{}'{} are not",
        settings.plan->name,
        settings.plan->name == "verbalized" ? "" : " with a chain of thought before the labels"));
  }
  return std::make_unique<readout::ReadoutExplorer>(*answers.format, tokenizer, std::move(end_ids),
                                                    chosen_of(settings), options_of(settings),
                                                    std::move(sink));
}

std::int64_t places_of_readouts(const Settings& settings, const Answers& answers) {
  const std::vector<const readout::Readout*> chosen = chosen_of(settings);
  return chosen.empty()
             ? 0
             : readout::estimated_places(answers.format.value(), chosen, options_of(settings));
}

}  // namespace labelprobe::experiment
