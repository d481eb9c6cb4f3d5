// From one piece of text to tokens: the "model" of tokenizer.json. Knows nothing of special tokens
// and of how texts are split.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/token.h"

namespace labelprobe::tokenizer {

// A token of a piece and how many of the piece's bytes it stands for.
struct PieceToken {
  TokenId id;
  std::uint32_t n_bytes;
};

class PieceModel {
 public:
  virtual ~PieceModel() = default;

  // Appends the tokens of `piece`, which is UTF-8.
  virtual void encode(std::string_view piece, std::vector<PieceToken>& tokens) const = 0;

  virtual std::optional<TokenId> find(std::string_view text) const = 0;
  // Null if no token has this id.
  virtual const std::string* text(TokenId id) const = 0;
  virtual int n_ids() const = 0;

  // True if a piece may be cut before every first `mark` of a run without changing its tokens.
  virtual bool may_cut_before(std::string_view mark) const = 0;
};

}  // namespace labelprobe::tokenizer
