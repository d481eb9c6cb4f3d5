// The random texts of scripts/fixtures/tokenizer_reference.py, made again: the fixtures hold only
// hashes of what the reference says about them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "labelprobe/core/token.h"

namespace labelprobe::tokenizer {

// xorshift64*, started by one splitmix64 step.
class RandomStream {
 public:
  explicit RandomStream(std::uint64_t seed) {
    std::uint64_t z = seed + 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    state_ = (z ^ (z >> 31)) != 0 ? z ^ (z >> 31) : 1;
  }

  std::uint32_t below(std::size_t n) {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<std::uint32_t>(((state_ * 0x2545F4914F6CDD1Du) >> 32) % n);
  }

 private:
  std::uint64_t state_;
};

inline void append_code(std::string& text, std::uint32_t code) {
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += {static_cast<char>(0xC0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3F))};
  } else if (code < 0x10000) {
    text += {static_cast<char>(0xE0 | (code >> 12)), static_cast<char>(0x80 | ((code >> 6) & 0x3F)),
             static_cast<char>(0x80 | (code & 0x3F))};
  } else {
    text +=
        {static_cast<char>(0xF0 | (code >> 18)), static_cast<char>(0x80 | ((code >> 12) & 0x3F)),
         static_cast<char>(0x80 | ((code >> 6) & 0x3F)), static_cast<char>(0x80 | (code & 0x3F))};
  }
}

inline std::string random_text(std::uint64_t seed) {
  using Ranges = std::vector<std::pair<std::uint32_t, std::uint32_t>>;
  static const std::vector<std::string> words = {
      "the",   "and",       "n't",  "'s",  "'re", "'LL", " joy", " anger",
      "label", "\u00DCber", "2024", "{\"", "\"}", ", ",  "\n\n", "  "};
  static const std::vector<Ranges> groups = {
      {{0x20, 0x7E}},
      {{0x61, 0x7A}},
      {{0xA0, 0x52F}},
      {{0x01, 0xD7FF}},
      {{0xE000, 0xFFFF}},
      {{0x10000, 0x10FFFF}},
      {{0x09, 0x0D},
       {0x20, 0x20},
       {0x85, 0x85},
       {0xA0, 0xA0},
       {0x1680, 0x1680},
       {0x180E, 0x180E},
       {0x2000, 0x200D},
       {0x2028, 0x202F},
       {0x205F, 0x2060},
       {0x3000, 0x3000},
       {0xFEFF, 0xFEFF},
       {0x1C, 0x1F}},
      {{0x3040, 0x30FF}, {0x4E00, 0x9FFF}, {0xAC00, 0xD7A3}},
      {{0x1F300, 0x1FAFF}, {0x200D, 0x200D}, {0xFE0F, 0xFE0F}},
      {{0x30, 0x39},
       {0x660, 0x669},
       {0x966, 0x96F},
       {0xB2, 0xB3},
       {0x2160, 0x2188},
       {0xFF10, 0xFF19}},
      {{0x300, 0x36F}, {0x1100, 0x11FF}, {0x61, 0x7A}, {0x0900, 0x0DFF}},
      {{0x1C80, 0x1C8F},
       {0xA7C0, 0xA7FF},
       {0x10D40, 0x10D8F},
       {0x11380, 0x113FF},
       {0x11F00, 0x11F5F},
       {0x16D40, 0x16D7F},
       {0x1E4D0, 0x1E5FF},
       {0x2EBF0, 0x2EE6F},
       {0x31350, 0x323B5},
       {0x1CCF0, 0x1CCF9}},
  };
  RandomStream random(seed);
  std::string text;
  std::size_t group = 0;
  const std::uint32_t n = 1 + random.below(40);
  for (std::uint32_t i = 0; i < n; ++i) {
    if (i == 0 || random.below(4) == 0) {
      group = random.below(groups.size() + 1);
    }
    if (group == groups.size()) {
      text += words[random.below(words.size())];
      continue;
    }
    const auto [first, last] = groups[group][random.below(groups[group].size())];
    append_code(text, first + random.below(last - first + 1));
  }
  return text;
}

// FNV-1a over the little-endian bytes of each number.
inline std::uint32_t fnv(std::span<const TokenId> numbers, std::uint32_t hash = 0x811C9DC5u) {
  for (const TokenId number : numbers) {
    for (int shift = 0; shift < 32; shift += 8) {
      hash = (hash ^ ((static_cast<std::uint32_t>(number) >> shift) & 0xFFu)) * 0x01000193u;
    }
  }
  return hash;
}

}  // namespace labelprobe::tokenizer
