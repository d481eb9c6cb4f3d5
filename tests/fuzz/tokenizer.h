// What is asked of every tokenizer that a target has loaded.
#pragma once

#include <string_view>

#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::fuzz {

// Texts to tokens and back, and every other question. Throws InternalError where an answer is not
// what the header says.
void question(const tokenizer::Tokenizer& tokenizer, std::string_view text);

inline constexpr std::string_view kText = " Hello, w\xC3\xB6rld 42!\n\tjoy <s>\xF0\x9F\x98\x80  a";

}  // namespace labelprobe::fuzz
