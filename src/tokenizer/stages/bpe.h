// Byte-pair encoding of one piece of text.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "labelprobe/core/token.h"

#include "tokenizer/stages/pair_table.h"
#include "tokenizer/stages/piece_model.h"

namespace labelprobe::tokenizer {

// What merging starts from.
enum class BpeUnits {
  Bytes,       // byte-level: every byte is a token
  Characters,  // every character is a token, a run of byte tokens, or unknown
};

struct BpeOptions {
  BpeUnits units = BpeUnits::Bytes;
  bool ignore_merges = false;  // a piece that is a token stays whole, whatever the merges say
  bool byte_fallback = false;  // unknown characters become tokens <0x00> to <0xFF>, if all exist
  bool fuse_unk = false;       // neighbouring unknown characters are one unknown token
  std::optional<TokenId> unk_id;
};

struct BpeMerge {
  TokenId left;
  TokenId right;
  TokenId merged;
  std::uint32_t rank;  // lower goes first; equal ranks go from left to right
};

// What stands behind an id.
struct BpeEntry {
  std::string text;         // for BpeUnits::Bytes: the bytes
  bool has_text = false;    // false: no token has this id
  bool is_matched = false;  // text to encode may become this token
};

class Bpe final : public PieceModel {
 public:
  // Where the merges hold equal pairs, the last one counts.
  Bpe(std::vector<BpeEntry> entries,
      const std::vector<BpeMerge>& merges,
      const BpeOptions& options);

  Bpe(const Bpe&) = delete;
  Bpe& operator=(const Bpe&) = delete;

  // Time n log n at worst. Frequent short pieces are
  // remembered, per thread.
  void encode(std::string_view piece, std::vector<PieceToken>& tokens) const override;

  std::optional<TokenId> find(std::string_view text) const override;
  const std::string* text(TokenId id) const override;
  int n_ids() const override { return static_cast<int>(entries_.size()); }

  // True if `mark` is a token and no merge joins other text to a `mark` on its right: then a piece
  // may be cut before every first `mark` of a run without changing its tokens.
  bool may_cut_before(std::string_view mark) const override;

 private:
  void encode_uncached(std::string_view piece, std::vector<PieceToken>& tokens) const;
  class UnitList;
  void append_bytes(std::string_view piece, UnitList units) const;
  void append_characters(std::string_view piece, UnitList units) const;
  TokenId byte_id(char byte) const { return byte_ids_[static_cast<unsigned char>(byte)]; }

  std::vector<BpeEntry> entries_;
  std::unordered_map<std::string_view, TokenId> ids_;  // keys point into entries_
  PairTable pairs_;
  BpeOptions options_;
  std::array<TokenId, 256> byte_ids_{};  // of a byte's token, -1 if there is none
  std::uint32_t serial_;                 // tells this object's entries in the threads' caches
  std::vector<TokenId> merged_ids_;
};

}  // namespace labelprobe::tokenizer
