// UTF-8: which characters a text has and where they begin. Every room decodes and encodes with
// these; what CPython makes of characters is in the room `python`, their classes are the
// tokenizer's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace labelprobe {

struct Character {
  std::uint32_t code = 0;
  std::size_t n_bytes = 0;  // 0 if there is no well-formed character
};

// The character that begins at `text[at]`.
Character character_at(std::string_view text, std::size_t at);

// The bytes of the character that begins at `text[at]` of a text known to be UTF-8.
inline std::size_t length_at(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

// Whether the byte stands inside a character, not at its beginning.
inline bool continues_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0u) == 0x80u;
}

// The nearest place at or before `at`, and at or after it, where a character begins or the text
// ends.
std::size_t character_start(std::string_view text, std::size_t at);
std::size_t next_character_start(std::string_view text, std::size_t at);

// How many characters a text known to be UTF-8 has.
std::size_t n_characters(std::string_view text);

// Where the text stops being well-formed UTF-8 (overlong forms, surrogates and codes above U+10FFFF
// are not); its size if it does not.
std::size_t first_non_utf8(std::string_view text);
bool is_utf8(std::string_view text);

// `code` at most U+10FFFF.
void append_utf8(std::string& text, std::uint32_t code);

// Rust's String::from_utf8_lossy: each maximal part that begins a character but is none becomes one
// U+FFFD.
std::string utf8_lossy(std::string_view bytes);

// A-Z to a-z; every other byte unchanged.
std::string ascii_lower(std::string_view text);

// `text` with every occurrence of `from` replaced, left to right, not scanning what was inserted.
// `from` is not empty.
std::string replace_all(std::string_view text, std::string_view from, std::string_view to);

}  // namespace labelprobe
