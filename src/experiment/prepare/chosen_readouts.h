// The readouts that a run asks for, of the answers that its plan has.
#pragma once

#include <cstdint>
#include <memory>

#include "labelprobe/experiment/answers.h"
#include "labelprobe/experiment/settings.h"
#include "labelprobe/readout/readouts.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::experiment {

// Throws ConfigError for unknown names, answers of which nothing can be read so, and options that
// make no sense.
//   end_ids  end-of-text tokens of the model
std::unique_ptr<readout::ReadoutExplorer> make_readouts(const Settings& settings,
                                                        const Answers& answers,
                                                        const tokenizer::Tokenizer& tokenizer,
                                                        TokenIds end_ids,
                                                        readout::ReadoutSink sink);

// readout::estimated_places() of one of the run's prompts; 0 where no readouts are asked for.
std::int64_t places_of_readouts(const Settings& settings, const Answers& answers);

}  // namespace labelprobe::experiment
