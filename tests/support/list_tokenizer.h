// A tokenizer whose whole behaviour is its list of tokens: the longest one that fits is taken, from
// left to right. For tests that need to know every token; bytes outside the list are tokens of
// their own behind it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::support {

class ListTokenizer final : public tokenizer::Tokenizer {
 public:
  explicit ListTokenizer(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {
    n_listed_ = tokens_.size();
    for (int byte = 0; byte < 256; ++byte) {
      tokens_.emplace_back(1, static_cast<char>(byte));
    }
    fingerprint_ = "list";
  }

  tokenizer::Encoding encode_with_offsets(std::string_view text,
                                          tokenizer::SpecialTokens) const override {
    tokenizer::Encoding encoding;
    for (std::size_t at = 0; at < text.size();) {
      std::size_t best = n_listed_ + static_cast<unsigned char>(text[at]);
      for (std::size_t i = 0; i < n_listed_; ++i) {
        if (text.substr(at).starts_with(tokens_[i]) && tokens_[i].size() > tokens_[best].size()) {
          best = i;
        }
      }
      encoding.ids.push_back(static_cast<TokenId>(best));
      encoding.begins.push_back(at);
      at += tokens_[best].size();
      encoding.ends.push_back(at);
    }
    return encoding;
  }

  std::string decode(std::span<const TokenId> ids) const override {
    std::string text;
    for (const TokenId id : ids) {
      text += token_bytes(id);
    }
    return text;
  }

  std::string token_bytes(TokenId id) const override {
    return tokens_.at(static_cast<std::size_t>(id));
  }

  std::optional<TokenId> special_id(std::string_view) const override { return std::nullopt; }
  int vocab_size() const override { return static_cast<int>(tokens_.size()); }
  std::optional<TokenId> bos_id() const override { return std::nullopt; }
  std::optional<TokenId> eos_id() const override { return std::nullopt; }

  // The id of a listed token.
  TokenId id(std::string_view token) const {
    return encode_with_offsets(token, tokenizer::SpecialTokens::Omit).ids.at(0);
  }

 private:
  std::vector<std::string> tokens_;
  std::size_t n_listed_ = 0;
};

}  // namespace labelprobe::support
