// From tokens back to text: the "decoder" of tokenizer.json.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace labelprobe::tokenizer {

struct ReplaceText {
  std::string text;
  std::string content;
};

// Runs of tokens <0x00> to <0xFF> become the characters their bytes spell, or one U+FFFD per byte.
struct JoinByteTokens {};

struct Fuse {};  // all tokens become one

struct StripEnds {
  std::string character;
  std::size_t n_start = 0;
  std::size_t n_stop = 0;
};

// Every replacement is a space; one that begins the first token is dropped.
struct RestoreSpaces {
  std::string replacement;
  bool drops_first = true;
};

// The tokens are bytes already: what does not spell a character becomes U+FFFD.
struct JoinBytes {};

// Tokens without the prefix begin a word; `cleans_up` takes spaces away before punctuation.
struct JoinWordPieces {
  std::string prefix;
  bool cleans_up = true;
};

using Decoder = std::
    variant<ReplaceText, JoinByteTokens, Fuse, StripEnds, RestoreSpaces, JoinBytes, JoinWordPieces>;

// The text of `tokens`, each decoder applied in order to all of them.
std::string decode_tokens(std::vector<std::string> tokens, const std::vector<Decoder>& decoders);

// The byte of a token "<0xE2>", else -1.
int byte_of_token(std::string_view token);

// What the format calls ByteLevel: the printable characters that stand for bytes. Gives the bytes,
// or the token itself if it has another character, which `is_all_printable` tells unless it is
// null.
std::string bytes_of_printable(std::string_view token, bool* is_all_printable = nullptr);

}  // namespace labelprobe::tokenizer
