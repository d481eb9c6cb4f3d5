#include "labelprobe/core/utf8.h"

#include <algorithm>
#include <cstdlib>

#include <utf8proc.h>

#include "labelprobe/core/error.h"

namespace labelprobe {

namespace {

// How many bytes at `at` are the well-formed beginning of one character, and how many it wants.
struct Prefix {
  std::size_t n_found;
  std::size_t n_wanted;  // 0 if no character begins with this byte
};

// utf8proc_iterate() tells only whether a whole character is there; lossy decoding needs the part.
Prefix prefix_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) {
    return {1, 1};
  }
  if (first < 0xC2 || first > 0xF4) {
    return {1, 0};
  }
  const std::size_t n_wanted = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  // The second byte also rules out overlong forms, surrogates and codes above U+10FFFF.
  const unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  std::size_t n_found = 1;
  while (n_found < n_wanted && at + n_found < text.size()) {
    const unsigned char next = byte(n_found);
    if (n_found == 1 ? next < low || next > high : (next & 0xC0u) != 0x80u) {
      break;
    }
    ++n_found;
  }
  return {n_found, n_wanted};
}

}  // namespace

Character character_at(std::string_view text, std::size_t at) {
  const Prefix prefix = prefix_at(text, at);
  if (prefix.n_found != prefix.n_wanted) {
    return {};
  }
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  std::uint32_t code = prefix.n_wanted == 1   ? byte(0)
                       : prefix.n_wanted == 2 ? byte(0) & 0x1Fu
                       : prefix.n_wanted == 3 ? byte(0) & 0x0Fu
                                              : byte(0) & 0x07u;
  for (std::size_t i = 1; i < prefix.n_wanted; ++i) {
    code = (code << 6) | (byte(i) & 0x3Fu);
  }
  return {code, prefix.n_wanted};
}

std::size_t character_start(std::string_view text, std::size_t at) {
  while (at > 0 && at < text.size() && continues_character(text[at])) {
    --at;
  }
  return at;
}

std::size_t next_character_start(std::string_view text, std::size_t at) {
  while (at < text.size() && continues_character(text[at])) {
    ++at;
  }
  return at;
}

std::size_t n_characters(std::string_view text) {
  return text.size() -
         static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continues_character));
}

std::size_t first_non_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const Prefix prefix = prefix_at(text, at);
    if (prefix.n_found != prefix.n_wanted) {
      return at;
    }
    at += prefix.n_found;
  }
  return at;
}

bool is_utf8(std::string_view text) {
  return first_non_utf8(text) == text.size();
}

void append_utf8(std::string& text, std::uint32_t code) {
  utf8proc_uint8_t bytes[4];
  const auto n_bytes = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code), bytes);
  text.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(n_bytes));
}

std::string utf8_lossy(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const Prefix prefix = prefix_at(bytes, at);
    if (prefix.n_found == prefix.n_wanted) {
      text.append(bytes, at, prefix.n_found);
    } else {
      text += "\uFFFD";
    }
    at += prefix.n_found;
  }
  return text;
}

std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return lower;
}

std::string folded(std::string_view text) {
  if (std::all_of(text.begin(), text.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
    return ascii_lower(text);
  }
  const std::string known = utf8_lossy(text);
  utf8proc_uint8_t* made = nullptr;
  const auto n_bytes = utf8proc_map(
      reinterpret_cast<const utf8proc_uint8_t*>(known.data()),
      static_cast<utf8proc_ssize_t>(known.size()), &made,
      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD));
  if (n_bytes < 0) {
    throw InternalError(std::string("case folding: ") + utf8proc_errmsg(n_bytes));
  }
  std::string result(reinterpret_cast<const char*>(made), static_cast<std::size_t>(n_bytes));
  std::free(made);
  return result;
}

bool is_in_word(std::uint32_t code) {
  const auto point = static_cast<utf8proc_int32_t>(code);
  const utf8proc_category_t category = utf8proc_category(point);
  const bool is_letter = category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
  return is_letter && utf8proc_charwidth(point) < 2;
}

std::size_t find_word(std::string_view text, std::string_view word, std::size_t from) {
  const auto goes_on = [](std::string_view of, std::size_t at) {
    return at < of.size() && is_in_word(character_at(of, at).code);
  };
  const auto last_of = [](std::string_view of) { return character_start(of, of.size() - 1); };
  for (std::size_t at = text.find(word, from); at != std::string_view::npos && !word.empty();
       at = text.find(word, at + 1)) {
    const bool joins_before =
        at > 0 && goes_on(word, 0) && goes_on(text, last_of(text.substr(0, at)));
    const bool joins_behind = goes_on(word, last_of(word)) && goes_on(text, at + word.size());
    if (!joins_before && !joins_behind) return at;
  }
  return std::string_view::npos;
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string replaced;
  std::size_t at = 0;
  for (std::size_t found = text.find(from); found != std::string_view::npos;
       found = text.find(from, at)) {
    replaced.append(text, at, found - at);
    replaced.append(to);
    at = found + from.size();
  }
  replaced.append(text, at);
  return replaced;
}

}  // namespace labelprobe
