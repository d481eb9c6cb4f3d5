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

// What texts have in common that differ only in upper and lower case or in how accents are put
// together: Unicode's full case folding, then NFC. Bytes that are no UTF-8 become U+FFFD.
std::string folded(std::string_view text);

// Whether words go on over this character: letters, their marks and digits, but those of scripts
// that are written without spaces, as Chinese is, stand for themselves.
bool is_in_word(std::uint32_t code);

// Where `word` first stands by itself in `text`, both UTF-8, from byte `from` on; npos if it does
// not. Nothing is before and behind it that its own ends would go on with.
std::size_t find_word(std::string_view text, std::string_view word, std::size_t from = 0);

// `text` with every occurrence of `from` replaced, left to right, not scanning what was inserted.
// `from` is not empty.
std::string replace_all(std::string_view text, std::string_view from, std::string_view to);

}  // namespace labelprobe
