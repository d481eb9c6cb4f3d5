// What Python's str does, on texts that know where they come from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "prompt/jinja/value.h"

namespace labelprobe::prompt::jinja {

enum class Side { Both, Left, Right };

// Without the characters of `characters`, or white space where that is null, at its ends.
Text strip(const Text& text, Side side, const Text* characters);

Text upper(const Text& text);
Text lower(const Text& text);
Text capitalized(const Text& text);
// Each word with a capital: words of letters, as str.title(), or between spaces, hyphens and
// brackets, as Jinja's filter.
enum class Words { Letters, Spaced };
Text titled(const Text& text, Words words);

// Every `from`, which is not empty, but at most n of them; n < 0: all.
Text replaced(const Text& text, const Text& from, const Text& to, std::int64_t n, Budget& budget);

// Between separators, at most n times; n < 0: wherever they are.
std::vector<Value> split_at(const Text& text,
                            std::string_view separator,
                            std::int64_t n,
                            Budget& budget);
std::vector<Value> split_at_last(const Text& text,
                                 std::string_view separator,
                                 std::int64_t n,
                                 Budget& budget);
// Between white space.
std::vector<Value> split_words(const Text& text, std::int64_t n, Budget& budget);
std::vector<Value> split_lines(const Text& text, Budget& budget);

Text joined(const std::vector<Value>& items, const Text& separator, Budget& budget);

// Lines with blanks before them.
Text indented(
    const Text& text, std::string_view indent, bool with_first, bool with_blank, Budget& budget);

// Python's `format % value` and str.format(), with the simplest of their fields.
Text percent_formatted(const Text& format, const std::vector<Value>& values, Budget& budget);
Text brace_formatted(const Text& format, const Arguments& arguments, Budget& budget);

// The code points of a text.
std::vector<std::uint32_t> codes_of(std::string_view text);
bool is_space(std::uint32_t code);

}  // namespace labelprobe::prompt::jinja
