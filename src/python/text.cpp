#include "labelprobe/python/text.h"

#include <cstdint>

#include "labelprobe/core/utf8.h"

namespace labelprobe::python {

namespace {

// str.isspace(): Unicode White_Space plus U+001C to U+001F.
bool is_space(std::uint32_t code) {
  return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20) || code == 0x85 ||
         code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
         code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

}  // namespace

std::string_view strip(std::string_view text) {
  while (!text.empty()) {
    const Character first = character_at(text, 0);
    if (first.n_bytes == 0 || !is_space(first.code)) {
      break;
    }
    text.remove_prefix(first.n_bytes);
  }
  while (!text.empty()) {
    const std::size_t start = character_start(text, text.size() - 1);
    const Character last = character_at(text, start);
    if (last.n_bytes != text.size() - start || !is_space(last.code)) {
      break;
    }
    text.remove_suffix(last.n_bytes);
  }
  return text;
}

}  // namespace labelprobe::python
