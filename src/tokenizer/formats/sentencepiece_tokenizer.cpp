// Loads SentencePiece's tokenizer.model through the sentencepiece library, with the special tokens
// and the treatment of spaces of Hugging Face's LlamaTokenizer.
#include <algorithm>
#include <stdexcept>
#include <string>
#include <unordered_map>

#include <fmt/core.h>
#include <sentencepiece_processor.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/mapped_file.h"

#include "tokenizer/formats/loaders.h"
#include "tokenizer/formats/sentencepiece_settings.h"
#include "tokenizer/stages/word_cache.h"

namespace labelprobe::tokenizer {

namespace {

class SentencePieceTokenizer final : public Tokenizer {
 public:
  SentencePieceTokenizer(const std::filesystem::path& file, const TokenizerConfig& config);

  TokenIds encode(std::string_view text, SpecialTokens special) const override;
  Encoding encode_with_offsets(std::string_view text, SpecialTokens special) const override;
  std::string decode(std::span<const TokenId> ids) const override;
  std::string token_bytes(TokenId id) const override;
  std::optional<TokenId> special_id(std::string_view text) const override;
  int vocab_size() const override { return n_ids_; }
  std::optional<TokenId> bos_id() const override { return bos_id_; }
  std::optional<TokenId> eos_id() const override { return eos_id_; }

 private:
  using Processor = sentencepiece::SentencePieceProcessor;
  struct Piece {
    TokenId id;
    Range range;
  };

  void add_special(const AddedToken& token);
  void add_special_tokens(const TokenizerConfig& config);
  bool may_cut_at_spaces(const SentencePieceSettings& settings) const;
  std::vector<Piece> encode_pieces(std::string_view text) const;
  void encode_whole(const Processor& processor,
                    std::string_view text,
                    std::size_t base,
                    std::vector<Piece>& pieces) const;
  void encode_by_words(std::string_view text,
                       std::size_t base,
                       bool has_prefix,
                       std::vector<Piece>& pieces) const;
  void encode_word(std::string_view word, std::vector<PieceToken>& tokens) const;

