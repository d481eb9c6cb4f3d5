// Mistral 7B, Mistral Nemo and Mistral Small as text models, and Ministral, some of whose layers
// have a window. llama.cpp writes them as Llama and leaves out the window.
#pragma once

#include "weights/families/llama_block.h"

namespace labelprobe::weights {

inline constexpr Family kMistral = {
    .name = "Mistral",
    .architecture = "MistralForCausalLM",
    .model_type = "mistral",
    .modules = kLlamaModules,
    .default_max_position = 131072,
    .default_window = 4096,
};

inline constexpr Family kMinistral = {
    .name = "Ministral",
    .architecture = "MinistralForCausalLM",
    .model_type = "ministral",
    .modules = kLlamaModules,
    .default_max_position = 131072,
    .default_window = 4096,
};

}  // namespace labelprobe::weights
