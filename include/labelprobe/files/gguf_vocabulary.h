// What a GGUF file says of its tokens besides their texts: of which kind they are, which have a
// role, and which end an answer. Who asks: the reader of the model's configuration and the
// tokenizer, which must agree.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/files/gguf.h"

namespace labelprobe::files {

inline constexpr std::string_view kGgufTokens = "tokenizer.ggml.tokens";

// Values of tokenizer.ggml.token_type.
enum class GgufTokenType : std::int64_t { Normal = 1, Unknown = 2, Control = 3, UserDefined = 4 };

// A token with a role that the header names, e.g. by tokenizer.ggml.eos_token_id.
std::optional<TokenId> token_of_role(const GgufFile& gguf, std::string_view role);

// The kind of every token as the file has it; all are Normal where it does not say.
std::vector<std::int64_t> token_types(const GgufFile& gguf);

// The tokens that are never a text: those of a special kind, those whose role the header names, and
// those that end an answer. Converters have got the kinds wrong. [number of tokens]
std::vector<bool> special_tokens(const GgufFile& gguf);

// The tokens that end an answer: the header's, then those that are known by their names, as in
// llama.cpp. A header has room for the end of the text, of the turn and of a message, and most
// converters fill in the first alone.
std::vector<TokenId> end_tokens(const GgufFile& gguf);

}  // namespace labelprobe::files
