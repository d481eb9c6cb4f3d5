#include "tokenizer/stages/pipeline.h"

#include <algorithm>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"

namespace labelprobe::tokenizer {

namespace {

void append_token(Encoding& encoding, TokenId id, Tracking tracking, Range source) {
  encoding.ids.push_back(id);
  if (tracking == Tracking::On) {
    encoding.begins.push_back(source.begin);
    encoding.ends.push_back(source.end);
  }
}

}  // namespace

void require_utf8(std::string_view text) {
  const std::size_t bad = first_non_utf8(text);
  if (bad != text.size()) {
    throw DataError(fmt::format("text to tokenize: byte {}: expected UTF-8, found byte {}", bad,
                                static_cast<unsigned char>(text[bad])));
  }
}

std::vector<Decoder> sentencepiece_decoders(bool strips_prefix) {
  return {ReplaceText{kSpaceMark, " "}, JoinByteTokens{}, Fuse{},
          StripEnds{" ", strips_prefix ? std::size_t{1} : std::size_t{0}, 0}};
}

void set_sentencepiece_stages(PipelineParts& parts, bool adds_prefix) {
  parts.is_byte_level = false;
  parts.space_mark = kSpaceMark;
  if (adds_prefix) {
    parts.normalizers.emplace_back(Prepend{kSpaceMark});
  }
  parts.normalizers.emplace_back(Replace{" ", nullptr, kSpaceMark});
  parts.decoders = sentencepiece_decoders(adds_prefix);
}

Pipeline::Pipeline(PipelineParts parts) : parts_(std::move(parts)) {
  fingerprint_ = parts_.fingerprint;
  n_ids_ = parts_.model->n_ids();
  for (const AddedToken& token : parts_.added_tokens) {
    n_ids_ = std::max(n_ids_, token.id + 1);
    added_[token.id] = token;
    if (token.special) {
      special_ids_[token.content] = token.id;
    }
    if (token.normalized) {
      const AlignedText word(token.content, 0, Tracking::Off);
      const AlignedText normalized = normalize(word, parts_.normalizers);
      normalized_finder_.add(normalized.bytes(), token);
      added_[token.id].content = normalized.bytes();  // which the reference decodes to
      has_normalized_ = true;
    } else {
      raw_finder_.add(token.content, token);
    }
  }
  // Without pre-tokenizers a whole text is one piece; cutting it at the words makes it fast.
  cuts_at_space_mark_ = !parts_.space_mark.empty() && parts_.pre_tokenizers.empty() &&
                        parts_.model->may_cut_before(parts_.space_mark);
}

TokenIds Pipeline::encode(std::string_view text, SpecialTokens special) const {
  Encoding encoding;
  if (special == SpecialTokens::Add) {
    encoding.ids = parts_.prefix_ids;
  }
  encode_text(text, Tracking::Off, encoding);
  if (special == SpecialTokens::Add) {
    encoding.ids.insert(encoding.ids.end(), parts_.suffix_ids.begin(), parts_.suffix_ids.end());
  }
  return std::move(encoding.ids);
}

Encoding Pipeline::encode_with_offsets(std::string_view text, SpecialTokens special) const {
  Encoding encoding;
  if (special == SpecialTokens::Add) {
    for (const TokenId id : parts_.prefix_ids) {
      append_token(encoding, id, Tracking::On, {0, 0});
    }
  }
  encode_text(text, Tracking::On, encoding);
  if (special == SpecialTokens::Add) {
    for (const TokenId id : parts_.suffix_ids) {
      append_token(encoding, id, Tracking::On, {text.size(), text.size()});
    }
  }
  return encoding;
}

void Pipeline::encode_text(std::string_view text, Tracking tracking, Encoding& encoding) const {
  require_utf8(text);
  for (const Segment& segment : raw_finder_.split(text)) {
    if (segment.id) {
      append_token(encoding, *segment.id, tracking, segment.range);
      continue;
    }
    const auto length = segment.range.end - segment.range.begin;
    const AlignedText part(text.substr(segment.range.begin, length), segment.range.begin, tracking);
    encode_normalized(normalize(part, parts_.normalizers), encoding);
  }
}

void Pipeline::encode_normalized(AlignedText text, Encoding& encoding) const {
  if (!has_normalized_) {
    return encode_plain(std::move(text), encoding);
  }
  for (const Segment& segment : normalized_finder_.split(text.bytes())) {
    if (segment.id) {
      const bool is_tracked = text.tracking() == Tracking::On;
      append_token(encoding, *segment.id, text.tracking(),
                   is_tracked ? text.source(segment.range) : Range{});
    } else {
      encode_plain(text.part(segment.range), encoding);
    }
  }
}

void Pipeline::encode_plain(AlignedText text, Encoding& encoding) const {
  const Pieces pieces = pre_tokenize(std::move(text), parts_.pre_tokenizers);
  const std::string_view bytes = pieces.text.bytes();
  const Tracking tracking = pieces.text.tracking();
  std::vector<PieceToken> tokens;
  for (const Range& piece : pieces.ranges) {
    for (std::size_t begin = piece.begin; begin < piece.end;) {
      const std::size_t end =
          cuts_at_space_mark_ ? end_of_word(bytes, begin, piece.end) : piece.end;
      tokens.clear();
      parts_.model->encode(bytes.substr(begin, end - begin), tokens);
      for (const PieceToken& token : tokens) {
        const Range range{begin, begin + token.n_bytes};
        append_token(encoding, token.id, tracking,
                     tracking == Tracking::On ? pieces.text.source(range) : Range{});
        begin = range.end;
      }
      begin = end;
    }
  }
}

// Where the run of space marks at `begin` and the text behind it end: before the next space mark.
std::size_t Pipeline::end_of_word(std::string_view bytes,
                                  std::size_t begin,
                                  std::size_t end) const {
  const std::string& mark = parts_.space_mark;
  std::size_t at = begin;
  while (bytes.compare(at, mark.size(), mark) == 0) {
    at += mark.size();
  }
  return std::min(bytes.find(mark, at), end);
}

const AddedToken* Pipeline::added(TokenId id) const {
  const auto found = added_.find(id);
  return found == added_.end() ? nullptr : &found->second;
}

std::string Pipeline::decode(std::span<const TokenId> ids) const {
  std::vector<std::string> tokens;
  tokens.reserve(ids.size());
  for (const TokenId id : ids) {
    const AddedToken* token = added(id);
    if (token != nullptr) {
      if (!token->special) {
        // The reference reads the bytes' printable characters in added tokens too.
        tokens.push_back(parts_.is_byte_level ? bytes_of_printable(token->content)
                                              : token->content);
      }
    } else if (const std::string* text = parts_.model->text(id)) {
      tokens.push_back(*text);
    }
  }
  return decode_tokens(std::move(tokens), parts_.decoders);
}

std::string Pipeline::token_bytes(TokenId id) const {
  if (const AddedToken* token = added(id)) {
    return token->special ? std::string() : token->content;
  }
  const std::string* text = parts_.model->text(id);
  if (text == nullptr) {
    return {};
  }
  if (parts_.is_byte_level) {
    return *text;
  }
  const int byte = byte_of_token(*text);
  if (byte >= 0) {
    return std::string(1, static_cast<char>(byte));
  }
  return parts_.space_mark.empty() ? *text : replace_all(*text, parts_.space_mark, " ");
}

std::optional<TokenId> Pipeline::special_id(std::string_view text) const {
  const auto found = special_ids_.find(std::string(text));
  return found == special_ids_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace labelprobe::tokenizer
