#include <algorithm>

#include <fmt/core.h>

#include "labelprobe/core/limits.h"
#include "labelprobe/files/json.h"

#include "tokenizer/formats/loaders.h"

namespace labelprobe::tokenizer {

namespace {

// A token is its text, or an object with the text under "content".
std::optional<std::string> read_token(const files::JsonView& token) {
  if (token.is_null()) {
    return std::nullopt;
  }
  return token.value().is_object() ? token.at("content").string() : token.string();
}

void read_roles(const files::JsonView& root, TokenizerConfig& config) {
  for (const char* key : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token",
                          "cls_token", "mask_token"}) {
    const auto token = read_token(root.find(key));
    if (!token || token->empty()) {
      continue;
    }
    config.special_tokens.push_back(*token);
    const bool is_bos = key == std::string_view("bos_token");
    const bool is_eos = key == std::string_view("eos_token");
    const bool is_pad = key == std::string_view("pad_token");
    if (is_bos && !config.bos_token) {
      config.bos_token = token;
    } else if (is_eos && !config.eos_token) {
      config.eos_token = token;
    } else if (is_pad && !config.pad_token) {
      config.pad_token = token;
    }
  }
  for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
    const files::JsonView list = root.find(key);
    if (!list.value().is_array()) {
      continue;
    }
    for (const files::JsonView& item : list.items()) {
      if (const auto token = read_token(item)) {
        config.special_tokens.push_back(*token);
      }
    }
  }
}

std::optional<bool> read_flag(const files::JsonView& flag) {
  return flag.is_null() ? std::nullopt : std::optional(flag.boolean());
}

void read_added(const files::JsonView& list, TokenizerConfig& config) {
  if (list.is_null()) {
    return;
  }
  if (!list.value().is_object()) {
    list.fail_expected("an object of ids and tokens");
  }
  for (const auto& [key, unused] : list.value().items()) {
    const files::JsonView item = list.at(key);
    AddedToken token;
    std::size_t n_digits = 0;
    while (n_digits < key.size() && key[n_digits] >= '0' && key[n_digits] <= '9') {
      ++n_digits;
    }
    if (n_digits == 0 || n_digits != key.size() || n_digits > 8 ||
        std::stol(key) > limits::kTokenId) {
      item.fail(fmt::format("expected an id up to {} as the member's name", limits::kTokenId));
    }
    token.id = static_cast<TokenId>(std::stol(key));
    token.content = item.at("content").string();
    token.single_word = item.boolean_or("single_word", false);
    token.lstrip = item.boolean_or("lstrip", false);
    token.rstrip = item.boolean_or("rstrip", false);
    token.special = item.boolean_or("special", false);
    token.normalized = item.boolean_or("normalized", !token.special);
    config.added_tokens.push_back(std::move(token));
  }
}

// {"<|im_end|>": 32000}: how transformers kept added tokens before added_tokens_decoder.
void read_added_tokens_json(const files::JsonView& root, TokenizerConfig& config) {
  for (const auto& [text, id] : root.members()) {
    const bool is_known =
        std::any_of(config.added_tokens.begin(), config.added_tokens.end(),
                    [&wanted = text](const AddedToken& token) { return token.content == wanted; });
    if (!is_known) {
      AddedToken token;
      token.id = static_cast<TokenId>(id.integer(0, limits::kTokenId));
      token.content = text;
      token.normalized = !config.has_role(text);
      config.added_tokens.push_back(std::move(token));
    }
  }
}

}  // namespace

TokenizerConfig TokenizerConfig::load(const std::filesystem::path& folder) {
  TokenizerConfig config;
  std::error_code ignored;
  const auto config_file = folder / "tokenizer_config.json";
  if (std::filesystem::exists(config_file, ignored)) {
    const files::JsonView root = files::load_json_object(config_file, ErrorKind::Model);
    read_roles(root, config);
    read_added(root.find("added_tokens_decoder"), config);
    config.add_bos_token = read_flag(root.find("add_bos_token"));
    config.add_eos_token = read_flag(root.find("add_eos_token"));
    config.legacy = read_flag(root.find("legacy"));
    config.do_lower_case = read_flag(root.find("do_lower_case"));
    config.strip_accents = read_flag(root.find("strip_accents"));
    config.tokenize_chinese_chars = read_flag(root.find("tokenize_chinese_chars"));
  }
  const auto map_file = folder / "special_tokens_map.json";
  if (std::filesystem::exists(map_file, ignored)) {
    read_roles(files::load_json_object(map_file, ErrorKind::Model), config);
  }
  const auto added_file = folder / "added_tokens.json";
  if (std::filesystem::exists(added_file, ignored)) {
    read_added_tokens_json(files::load_json_object(added_file, ErrorKind::Model), config);
  }
  for (AddedToken& token : config.added_tokens) {
    token.special = token.special || config.has_role(token.content);
  }
  return config;
}

bool TokenizerConfig::has_role(const std::string& text) const {
  return std::find(special_tokens.begin(), special_tokens.end(), text) != special_tokens.end();
}

void TokenizerConfig::add_to(Fingerprint& fingerprint) const {
  fingerprint.add(bos_token.value_or(""));
  fingerprint.add(eos_token.value_or(""));
  for (const std::string& text : special_tokens) {
    fingerprint.add(text);
  }
  for (const AddedToken& token : added_tokens) {
    fingerprint.add(token.content);
    fingerprint.add(std::to_string(token.id));
    for (const bool flag :
         {token.single_word, token.lstrip, token.rstrip, token.normalized, token.special}) {
      fingerprint.add(std::string_view(flag ? "1" : "0"));
    }
  }
  for (const std::optional<bool>& flag : {add_bos_token, add_eos_token, legacy}) {
    fingerprint.add(std::string_view(!flag ? "-" : *flag ? "1" : "0"));
  }
}

}  // namespace labelprobe::tokenizer
