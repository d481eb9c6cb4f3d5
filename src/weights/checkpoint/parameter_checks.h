// Whether files hold the parameters of a configuration, and only those, and what differs by habit.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "weights/checkpoint/stored_tensor.h"
#include "weights/checkpoint/weight_files.h"
#include "weights/families/decoder_config.h"

namespace labelprobe::weights {

// "a, b, c and 4 more"
std::string list_names(const std::vector<std::string>& names);

// Throws ModelError naming the parameters that are missing or of another form, and tensors that are
// none.
void check_both_ways(const std::filesystem::path& path,
                     const TensorMap& tensors,
                     const DecoderConfig& config);

// The name that a tensor of a model with images has in a text model, in the spellings of
// transformers 4 (language_model.model.) and 5 (model.language_model.); empty for what sees images.
std::string text_part_name(std::string_view name);

// Settles what the files hold of a head and an embedding that the configuration ties. Some writers
// store one matrix as the head alone; and some models were given a head of their own later, which
// counts.
void untie_stored_head(const std::filesystem::path& folder,
                       WeightFiles& weights,
                       DecoderConfig& config,
                       std::vector<std::string>& warnings);

}  // namespace labelprobe::weights