  Processor processor_;             // as the file says
  Processor prefixless_;            // the same without the space before a text
  bool adds_prefix_ = true;         // the file's own setting
  bool prefixes_segments_ = false;  // also behind special tokens
  bool is_cut_at_spaces_ = false;   // words may be encoded one by one
  bool adds_bos_ = true;
  bool adds_eos_ = false;
  std::optional<TokenId> bos_id_;
  std::optional<TokenId> eos_id_;
  int n_ids_ = 0;
  AddedTokenFinder finder_;
  std::unordered_map<std::string, TokenId> special_ids_;
  std::unordered_map<TokenId, AddedToken> added_;
  std::uint32_t serial_ = WordCache::next_serial();
};

void require_ok(const sentencepiece::util::Status& status, const std::filesystem::path& file) {
  if (!status.ok()) {
    throw ModelError(
        fmt::format("{}: expected a SentencePiece model, found something the library refuses ({}); "
                    "a tiktoken vocabulary of this name needs its tokenizer.json instead",
                    file.string(), status.ToString()));
  }
}

SentencePieceTokenizer::SentencePieceTokenizer(const std::filesystem::path& file,
                                               const TokenizerConfig& config) {
  std::string model;
  try {
    model = std::string(files::MappedFile(file).text());
  } catch (const DataError& error) {
    throw ModelError(error.what());
  }
  const auto settings = SentencePieceSettings::read(model);
  if (!settings) {
    throw ModelError(file.string() +
                     ": expected a SentencePiece model, found another kind of file; "
                     "a tiktoken vocabulary of this name needs its tokenizer.json instead");
  }
  try {
    require_ok(processor_.LoadFromSerializedProto(model), file);
    require_ok(prefixless_.LoadFromSerializedProto(model + kWithoutPrefix), file);
  } catch (const std::logic_error& error) {
    // The library looks into pieces before it has checked them.
    throw ModelError(fmt::format(
        "{}: expected a SentencePiece model, found one that the library stumbles over ({})",
        file.string(), error.what()));
  }
  for (int id = 0; id < processor_.GetPieceSize(); ++id) {
    if (!is_utf8(processor_.IdToPiece(id))) {
      throw ModelError(
          fmt::format("{}: piece {}: expected UTF-8, found other bytes", file.string(), id));
    }
  }
  adds_prefix_ = settings->adds_prefix;
  prefixes_segments_ = config.legacy.value_or(false);
  is_cut_at_spaces_ = may_cut_at_spaces(*settings);
  n_ids_ = processor_.GetPieceSize();
  const auto id_of = [&](const std::optional<std::string>& named,
                         int own) -> std::optional<TokenId> {
    if (!named) {
      return own >= 0 ? std::optional<TokenId>(own) : std::nullopt;
    }
    return special_id(*named);
  };
  add_special_tokens(config);
  bos_id_ = id_of(config.bos_token, processor_.bos_id());
  eos_id_ = id_of(config.eos_token, processor_.eos_id());
  adds_bos_ = config.add_bos_token.value_or(true) && bos_id_;
  adds_eos_ = config.add_eos_token.value_or(false) && eos_id_;
  Fingerprint fingerprint;
  fingerprint.add(std::string_view(model));
  config.add_to(fingerprint);
  fingerprint_ = fingerprint.hex();
}

void SentencePieceTokenizer::add_special(const AddedToken& token) {
  if (token.content.empty() || !added_.emplace(token.id, token).second) {
    return;
  }
  finder_.add(token.content, token);
  n_ids_ = std::max(n_ids_, token.id + 1);
  if (token.special) {
    special_ids_[token.content] = token.id;
  }
}

void SentencePieceTokenizer::add_special_tokens(const TokenizerConfig& config) {
  for (const AddedToken& token : config.added_tokens) {
    add_special(token);
  }
  std::vector<std::string> texts = config.special_tokens;
  for (const int id : {processor_.unk_id(), processor_.bos_id(), processor_.eos_id()}) {
    if (id >= 0) {
      texts.push_back(processor_.IdToPiece(id));
    }
  }
  for (const std::string& text : texts) {
    const int id = processor_.PieceToId(text);
    if (id != processor_.unk_id() || processor_.IdToPiece(id) == text) {
      AddedToken token;
      token.id = id;
      token.content = text;
      token.special = true;
      add_special(token);
    }
  }
}

// The library encodes a whole text at some 3 MB/s. Where no piece reaches over a space that follows
// something else, a text is the sequence of its words, and those can be remembered.
bool SentencePieceTokenizer::may_cut_at_spaces(const SentencePieceSettings& settings) const {
  const std::string mark = kSpaceMark;
  if (!settings.is_bpe || settings.changes_text ||
      processor_.PieceToId(mark) == processor_.unk_id()) {
    return false;
  }
  for (int id = 0; id < processor_.GetPieceSize(); ++id) {
    const std::string& text = processor_.IdToPiece(id);
    for (std::size_t at = text.find(mark, 1); at != std::string::npos;
         at = text.find(mark, at + 1)) {
      if (at < mark.size() || text.compare(at - mark.size(), mark.size(), mark) != 0) {
        return false;
      }
    }
  }
  return true;
}

void SentencePieceTokenizer::encode_whole(const Processor& processor,
                                          std::string_view text,
                                          std::size_t base,
                                          std::vector<Piece>& pieces) const {
  const auto encoded = processor.EncodeAsImmutableProto(text);
  const std::size_t n_pieces = encoded.pieces_size();
  for (std::size_t i = 0; i < n_pieces;) {
    // All bytes of a character are said to lie in the last of its byte pieces.
    std::size_t next = i;
    while (next < n_pieces &&
           processor.IsByte(static_cast<int>(encoded.pieces(static_cast<int>(next)).id()))) {
      ++next;
      if (encoded.pieces(static_cast<int>(next - 1)).begin() !=
          encoded.pieces(static_cast<int>(next - 1)).end()) {
        break;
      }
    }
    next = std::max(next, i + 1);
    const auto last = encoded.pieces(static_cast<int>(next - 1));
    const std::size_t begin = encoded.pieces(static_cast<int>(i)).begin();
    const bool is_divided = last.end() - begin == next - i;
    for (std::size_t at = i; at < next; ++at) {
      const Range range =
          is_divided ? Range{begin + (at - i), begin + (at - i) + 1} : Range{begin, last.end()};
      pieces.push_back({static_cast<TokenId>(encoded.pieces(static_cast<int>(at)).id()),
                        {base + range.begin, base + range.end}});
    }
    i = next;
  }
}

void SentencePieceTokenizer::encode_word(std::string_view word,
                                         std::vector<PieceToken>& tokens) const {
  // Larger than the one of our own merging: the library is slow to ask.
  thread_local WordCache cache(/*log2_entries=*/16);
  WordCache::Entry* entry = cache.entry_for(serial_, word);
  if (entry != nullptr && entry->holds(serial_, word)) {
    return entry->append_to(tokens);
  }
  std::vector<Piece> pieces;
  encode_whole(prefixless_, word, 0, pieces);
  const std::size_t first = tokens.size();
  for (const Piece& piece : pieces) {
    tokens.push_back({piece.id, static_cast<std::uint32_t>(piece.range.end - piece.range.begin)});
  }
  if (entry != nullptr) {
    entry->store(serial_, word, tokens, first);
  }
}

// Where the spaces at `begin` and the word behind them end.
std::size_t end_of_word(std::string_view text, std::size_t begin) {
  const std::string_view mark = kSpaceMark;
  std::size_t at = begin;
  while (true) {
    // A written mark counts as a space, so a run of both stays together.
    while (at < text.size() && (text[at] == ' ' || text.substr(at, mark.size()) == mark)) {
      at += text[at] == ' ' ? 1 : mark.size();
    }
    at = std::min(text.find(' ', at), text.size());
    const bool follows_mark =
        at >= mark.size() && text.substr(at - mark.size(), mark.size()) == mark;
    if (at == text.size() || !follows_mark) {
      return at;
    }
  }
}

void SentencePieceTokenizer::encode_by_words(std::string_view text,
                                             std::size_t base,
                                             bool has_prefix,
                                             std::vector<Piece>& pieces) const {
  std::vector<PieceToken> tokens;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = end_of_word(text, begin);
    const std::string_view word = text.substr(begin, end - begin);
    const bool is_prefixed = begin == 0 && has_prefix;
    tokens.clear();
    if (is_prefixed) {
      std::string prefixed = " ";
      encode_word(prefixed += word, tokens);
    } else {
      encode_word(word, tokens);
    }
    std::size_t n_invented = is_prefixed ? 1 : 0;
    std::size_t at = begin;
    for (const PieceToken& token : tokens) {
      const std::size_t n_bytes = token.n_bytes - std::min<std::size_t>(n_invented, token.n_bytes);
      n_invented -= token.n_bytes - n_bytes;
      pieces.push_back({token.id, {base + at, base + at + n_bytes}});
      at += n_bytes;
    }
    begin = end;
  }
}

std::vector<SentencePieceTokenizer::Piece> SentencePieceTokenizer::encode_pieces(
    std::string_view text) const {
  require_utf8(text);
  std::vector<Piece> pieces;
  for (const Segment& segment : finder_.split(text)) {
    const Range range = segment.range;
    if (segment.id) {
      pieces.push_back({*segment.id, range});
      continue;
    }
    const std::string_view part = text.substr(range.begin, range.end - range.begin);
    const bool has_prefix = range.begin == 0 || prefixes_segments_;
    if (is_cut_at_spaces_) {
      encode_by_words(part, range.begin, has_prefix && adds_prefix_, pieces);
    } else {
      encode_whole(has_prefix ? processor_ : prefixless_, part, range.begin, pieces);
    }
  }
  return pieces;
}

TokenIds SentencePieceTokenizer::encode(std::string_view text, SpecialTokens special) const {
  TokenIds ids;
  const std::vector<Piece> pieces = encode_pieces(text);
  ids.reserve(pieces.size() + 2);
  if (special == SpecialTokens::Add && adds_bos_) {
    ids.push_back(*bos_id_);
  }
  for (const Piece& piece : pieces) {
    ids.push_back(piece.id);
  }
  if (special == SpecialTokens::Add && adds_eos_) {
    ids.push_back(*eos_id_);
  }
  return ids;
}

Encoding SentencePieceTokenizer::encode_with_offsets(std::string_view text,
                                                     SpecialTokens special) const {
  std::vector<Piece> pieces = encode_pieces(text);
  if (special == SpecialTokens::Add && adds_bos_) {
    pieces.insert(pieces.begin(), {*bos_id_, {0, 0}});
  }
  if (special == SpecialTokens::Add && adds_eos_) {
    pieces.push_back({*eos_id_, {text.size(), text.size()}});
  }
  Encoding encoding;
  for (const Piece& piece : pieces) {
    encoding.ids.push_back(piece.id);
    encoding.begins.push_back(piece.range.begin);
    encoding.ends.push_back(piece.range.end);
  }
  return encoding;
}

std::string SentencePieceTokenizer::decode(std::span<const TokenId> ids) const {
  std::vector<std::string> tokens;
  for (const TokenId id : ids) {
    const auto found = added_.find(id);
    if (found != added_.end()) {
      if (!found->second.special) {
        tokens.push_back(found->second.content);
      }
    } else if (id >= 0 && id < processor_.GetPieceSize()) {
      tokens.push_back(processor_.IdToPiece(id));
    }
  }
  return decode_tokens(std::move(tokens), sentencepiece_decoders(adds_prefix_));
}

std::string SentencePieceTokenizer::token_bytes(TokenId id) const {
  const auto found = added_.find(id);
  if (found != added_.end()) {
    return found->second.special ? std::string() : found->second.content;
  }
  if (id < 0 || id >= processor_.GetPieceSize()) {
    return {};
  }
  const std::string& text = processor_.IdToPiece(id);
  return processor_.IsByte(id) ? std::string(1, static_cast<char>(byte_of_token(text)))
                               : replace_all(text, kSpaceMark, " ");
}

std::optional<TokenId> SentencePieceTokenizer::special_id(std::string_view text) const {
  const auto found = special_ids_.find(std::string(text));
  return found == special_ids_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

std::unique_ptr<const Tokenizer> load_sentencepiece(const std::filesystem::path& file) {
  return std::make_unique<const SentencePieceTokenizer>(file,
                                                        TokenizerConfig::load(file.parent_path()));
}

}  // namespace labelprobe::tokenizer
