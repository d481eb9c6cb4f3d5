// Text to token ids and back, identical to the tokenizer a model was trained with.
// Formats: Hugging Face tokenizer.json (byte-level BPE, WordPiece), BERT's vocab.txt, SentencePiece
// tokenizer.model, the tokenizer inside a GGUF file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/token.h"

namespace labelprobe::tokenizer {

enum class SpecialTokens {
  Add,   // what the model's post-processor adds around a text, e.g. begin-of-text
  Omit,  // the text alone
};

// Token ids and, for each, the bytes [begin, end) of the text it stands for, leading spaces
// included. Special tokens put around a text and characters a normalizer invented cover no bytes
// (begin == end). The tokens of one multi-byte character divide its bytes among them, unless a
// normalizer changed the character: then each covers it whole.
struct Encoding {
  TokenIds ids;
  std::vector<std::size_t> begins;
  std::vector<std::size_t> ends;
};

// What stands around and between two texts that are given together, as BERT has it: [CLS] A [SEP] B
// [SEP]. Segment 0 goes up to the end of `between`, the rest is segment 1.
struct PairFrame {
  TokenIds before;
  TokenIds between;
  TokenIds behind;
};

// Immutable after loading; every member may be called from several threads at once.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Text must be UTF-8 (DataError otherwise, with the byte offset). Special tokens spelled in the
  // text are recognised as the reference does by default.
  virtual TokenIds encode(std::string_view text, SpecialTokens special) const;
  virtual Encoding encode_with_offsets(std::string_view text, SpecialTokens special) const = 0;

  // The reference's decode(skip_special_tokens=True, clean_up_tokenization_spaces=False).
  // Incomplete UTF-8 at the ends becomes U+FFFD, as there.
  virtual std::string decode(std::span<const TokenId> ids) const = 0;

  // The bytes one token adds in the middle of a text (a SentencePiece "▁" is a space). Empty for
  // special tokens.
  virtual std::string token_bytes(TokenId id) const = 0;

  // The token whose whole text is exactly this special token, e.g. "<|endoftext|>".
  virtual std::optional<TokenId> special_id(std::string_view text) const = 0;

  virtual int vocab_size() const = 0;  // ids are below this; added tokens included
  virtual std::optional<TokenId> bos_id() const = 0;
  virtual std::optional<TokenId> eos_id() const = 0;
  // The token that fills up shorter texts; nullopt: the files name none.
  virtual std::optional<TokenId> pad_id() const { return std::nullopt; }
  // nullopt: the files put no two texts together in this way.
  virtual std::optional<PairFrame> pair_frame() const { return std::nullopt; }

  // Equal for equal tokenizer files.
  const std::string& fingerprint() const { return fingerprint_; }

 protected:
  std::string fingerprint_;
};

// Opens the tokenizer of a model: a folder (tokenizer.json is preferred to tokenizer.model, that
// to vocab.txt), one of these files itself, or a .gguf file.
//   splitting  how a GGUF file with byte-level merges splits texts, by its name for
//              tokenizer.ggml.pre; empty = as the file says
// Throws ModelError naming the file, the JSON path or key, what was expected and found, and for a
// component that is not supported its type and the supported ones; ConfigError for a splitting
// where there is none to choose.
std::unique_ptr<const Tokenizer> load(const std::filesystem::path& model,
                                      const std::string& splitting = "");

}  // namespace labelprobe::tokenizer
