#include "tokenizer/text/unicode.h"

#include <algorithm>
#include <span>

#include <utf8proc.h>

namespace labelprobe::tokenizer {

namespace {

// How many bytes at `at` are the well-formed beginning of one character, and how many it wants.
struct Prefix {
  std::size_t n_found;
  std::size_t n_wanted;  // 0 if no character begins with this byte
};

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

bool contains(std::span<const CodeRange> ranges, std::uint32_t code) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const CodeRange& r) { return code >= r.first && code <= r.second; });
}

utf8proc_category_t category(std::uint32_t code) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code));
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

bool is_white_space(std::uint32_t code) {
  return (code >= 0x09 && code <= 0x0D) || code == 0x20 || code == 0x85 || code == 0xA0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 ||
         code == 0x202F || code == 0x205F || code == 0x3000;
}

bool is_word(std::uint32_t code) {
  if (code < 0x80) {
    return (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') || code == '_' ||
           (code >= 'a' && code <= 'z');
  }
  switch (category(code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
      return true;
    default:
      // Joiners, and the enclosed letters that are alphabetic symbols.
      return code == 0x200C || code == 0x200D || (code >= 0x24B6 && code <= 0x24E9) ||
             (code >= 0x1F130 && code <= 0x1F149) || (code >= 0x1F150 && code <= 0x1F169) ||
             (code >= 0x1F170 && code <= 0x1F189) || contains(kNewerLetters, code) ||
             contains(kNewerMarks, code) || contains(kNewerDigits, code);
  }
}

bool is_numeric(std::uint32_t code) {
  if (code < 0x80) {
    return code >= '0' && code <= '9';
  }
  const auto kind = category(code);
  return kind == UTF8PROC_CATEGORY_ND || kind == UTF8PROC_CATEGORY_NL ||
         kind == UTF8PROC_CATEGORY_NO || contains(kNewerDigits, code) ||
         contains(kNewerOtherNumbers, code) || contains(kNewestNumbers, code);
}

}  // namespace labelprobe::tokenizer
