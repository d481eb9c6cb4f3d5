// A trained model as a Hugging Face folder.
#pragma once

#include <filesystem>

#include "labelprobe/core/label_set.h"
#include "labelprobe/training/demux.h"

#include "training/demux/demux_model.h"

namespace labelprobe::training {

// config.json and the tokenizer's files as they lie in the encoder's folder, the labels in
// labels.json, and model.safetensors: the encoder, and the head below the classifier's name unless
// it is to be discarded. Such a folder can be trained on. Throws ConfigError.
void save_model(const std::filesystem::path& folder,
                const DemuxSettings& settings,
                const LabelSet& labels,
                const DemuxModel& model);

}  // namespace labelprobe::training
