// A vocabulary and its merges in a file's own words, on the way to a Bpe.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tokenizer/stages/bpe.h"

namespace labelprobe::tokenizer {

// The texts handed in are not copied: the caller keeps them until build() returns.
class BpeBuilder {
 public:
  // With BpeUnits::Bytes tokens are written in the printable characters that stand for bytes.
  BpeBuilder(BpeUnits units, std::size_t n_tokens);

  // False if the id is taken. Of equal texts the first one counts.
  bool add_token(std::string_view written, TokenId id);
  std::optional<TokenId> find(std::string_view written) const;

  // A token that no text becomes and that no merge makes, e.g. a control token.
  void hide(TokenId id);

  // False if a part, or both together, are no token.
  bool add_merge(std::string_view left, std::string_view right, std::uint32_t rank);

  // All merges that make a token of two others, tokens with a higher score first: how SentencePiece
  // orders them. `token_scores` is by id, all finite. Time in the square of the tokens' lengths.
  void add_merges_by_score(const std::vector<double>& token_scores);

  // The Bpe; this builder is empty then.
  std::unique_ptr<const Bpe> build(BpeOptions options);

 private:
  BpeUnits units_;
  std::vector<std::string_view> written_;  // by id
  std::vector<BpeEntry> entries_;
  std::unordered_map<std::string_view, TokenId> ids_;
  std::vector<BpeMerge> merges_;
};

}  // namespace labelprobe::tokenizer
