// The chat template a model comes with: its text alone. What it means is the prompt room's.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace labelprobe::tokenizer {

// The template of a model: of a folder (or the folder of a tokenizer file in it)
// chat_template.jinja, else `chat_template` in tokenizer_config.json (of several named ones
// `default`), of a .gguf file tokenizer.chat_template. nullopt if there is none. Throws ModelError
// for files it cannot read and for a list without `default`, naming those there are.
std::optional<std::string> chat_template(const std::filesystem::path& model);

}  // namespace labelprobe::tokenizer
