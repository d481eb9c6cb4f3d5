// WordPiece: a word becomes the longest token it begins with, then the longest that continues it,
// and so on.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tokenizer/stages/piece_model.h"

namespace labelprobe::tokenizer {

struct WordPieceOptions {
  std::string unk_token = "[UNK]";  // stands for a word with a part that is no token
  std::string continuing_prefix = "##";
  std::size_t max_characters = 100;  // longer words are unknown
};

class WordPiece final : public PieceModel {
 public:
  // `texts` by id; empty where no token has the id. The unknown token is among them.
  WordPiece(std::vector<std::string> texts, const WordPieceOptions& options);
  WordPiece(const WordPiece&) = delete;
  WordPiece& operator=(const WordPiece&) = delete;

  void encode(std::string_view piece, std::vector<PieceToken>& tokens) const override;
  std::optional<TokenId> find(std::string_view text) const override;
  const std::string* text(TokenId id) const override;
  int n_ids() const override { return static_cast<int>(texts_.size()); }
  // A word cut in two would begin twice.
  bool may_cut_before(std::string_view) const override { return false; }

 private:
  std::vector<std::string> texts_;
  std::unordered_map<std::string_view, TokenId> ids_;     // keys point into texts_
  std::unordered_map<std::string_view, TokenId> middle_;  // likewise, behind the prefix
  std::size_t n_longest_bytes_ = 0;
  TokenId unk_id_ = 0;
  std::size_t max_characters_;
};

}  // namespace labelprobe::tokenizer
