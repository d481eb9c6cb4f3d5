// The sentence encoder that a setting's options name.
#pragma once

#include "labelprobe/experiment/settings.h"

#include "app/commands/workbench.h"
#include "app/options/run_options.h"

namespace labelprobe::app {

// Lets `settings` have texts encoded, if an encoder is named. It is looked for and loaded only when
// texts are; `workbench` must outlive the settings.
//   model  whose device and threads serve where the encoder's own are not given
void add_sentence_encoder(const SentenceEncoderSettings& encoder,
                          const model::OpenOptions& model,
                          Workbench& workbench,
                          experiment::Settings& settings);

}  // namespace labelprobe::app
