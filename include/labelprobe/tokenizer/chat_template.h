// The chat template a model comes with: its text, and the tokens it may name. What it means is the
// prompt room's.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace labelprobe::tokenizer {

struct ChatTemplate {
  std::string text;
  std::string place;  // where it is from, for messages: a file, or a key of one
  // What the model's files call bos_token, eos_token, unk_token, pad_token, sep_token, cls_token
  // and mask_token; those they do not name are left out.
  std::map<std::string, std::string> tokens;
};

// The template of a model: of a folder (or the folder of a tokenizer file in it)
// chat_template.jinja, else `chat_template` in tokenizer_config.json (of several named ones
// `default`), of a .gguf file tokenizer.chat_template. nullopt if there is none. Throws ModelError
// for files it cannot read and for a list without `default`, naming those there are.
std::optional<ChatTemplate> chat_template(const std::filesystem::path& model);

// The template in `file`, with the tokens that the model's files name. Throws ConfigError if it
// cannot be read or is no UTF-8.
ChatTemplate read_chat_template(const std::filesystem::path& file,
                                const std::filesystem::path& model);

}  // namespace labelprobe::tokenizer
