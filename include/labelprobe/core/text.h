// The few string operations whose exact behaviour more than one room depends on.
#pragma once

#include <string>
#include <string_view>

namespace labelprobe {

// Without leading and trailing whitespace, as Python's str.strip() defines it: Unicode whitespace,
// UTF-8 input. Bytes that are not UTF-8 are no whitespace.
std::string_view strip(std::string_view text);

// A-Z to a-z; every other byte unchanged.
std::string ascii_lower(std::string_view text);

// `text` with every occurrence of `from` replaced, left to right, not scanning what was inserted.
std::string replace_all(std::string_view text, std::string_view from, std::string_view to);

// True if `text` is well-formed UTF-8 (no overlong forms, no surrogates, nothing above U+10FFFF).
bool is_utf8(std::string_view text);

}  // namespace labelprobe
