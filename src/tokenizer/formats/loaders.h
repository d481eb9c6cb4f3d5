// The formats a tokenizer is loaded from; each knows one kind of file.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/fingerprint.h"

#include "tokenizer/stages/pipeline.h"

namespace labelprobe::tokenizer {

// What tokenizer_config.json, special_tokens_map.json and added_tokens.json beside a tokenizer say,
// as far as we need it.
struct TokenizerConfig {
  std::optional<std::string> bos_token;
  std::optional<std::string> eos_token;
  std::optional<std::string> pad_token;
  std::vector<std::string> special_tokens;  // all that have a role: bos, eos, unk, pad, ...
  // added_tokens_decoder, then those that added_tokens.json alone names. A token with a role is
  // special, whatever the files say of it.
  std::vector<AddedToken> added_tokens;
  std::optional<bool> add_bos_token;
  std::optional<bool> add_eos_token;
  std::optional<bool> legacy;
  std::optional<bool> do_lower_case;  // what BERT's vocab.txt leaves open
  std::optional<bool> strip_accents;
  std::optional<bool> tokenize_chinese_chars;

  // Reads what there is in `folder`; nothing is required to be there.
  static TokenizerConfig load(const std::filesystem::path& folder);

  bool has_role(const std::string& text) const;

  // All of it that changes how texts become tokens or tokens become text.
  void add_to(Fingerprint& fingerprint) const;
};

std::unique_ptr<const Tokenizer> load_tokenizer_json(const std::filesystem::path& file);
// BERT's vocab.txt, a token a line, read as transformers reads it.
std::unique_ptr<const Tokenizer> load_vocab_txt(const std::filesystem::path& file);
std::unique_ptr<const Tokenizer> load_sentencepiece(const std::filesystem::path& file);
std::unique_ptr<const Tokenizer> load_gguf(const std::filesystem::path& file,
                                           const std::string& splitting);

// Vocabularies and merges as more than one format has them.

// "a b" as two tokens; empty texts if it has not exactly one space inside.
std::pair<std::string_view, std::string_view> split_merge(std::string_view merge);

}  // namespace labelprobe::tokenizer
