// Finds the files of a model by the name a user gives. Knows folders, .gguf files and the Hugging
// Face cache; opens no weights and fetches nothing.
#pragma once

#include <filesystem>
#include <string>

namespace labelprobe::model {

// The folder (with config.json) or .gguf file of `name_or_path`: an existing path, or a hub name
// ("org/model") looked up in the Hugging Face cache (HF_HUB_CACHE, else HF_HOME/hub, else
// ~/.cache/huggingface/hub; refs/main first). Throws ModelError saying where it looked and the
// command that downloads the model.
std::filesystem::path locate(const std::string& name_or_path);

}  // namespace labelprobe::model
