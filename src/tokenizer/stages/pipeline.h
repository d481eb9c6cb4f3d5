// A tokenizer in the stages of tokenizer.json, whichever file described them: added tokens,
// normalizers, pre-tokenizers, byte-pair encoding or WordPiece, special tokens around it, decoders.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "labelprobe/tokenizer/tokenizer.h"

#include "tokenizer/stages/added_tokens.h"
#include "tokenizer/stages/decoder.h"
#include "tokenizer/stages/normalizer.h"
#include "tokenizer/stages/piece_model.h"
#include "tokenizer/stages/pre_tokenizer.h"

namespace labelprobe::tokenizer {

// Everything a loader finds out about a tokenizer.
struct PipelineParts {
  std::string fingerprint;
  std::vector<AddedToken> added_tokens;
  std::vector<Normalizer> normalizers;
  std::vector<PreTokenizer> pre_tokenizers;
  std::unique_ptr<const PieceModel> model;
  std::vector<Decoder> decoders;
  TokenIds prefix_ids;  // what SpecialTokens::Add puts before and behind a text
  TokenIds suffix_ids;
  std::optional<TokenId> bos_id;
  std::optional<TokenId> eos_id;
  std::optional<TokenId> pad_id;
  std::optional<PairFrame> pair_frame;
  bool is_byte_level = true;  // the vocabulary is one of bytes
  std::string space_mark;     // what stands for a space in the vocabulary, e.g. "▁"; may be empty
};

class Pipeline final : public Tokenizer {
 public:
  explicit Pipeline(PipelineParts parts);

  TokenIds encode(std::string_view text, SpecialTokens special) const override;
  Encoding encode_with_offsets(std::string_view text, SpecialTokens special) const override;
  std::string decode(std::span<const TokenId> ids) const override;
  std::string token_bytes(TokenId id) const override;
  std::optional<TokenId> special_id(std::string_view text) const override;
  int vocab_size() const override { return n_ids_; }
  std::optional<TokenId> bos_id() const override { return parts_.bos_id; }
  std::optional<TokenId> eos_id() const override { return parts_.eos_id; }
  std::optional<TokenId> pad_id() const override { return parts_.pad_id; }
  std::optional<PairFrame> pair_frame() const override { return parts_.pair_frame; }

 private:
  void encode_text(std::string_view text, Tracking tracking, Encoding& encoding) const;
  void encode_normalized(AlignedText text, Encoding& encoding) const;
  void encode_plain(AlignedText text, Encoding& encoding) const;
  std::size_t end_of_word(std::string_view bytes, std::size_t begin, std::size_t end) const;
  const AddedToken* added(TokenId id) const;

  PipelineParts parts_;
  int n_ids_ = 0;
  AddedTokenFinder raw_finder_;         // tokens looked for in the text as it is
  AddedTokenFinder normalized_finder_;  // and those looked for after normalizing
  bool has_normalized_ = false;
  bool cuts_at_space_mark_ = false;
  std::unordered_map<TokenId, AddedToken> added_;
  std::unordered_map<std::string, TokenId> special_ids_;
};

// The stages shared by every vocabulary that SentencePiece made: spaces become "▁", which also
// begins the text, and bytes stand for unknown characters.
void set_sentencepiece_stages(PipelineParts& parts, bool adds_prefix);
std::vector<Decoder> sentencepiece_decoders(bool strips_prefix);
inline constexpr const char* kSpaceMark = "\u2581";

// Throws DataError with the byte offset if `text` is not UTF-8.
void require_utf8(std::string_view text);

}  // namespace labelprobe::tokenizer
