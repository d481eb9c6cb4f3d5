// The words of a run whose model is behind a server, which has only texts: a tokenizer in place of
// the model's own, so that prompts, labels and answers go the same way as those of a local model.
// Its ids mean something in this process only.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/server/answerer.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::experiment {

class ServedVocabulary final : public tokenizer::Tokenizer {
 public:
  // The template that chats are written in, for messages() to read: ChatML.
  static const char* chat_template();

  ServedVocabulary();

  // A run of letters or of digits is one token, with the space before it if there is one; so that a
  // label's first token is its first word. Every other byte is a token of its own.
  tokenizer::Encoding encode_with_offsets(std::string_view text,
                                          tokenizer::SpecialTokens special) const override;
  std::string decode(std::span<const TokenId> ids) const override;
  std::string token_bytes(TokenId id) const override;
  std::optional<TokenId> special_id(std::string_view text) const override;
  int vocab_size() const override;
  std::optional<TokenId> bos_id() const override { return std::nullopt; }
  std::optional<TokenId> eos_id() const override { return std::nullopt; }

  // The token of these bytes, made where it is new.
  TokenId id_of(std::string_view bytes) const;

  // The text that was encoded.
  std::string text(std::span<const TokenId> ids) const;
  // The messages of a chat in chat_template(), without the header of its answer.
  std::vector<server::Message> messages(std::span<const TokenId> ids) const;

 private:
  mutable std::mutex mutex_;
  mutable std::vector<std::string> tokens_;
  mutable std::map<std::string, TokenId, std::less<>> ids_;
};

}  // namespace labelprobe::experiment
