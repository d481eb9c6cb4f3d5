// Which pairs of neighbouring tokens merge: a hash table for two integers, read billions of times.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "labelprobe/core/token.h"

namespace labelprobe::tokenizer {

class PairTable {
 public:
  static constexpr std::uint32_t kNoRank = ~std::uint32_t{0};

  struct Found {
    std::uint32_t rank = kNoRank;
    TokenId merged = -1;
  };

  explicit PairTable(std::size_t n_pairs)
      : slots_(std::bit_ceil(n_pairs * 2 + 2)), shift_(64 - std::countr_zero(slots_.size())) {}

  // Later insertions of a pair replace earlier ones. At most the announced number of pairs.
  void insert(TokenId left, TokenId right, Found found) {
    const std::uint64_t key = key_of(left, right);
    std::size_t at = first_slot(key);
    while (slots_[at].key != kEmpty && slots_[at].key != key) {
      at = (at + 1) & (slots_.size() - 1);
    }
    slots_[at] = {key, found};
  }

  Found find(TokenId left, TokenId right) const {
    const std::uint64_t key = key_of(left, right);
    for (std::size_t at = first_slot(key);; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].key == key) {
        return slots_[at].found;
      }
      if (slots_[at].key == kEmpty) {
        return {};
      }
    }
  }

 private:
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};  // no pair: ids are not negative

  struct Slot {
    std::uint64_t key = kEmpty;
    Found found;
  };

  static std::uint64_t key_of(TokenId left, TokenId right) {
    return (std::uint64_t{static_cast<std::uint32_t>(left)} << 32) |
           static_cast<std::uint32_t>(right);
  }
  // Fibonacci hashing after folding the high half into the low one.
  std::size_t first_slot(std::uint64_t key) const {
    return static_cast<std::size_t>(((key ^ (key >> 29)) * 0x9E3779B97F4A7C15ull) >> shift_);
  }

  std::vector<Slot> slots_;
  int shift_;
};

}  // namespace labelprobe::tokenizer
