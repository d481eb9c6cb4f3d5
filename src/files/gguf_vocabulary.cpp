#include "labelprobe/files/gguf_vocabulary.h"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/core.h>

#include "labelprobe/core/error.h"

namespace labelprobe::files {

namespace {

constexpr std::string_view kTypes = "tokenizer.ggml.token_type";

constexpr std::array kEndRoles = {"eos", "eot", "eom"};
// ggml writes "seperator".
constexpr std::array kRoles = {"bos",     "eos",       "eot",     "eom",
                               "unknown", "seperator", "padding", "mask"};

struct EndName {
  std::string_view text;
  bool is_markup = false;  // also a piece of ordinary texts: counts only if it is no normal token
};

// After llama.cpp's list of tokens that end a generation.
constexpr std::array kEndNames = {
    EndName{"<|eot_id|>"},
    EndName{"<|eom_id|>"},
    EndName{"<|end_of_text|>"},
    EndName{"<|endoftext|>"},
    EndName{"<|im_end|>"},
    EndName{"<|end|>"},
    EndName{"<end_of_turn>"},
    EndName{"<end_of_utterance>"},
    EndName{"<\uFF5Cend\u2581of\u2581sentence\uFF5C>"},
    EndName{"_<EOT>"},
    EndName{"<EOT>", true},
    EndName{"[EOT]", true},
    EndName{"[EOS]", true},
    EndName{"<eos>", true},
    EndName{"</s>", true},
};

bool is_type(std::int64_t number, GgufTokenType type) {
  return number == static_cast<std::int64_t>(type);
}

// Whether a text looks like a name and not like a piece of a text. A header may call an ordinary
// token, such as the first of all, the padding.
bool looks_like_name(std::string_view text) {
  return text.size() > 2 && ((text.front() == '<' && text.back() == '>') ||
                             (text.front() == '[' && text.back() == ']') || text == "_<EOT>");
}

bool is_end_name(std::string_view text, std::int64_t type) {
  const auto found = std::find_if(kEndNames.begin(), kEndNames.end(),
                                  [&](const EndName& name) { return name.text == text; });
  return found != kEndNames.end() && !(found->is_markup && is_type(type, GgufTokenType::Normal));
}

void add_new(std::vector<TokenId>& ids, TokenId id) {
  if (std::find(ids.begin(), ids.end(), id) == ids.end()) {
    ids.push_back(id);
  }
}

}  // namespace

std::optional<TokenId> token_of_role(const GgufFile& gguf, std::string_view role) {
  const std::string key = fmt::format("tokenizer.ggml.{}_token_id", role);
  if (!gguf.has(key)) {
    return std::nullopt;
  }
  const std::int64_t id = gguf.integer(key);
  const std::int64_t n_tokens = gguf.has(kGgufTokens)
                                    ? static_cast<std::int64_t>(gguf.strings(kGgufTokens).size())
                                    : std::int64_t{1} << 24;
  if (id < 0 || id >= n_tokens) {
    throw ModelError(fmt::format("{}: metadata key '{}': expected an id below {}, found {}",
                                 gguf.path().string(), key, n_tokens, id));
  }
  return static_cast<TokenId>(id);
}

std::vector<std::int64_t> token_types(const GgufFile& gguf) {
  const std::size_t n_tokens = gguf.strings(kGgufTokens).size();
  if (!gguf.has(kTypes)) {
    return std::vector<std::int64_t>(n_tokens, static_cast<std::int64_t>(GgufTokenType::Normal));
  }
  std::vector<std::int64_t> types = gguf.integers(kTypes);
  if (types.size() != n_tokens) {
    throw ModelError(fmt::format("{}: metadata key '{}': expected {} entries as in {}, found {}",
                                 gguf.path().string(), kTypes, n_tokens, kGgufTokens,
                                 types.size()));
  }
  return types;
}

std::vector<bool> special_tokens(const GgufFile& gguf) {
  const std::vector<std::string>& tokens = gguf.strings(kGgufTokens);
  const std::vector<std::int64_t> types = token_types(gguf);
  std::vector<bool> are_special(tokens.size());
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    are_special[id] =
        is_type(types[id], GgufTokenType::Control) || is_type(types[id], GgufTokenType::Unknown);
  }
  const auto add = [&](TokenId id) {
    const auto at = static_cast<std::size_t>(id);
    if (!is_type(types[at], GgufTokenType::Normal) || looks_like_name(tokens[at])) {
      are_special[at] = true;
    }
  };
  for (const char* role : kRoles) {
    if (const std::optional<TokenId> id = token_of_role(gguf, role)) {
      add(*id);
    }
  }
  for (const TokenId id : end_tokens(gguf)) {
    add(id);
  }
  return are_special;
}

std::vector<TokenId> end_tokens(const GgufFile& gguf) {
  std::vector<TokenId> ids;
  for (const char* role : kEndRoles) {
    if (const std::optional<TokenId> id = token_of_role(gguf, role)) {
      add_new(ids, *id);
    }
  }
  if (!gguf.has(kGgufTokens)) {
    return ids;
  }
  const std::vector<std::string>& tokens = gguf.strings(kGgufTokens);
  const std::vector<std::int64_t> types = token_types(gguf);
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (is_end_name(tokens[id], types[id])) {
      add_new(ids, static_cast<TokenId>(id));
    }
  }
  return ids;
}

}  // namespace labelprobe::files
