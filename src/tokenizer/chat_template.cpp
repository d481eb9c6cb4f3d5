#include "labelprobe/tokenizer/chat_template.h"

#include <array>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/gguf.h"
#include "labelprobe/files/gguf_vocabulary.h"
#include "labelprobe/files/json.h"
#include "labelprobe/files/mapped_file.h"

namespace labelprobe::tokenizer {

namespace {

namespace fs = std::filesystem;
using NamedTokens = std::map<std::string, std::string>;

constexpr const char* kGgufKey = "tokenizer.chat_template";

// Their names in templates, and in a GGUF file between "tokenizer.ggml." and "_token_id".
struct TokenRole {
  const char* name;
  const char* in_gguf;
};
constexpr std::array kRoles = {
    TokenRole{"bos_token", "bos"},     TokenRole{"eos_token", "eos"},
    TokenRole{"unk_token", "unknown"}, TokenRole{"sep_token", "seperator"},
    TokenRole{"pad_token", "padding"}, TokenRole{"cls_token", "cls"},
    TokenRole{"mask_token", "mask"},
};

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// The templates of a list are objects with a name and a template.
std::optional<std::string> find_default(const files::JsonView& list) {
  std::string names;
  for (const files::JsonView& item : list.items()) {
    const std::string& name = item.at("name").string();
    if (name == "default") {
      return item.at("template").string();
    }
    names += (names.empty() ? "" : ", ") + name;
  }
  if (names.empty()) {
    return std::nullopt;
  }
  list.fail("expected a template named default, found " + names);
}

std::optional<std::string> of_config(const fs::path& file) {
  const files::JsonView held =
      files::load_json_object(file, ErrorKind::Model).find("chat_template");
  if (held.is_null()) {
    return std::nullopt;
  }
  return held.value().is_array() ? find_default(held) : held.string();
}

// A token is its text, or an object with the text under "content". What an earlier file named
// stays.
void add_tokens(const fs::path& file, NamedTokens& tokens) {
  if (!is_file(file)) return;
  const files::JsonView root = files::load_json_object(file, ErrorKind::Model);
  for (const TokenRole& role : kRoles) {
    const files::JsonView token = root.find(role.name);
    if (token.is_null()) continue;
    tokens.try_emplace(role.name,
                       token.value().is_object() ? token.at("content").string() : token.string());
  }
}

NamedTokens tokens_of_folder(const fs::path& folder) {
  NamedTokens tokens;
  add_tokens(folder / "tokenizer_config.json", tokens);
  add_tokens(folder / "special_tokens_map.json", tokens);
  if (is_file(folder / "tokenizer.model")) {  // what SentencePiece calls them
    tokens.try_emplace("bos_token", "<s>");
    tokens.try_emplace("eos_token", "</s>");
  }
  return tokens;
}

NamedTokens tokens_of_gguf(const files::GgufFile& gguf) {
  NamedTokens tokens;
  if (!gguf.has("tokenizer.ggml.tokens")) return tokens;
  const std::vector<std::string>& texts = gguf.strings("tokenizer.ggml.tokens");
  for (const TokenRole& role : kRoles) {
    const auto id = files::token_of_role(gguf, role.in_gguf);
    if (id && *id >= 0 && static_cast<std::size_t>(*id) < texts.size()) {
      tokens[role.name] = texts[static_cast<std::size_t>(*id)];
    }
  }
  return tokens;
}

std::optional<ChatTemplate> of_folder(const fs::path& folder) {
  const fs::path own_file = folder / "chat_template.jinja";
  if (is_file(own_file)) {
    return ChatTemplate{std::string(files::MappedFile(own_file).text()), own_file.string(),
                        tokens_of_folder(folder)};
  }
  const fs::path config = folder / "tokenizer_config.json";
  auto text = is_file(config) ? of_config(config) : std::nullopt;
  if (!text) return std::nullopt;
  return ChatTemplate{std::move(*text), config.string() + ": chat_template",
                      tokens_of_folder(folder)};
}

std::optional<ChatTemplate> of_gguf(const fs::path& file) {
  const files::GgufFile gguf = files::GgufFile::open(file);
  if (!gguf.has(kGgufKey)) return std::nullopt;
  return ChatTemplate{gguf.string(kGgufKey), file.string() + ": " + kGgufKey, tokens_of_gguf(gguf)};
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

}  // namespace

std::optional<ChatTemplate> chat_template(const fs::path& model) {
  auto found = is_folder(model)        ? of_folder(model)
               : files::is_gguf(model) ? of_gguf(model)
                                       : of_folder(model.parent_path());
  if (found && !is_utf8(found->text)) {
    throw ModelError(model.string() + ": chat template: expected UTF-8 text, found other bytes");
  }
  return found;
}

ChatTemplate read_chat_template(const fs::path& file, const fs::path& model) {
  if (!is_file(file)) {
    throw ConfigError(file.string() + ": expected a file with a chat template, found none");
  }
  ChatTemplate made{std::string(files::MappedFile(file).text()), file.string(), {}};
  if (!is_utf8(made.text)) {
    throw ConfigError(file.string() + ": expected UTF-8 text, found other bytes");
  }
  made.tokens = is_folder(model)        ? tokens_of_folder(model)
                : files::is_gguf(model) ? tokens_of_gguf(files::GgufFile::open(model))
                                        : tokens_of_folder(model.parent_path());
  return made;
}

}  // namespace labelprobe::tokenizer
