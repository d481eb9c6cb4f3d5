// The character classes of the reference tokenizers.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

namespace labelprobe::tokenizer {

bool is_white_space(std::uint32_t code);  // the Unicode property
bool is_word(std::uint32_t code);         // \w of the reference
bool is_numeric(std::uint32_t code);      // Rust's char::is_numeric

// Letters, marks and numbers that the reference (Unicode 16 in its regular expressions, 17 in
// char::is_numeric) knows and Unicode 14 does not, which PCRE2 10.42 follows.
using CodeRange = std::pair<std::uint32_t, std::uint32_t>;
inline constexpr std::array kNewerLetters = {
    CodeRange{0x1C89, 0x1C8A},   CodeRange{0xA7CB, 0xA7CD},   CodeRange{0xA7DA, 0xA7DC},
    CodeRange{0x105C0, 0x105F3}, CodeRange{0x10D4A, 0x10D65}, CodeRange{0x10D6F, 0x10D85},
    CodeRange{0x10EC2, 0x10EC4}, CodeRange{0x1123F, 0x11240}, CodeRange{0x11380, 0x11389},
    CodeRange{0x1138B, 0x1138B}, CodeRange{0x1138E, 0x1138E}, CodeRange{0x11390, 0x113B5},
    CodeRange{0x113B7, 0x113B7}, CodeRange{0x113D1, 0x113D1}, CodeRange{0x113D3, 0x113D3},
    CodeRange{0x11BC0, 0x11BE0}, CodeRange{0x11F02, 0x11F02}, CodeRange{0x11F04, 0x11F10},
    CodeRange{0x11F12, 0x11F33}, CodeRange{0x1342F, 0x1342F}, CodeRange{0x13441, 0x13446},
    CodeRange{0x13460, 0x143FA}, CodeRange{0x16100, 0x1611D}, CodeRange{0x16D40, 0x16D6C},
    CodeRange{0x18CFF, 0x18CFF}, CodeRange{0x1B132, 0x1B132}, CodeRange{0x1B155, 0x1B155},
    CodeRange{0x1DF25, 0x1DF2A}, CodeRange{0x1E030, 0x1E06D}, CodeRange{0x1E4D0, 0x1E4EB},
    CodeRange{0x1E5D0, 0x1E5ED}, CodeRange{0x1E5F0, 0x1E5F0}, CodeRange{0x2B739, 0x2B739},
    CodeRange{0x2EBF0, 0x2EE5D}, CodeRange{0x31350, 0x323AF}};
inline constexpr std::array kNewerMarks = {
    CodeRange{0x897, 0x897},     CodeRange{0xCF3, 0xCF3},     CodeRange{0xECE, 0xECE},
    CodeRange{0x10D69, 0x10D6D}, CodeRange{0x10EFC, 0x10EFF}, CodeRange{0x11241, 0x11241},
    CodeRange{0x113B8, 0x113C0}, CodeRange{0x113C2, 0x113C2}, CodeRange{0x113C5, 0x113C5},
    CodeRange{0x113C7, 0x113CA}, CodeRange{0x113CC, 0x113D0}, CodeRange{0x113D2, 0x113D2},
    CodeRange{0x113E1, 0x113E2}, CodeRange{0x11F00, 0x11F01}, CodeRange{0x11F03, 0x11F03},
    CodeRange{0x11F34, 0x11F3A}, CodeRange{0x11F3E, 0x11F42}, CodeRange{0x11F5A, 0x11F5A},
    CodeRange{0x13440, 0x13440}, CodeRange{0x13447, 0x13455}, CodeRange{0x1611E, 0x1612F},
    CodeRange{0x1E08F, 0x1E08F}, CodeRange{0x1E4EC, 0x1E4EF}, CodeRange{0x1E5EE, 0x1E5EF}};
inline constexpr std::array kNewerDigits = {
    CodeRange{0x10D40, 0x10D49}, CodeRange{0x116D0, 0x116E3}, CodeRange{0x11BF0, 0x11BF9},
    CodeRange{0x11F50, 0x11F59}, CodeRange{0x16130, 0x16139}, CodeRange{0x16D70, 0x16D79},
    CodeRange{0x1CCF0, 0x1CCF9}, CodeRange{0x1E4F0, 0x1E4F9}, CodeRange{0x1E5F1, 0x1E5FA}};
inline constexpr std::array kNewerOtherNumbers = {CodeRange{0x1D2C0, 0x1D2D3}};
inline constexpr std::array kNewestNumbers = {CodeRange{0x11DE0, 0x11DE9},
                                              CodeRange{0x16FF4, 0x16FF6}};

}  // namespace labelprobe::tokenizer
