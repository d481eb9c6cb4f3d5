#include "app/terminal/visible.h"

#include <cstdint>

#include <fmt/format.h>

#include "labelprobe/core/utf8.h"

namespace labelprobe::app {

namespace {

bool is_control(std::uint32_t code) {
  return (code < 0x20 && code != '\n' && code != '\t') || (code >= 0x7F && code < 0xA0);
}

// Marks, embeddings, overrides and isolates of the bidirectional algorithm.
bool turns_direction(std::uint32_t code) {
  return code == 0x200E || code == 0x200F || code == 0x061C || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

}  // namespace

std::string visible(std::string_view text) {
  const std::string known = utf8_lossy(text);
  std::string shown;
  for (std::size_t at = 0; at < known.size();) {
    const Character character = character_at(known, at);
    if (character.code == '\r') {
      shown += "\\r";
    } else if (is_control(character.code)) {
      shown += fmt::format("\\x{:02x}", character.code);
    } else if (turns_direction(character.code)) {
      shown += fmt::format("\\u{:04x}", character.code);
    } else {
      shown.append(known, at, character.n_bytes);
    }
    at += character.n_bytes;
  }
  return shown;
}

}  // namespace labelprobe::app
