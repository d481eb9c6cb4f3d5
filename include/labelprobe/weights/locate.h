// Finds the files of a model by the name a user gives. Knows folders, .gguf files and the Hugging
// Face cache; opens no weights and fetches nothing.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace labelprobe::weights {

// The folder (with config.json) or .gguf file of `name_or_path`: an existing path, or a hub name
// ("org/model", "org/model@revision") looked up in the Hugging Face cache (HF_HUB_CACHE, else
// HF_HOME/hub, else ~/.cache/huggingface/hub; without a revision what refs/main names, or the only
// one there is). A GGUF file is known by its first bytes, whatever its name. Throws ModelError
// saying where it looked, which revisions there are and the command that downloads the model.
std::filesystem::path locate(const std::string& name_or_path);

// A sentence where locate() takes another revision than the current one; else empty.
std::string warn_of_revision(const std::string& name_or_path);

struct CachedModel {
  std::string name;  // as locate() takes it
  std::filesystem::path path;
};

// A family of decoders whose models are read.
struct ModelFamily {
  std::string_view name;          // "Llama"
  std::string_view architecture;  // as config.json names it: "LlamaForCausalLM"
};

// All of them, by name.
std::vector<ModelFamily> model_families();

// Every model in the Hugging Face cache that locate() finds, sorted by name. Whether its
// architecture is one we read shows only when it is opened.
std::vector<CachedModel> cached_models();

}  // namespace labelprobe::weights
