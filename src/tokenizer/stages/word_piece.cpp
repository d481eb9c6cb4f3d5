#include "tokenizer/stages/word_piece.h"

#include <algorithm>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"

namespace labelprobe::tokenizer {

WordPiece::WordPiece(std::vector<std::string> texts, const WordPieceOptions& options)
    : texts_(std::move(texts)), max_characters_(options.max_characters) {
  const std::string& prefix = options.continuing_prefix;
  for (std::size_t id = 0; id < texts_.size(); ++id) {
    const std::string_view text = texts_[id];
    if (text.empty()) {
      continue;
    }
    n_longest_bytes_ = std::max(n_longest_bytes_, text.size());
    ids_.emplace(text, static_cast<TokenId>(id));
    if (text.starts_with(prefix)) {
      middle_.emplace(text.substr(prefix.size()), static_cast<TokenId>(id));
    }
  }
  const auto unk = ids_.find(options.unk_token);
  LABELPROBE_CHECK(unk != ids_.end());
  unk_id_ = unk->second;
}

void WordPiece::encode(std::string_view piece, std::vector<PieceToken>& tokens) const {
  const auto n_bytes = static_cast<std::uint32_t>(piece.size());
  std::vector<std::size_t> ends;  // of the characters
  for (std::size_t at = 0; at < piece.size();) {
    at += length_at(piece, at);
    ends.push_back(at);
    if (ends.size() > max_characters_) {
      tokens.push_back({unk_id_, n_bytes});
      return;
    }
  }
  const std::size_t n_before = tokens.size();
  std::size_t begin = 0;
  while (begin < piece.size()) {
    const auto& ids = begin == 0 ? ids_ : middle_;
    auto end = ends.rbegin();
    auto found = ids.end();
    for (; end != ends.rend() && *end > begin && found == ids.end(); ++end) {
      if (*end - begin <= n_longest_bytes_) {
        found = ids.find(piece.substr(begin, *end - begin));
      }
    }
    if (found == ids.end()) {
      tokens.resize(n_before);
      tokens.push_back({unk_id_, n_bytes});
      return;
    }
    const std::size_t n_taken = *std::prev(end) - begin;
    tokens.push_back({found->second, static_cast<std::uint32_t>(n_taken)});
    begin += n_taken;
  }
}

std::optional<TokenId> WordPiece::find(std::string_view text) const {
  const auto found = ids_.find(text);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

const std::string* WordPiece::text(TokenId id) const {
  const bool is_token = id >= 0 && static_cast<std::size_t>(id) < texts_.size() &&
                        !texts_[static_cast<std::size_t>(id)].empty();
  return is_token ? &texts_[static_cast<std::size_t>(id)] : nullptr;
}

}  // namespace labelprobe::tokenizer
