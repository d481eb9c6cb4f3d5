// The tokens of short pieces of text seen lately. Fixed size, one per thread, so it needs no lock
// and no allocation; a newer piece takes the place of an older one.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "tokenizer/stages/bpe.h"

namespace labelprobe::tokenizer {

class WordCache {
 public:
  static constexpr std::size_t kMaxBytes = 28;
  static constexpr std::size_t kMaxTokens = 6;

  // `log2_entries`: 14 makes one MiB.
  explicit WordCache(int log2_entries) : entries_(std::size_t{1} << log2_entries) {}

  // A number for a tokenizer, by which its entries are told from others'.
  static std::uint32_t next_serial() {
    static std::atomic<std::uint32_t> last{0};
    return ++last;
  }

  // One cache line.
  struct alignas(64) Entry {
    std::uint32_t serial = 0;  // of the tokenizer; 0: empty
    std::uint8_t n_bytes = 0;
    std::uint8_t n_tokens = 0;
    std::array<std::uint8_t, kMaxTokens> token_bytes{};
    std::array<char, kMaxBytes> bytes{};
    std::array<TokenId, kMaxTokens> ids{};

    bool holds(std::uint32_t wanted_serial, std::string_view piece) const {
      return serial == wanted_serial && n_bytes == piece.size() &&
             std::memcmp(bytes.data(), piece.data(), piece.size()) == 0;
    }

    void append_to(std::vector<PieceToken>& tokens) const {
      for (std::size_t i = 0; i < n_tokens; ++i) {
        tokens.push_back({ids[i], token_bytes[i]});
      }
    }

    // Keeps tokens[first..] as those of `piece`, if they are few enough.
    void store(std::uint32_t owner,
               std::string_view piece,
               const std::vector<PieceToken>& tokens,
               std::size_t first) {
      if (tokens.size() - first > kMaxTokens) {
        return;
      }
      serial = owner;
      n_bytes = static_cast<std::uint8_t>(piece.size());
      n_tokens = static_cast<std::uint8_t>(tokens.size() - first);
      std::memcpy(bytes.data(), piece.data(), piece.size());
      for (std::size_t i = 0; i < n_tokens; ++i) {
        ids[i] = tokens[first + i].id;
        token_bytes[i] = static_cast<std::uint8_t>(tokens[first + i].n_bytes);
      }
    }
  };

  // Where the piece is if it is anywhere; null if it is too long to be kept.
  Entry* entry_for(std::uint32_t serial, std::string_view piece) {
    if (piece.size() > kMaxBytes || piece.empty()) {
      return nullptr;
    }
    std::uint64_t hash = serial * 0x9E3779B97F4A7C15ull + piece.size();
    for (std::size_t at = 0; at < piece.size(); at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, piece.data() + at, std::min<std::size_t>(8, piece.size() - at));
      hash = (hash ^ word) * 0xD6E8FEB86659FD93ull;
      hash ^= hash >> 32;
    }
    return &entries_[hash & (entries_.size() - 1)];
  }

 private:
  std::vector<Entry> entries_;
};

}  // namespace labelprobe::tokenizer
