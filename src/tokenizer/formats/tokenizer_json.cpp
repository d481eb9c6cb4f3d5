// Loads Hugging Face tokenizer.json.
#include <algorithm>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/core/limits.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/json.h"
#include "labelprobe/files/mapped_file.h"

#include "tokenizer/formats/bpe_builder.h"
#include "tokenizer/formats/components.h"
#include "tokenizer/formats/loaders.h"
#include "tokenizer/stages/word_piece.h"

namespace labelprobe::tokenizer {

namespace {

// Few ids stand for nothing: what a file makes of memory has to do with its own size.
std::uint64_t largest_id(const files::JsonView& vocabulary) {
  return std::min<std::uint64_t>(limits::kTokenId, vocabulary.value().size() + limits::kUnusedIds);
}

void read_vocabulary(const files::JsonView& vocabulary, BpeBuilder& builder) {
  if (!vocabulary.value().is_object()) {
    vocabulary.fail_expected("an object of tokens and ids");
  }
  const std::uint64_t most = largest_id(vocabulary);
  for (const auto& [text, id] : vocabulary.value().items()) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() > most) {
      vocabulary.find(text).fail_expected(fmt::format("an id up to {}", most));
    }
    if (!builder.add_token(text, id.get<TokenId>())) {
      vocabulary.find(text).fail(
          fmt::format("expected an id of its own, found {}, which another token has", id.dump()));
    }
  }
}

// "a b" or ["a", "b"]; two empty texts for anything else.
std::pair<std::string_view, std::string_view> merge_parts(const nlohmann::json& merge) {
  if (merge.is_string()) {
    return split_merge(merge.get_ref<const std::string&>());
  }
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    return {merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>()};
  }
  return {};
}

void read_merges(const files::JsonView& merges, BpeBuilder& builder) {
  if (!merges.value().is_array()) {
    merges.fail_expected("an array of merges");
  }
  std::uint32_t rank = 0;
  for (const nlohmann::json& merge : merges.value()) {
    const auto [left, right] = merge_parts(merge);
    const auto fail = [&](const std::string& expected) {
      merges.items()[rank].fail(
          fmt::format("expected {}, found {}", expected, merge.dump(-1, ' ', true)));
    };
    if (left.empty() || right.empty()) {
      fail("a merge \"a b\" or [\"a\", \"b\"]");
    }
    if (!builder.add_merge(left, right, rank)) {
      fail("a merge of two tokens into a third");
    }
    ++rank;
  }
}

// An added token that the vocabulary has too must have the same id in both.
void check_added_ids(const files::JsonView& list, const BpeBuilder& builder) {
  if (list.is_null()) {
    return;
  }
  for (const files::JsonView& item : list.items()) {
    const auto id = builder.find(item.at("content").string());
    if (id && item.at("id").integer(0, limits::kTokenId) != *id) {
      item.at("id").fail_expected(fmt::format("the vocabulary's id of this token, {}", *id));
    }
  }
}

std::unique_ptr<const WordPiece> read_word_piece(const files::JsonView& model) {
  const files::JsonView vocabulary = model.at("vocab");
  if (!vocabulary.value().is_object()) {
    vocabulary.fail_expected("an object of tokens and ids");
  }
  const std::uint64_t most = largest_id(vocabulary);
  std::vector<std::string> texts;
  for (const auto& [text, id] : vocabulary.value().items()) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() > most) {
      vocabulary.find(text).fail_expected(fmt::format("an id up to {}", most));
    }
    const auto at = id.get<std::size_t>();
    texts.resize(std::max(texts.size(), at + 1));
    if (!texts[at].empty()) {
      vocabulary.find(text).fail(
          fmt::format("expected an id of its own, found {}, which another token has", id.dump()));
    }
    texts[at] = text;
  }
  WordPieceOptions options;
  if (const files::JsonView prefix = model.find("continuing_subword_prefix"); !prefix.is_null()) {
    options.continuing_prefix = prefix.string();
  }
  if (const files::JsonView length = model.find("max_input_chars_per_word"); !length.is_null()) {
    options.max_characters = static_cast<std::size_t>(length.integer(1, limits::kTokenId));
  }
  options.unk_token = model.at("unk_token").string();
  if (!vocabulary.value().contains(options.unk_token)) {
    model.at("unk_token").fail_expected("a token of the vocabulary");
  }
  return std::make_unique<const WordPiece>(std::move(texts), options);
}

std::unique_ptr<const PieceModel> read_model(const files::JsonView& model,
                                             const files::JsonView& added_tokens,
                                             BpeUnits units) {
  static const std::vector<std::string> kKnown = {"BPE", "WordPiece"};
  if (const files::JsonView type = model.find("type");
      !type.is_null() && type.choice("tokenizer model", kKnown) == 1) {
    return read_word_piece(model);
  }
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const files::JsonView affix = model.find(key);
    if (!affix.is_null() && !affix.string().empty()) {
      affix.fail("expected none, found one: such vocabularies are not supported");
    }
  }
  if (const files::JsonView dropout = model.find("dropout");
      !dropout.is_null() && dropout.value() != 0.0) {
    dropout.fail("expected none, found one: random tokens are not supported");
  }
  const files::JsonView vocabulary = model.at("vocab");
  BpeBuilder builder(units, vocabulary.value().size());
  read_vocabulary(vocabulary, builder);
  check_added_ids(added_tokens, builder);
  read_merges(model.at("merges"), builder);
  BpeOptions options;
  options.ignore_merges = model.boolean_or("ignore_merges", false);
  options.byte_fallback = model.boolean_or("byte_fallback", false);
  options.fuse_unk = model.boolean_or("fuse_unk", false);
  if (const files::JsonView unk = model.find("unk_token"); !unk.is_null()) {
    options.unk_id = builder.find(unk.string());
    if (!options.unk_id) {
      unk.fail_expected("a token of the vocabulary");
    }
  }
  return builder.build(options);
}

std::vector<AddedToken> read_added_tokens(const files::JsonView& list) {
  std::vector<AddedToken> tokens;
  if (list.is_null()) {
    return tokens;
  }
  for (const files::JsonView& item : list.items()) {
    AddedToken token;
    token.id = static_cast<TokenId>(item.at("id").integer(0, limits::kTokenId));
    token.content = item.at("content").string();
    token.single_word = item.boolean_or("single_word", false);
    token.lstrip = item.boolean_or("lstrip", false);
    token.rstrip = item.boolean_or("rstrip", false);
    token.special = item.boolean_or("special", false);
    token.normalized = item.boolean_or("normalized", !token.special);
    tokens.push_back(std::move(token));
  }
  return tokens;
}

std::optional<TokenId> find_token(const PipelineParts& parts, const std::string& text) {
  for (const AddedToken& token : parts.added_tokens) {
    if (token.content == text) {
      return token.id;
    }
  }
  return parts.model->find(text);
}

// Tokens that the files beside tokenizer.json add, or give a role, count as added tokens too; those
// with a role are special, whatever tokenizer.json says of them.
void add_configured_tokens(const TokenizerConfig& config, PipelineParts& parts) {
  for (AddedToken& token : parts.added_tokens) {
    token.special = token.special || config.has_role(token.content);
  }
  const auto is_added = [&](const std::string& text) {
    return std::any_of(parts.added_tokens.begin(), parts.added_tokens.end(),
                       [&](const AddedToken& token) { return token.content == text; });
  };
  for (const AddedToken& token : config.added_tokens) {
    if (!is_added(token.content)) {
      parts.added_tokens.push_back(token);
      parts.added_tokens.back().id = find_token(parts, token.content).value_or(token.id);
    }
  }
  for (const std::string& text : config.special_tokens) {
    const auto id = parts.model->find(text);
    if (id && !is_added(text)) {
      AddedToken token;
      token.id = *id;
      token.content = text;
      token.special = true;
      parts.added_tokens.push_back(token);
    }
  }
}

// Decoders must fit the vocabulary: ours holds bytes where the pre-tokenizer makes bytes.
void check_decoders(const files::JsonView& component, const PipelineParts& parts) {
  const bool joins_bytes = std::any_of(
      parts.decoders.begin(), parts.decoders.end(),
      [](const Decoder& decoder) { return std::holds_alternative<JoinBytes>(decoder); });
  if (parts.is_byte_level && (!joins_bytes || parts.decoders.size() != 1)) {
    component.fail("expected the decoder ByteLevel alone, for the pre-tokenizer is ByteLevel");
  }
  if (!parts.is_byte_level && (joins_bytes || parts.decoders.empty())) {
    component.fail("expected decoders without ByteLevel, for the pre-tokenizer is not ByteLevel");
  }
}

std::string space_mark_of(const std::vector<Decoder>& decoders) {
  for (const Decoder& decoder : decoders) {
    if (const auto* replace = std::get_if<ReplaceText>(&decoder);
        replace && replace->content == " ") {
      return replace->text;
    }
    if (const auto* restore = std::get_if<RestoreSpaces>(&decoder)) {
      return restore->replacement;
    }
  }
  return {};
}

}  // namespace

std::pair<std::string_view, std::string_view> split_merge(std::string_view merge) {
  const std::size_t space = merge.find(' ');
  if (space == std::string_view::npos || merge.find(' ', space + 1) != std::string_view::npos) {
    return {};
  }
  return {merge.substr(0, space), merge.substr(space + 1)};
}

namespace {

// The token that fills up shorter texts, by the files beside tokenizer.json or by its own padding.
std::optional<TokenId> find_pad(const files::JsonView& root,
                                const TokenizerConfig& config,
                                const PipelineParts& parts) {
  if (config.pad_token) {
    return find_token(parts, *config.pad_token);
  }
  const files::JsonView padding = root.find("padding");
  return padding.is_null() ? std::nullopt : find_token(parts, padding.at("pad_token").string());
}

//   contents  what the fingerprint covers besides `config`
std::unique_ptr<const Tokenizer> make_tokenizer(const files::JsonView& root,
                                                std::string_view contents,
                                                const TokenizerConfig& config) {
  PipelineParts parts;
  PreTokenizers pre_tokenizers = read_pre_tokenizers(root.find("pre_tokenizer"));
  parts.is_byte_level = pre_tokenizers.is_byte_level;
  parts.pre_tokenizers = std::move(pre_tokenizers.steps);
  parts.normalizers = read_normalizers(root.find("normalizer"));
  parts.decoders = read_decoders(root.find("decoder"));
  check_decoders(root.find("decoder"), parts);
  parts.space_mark = parts.is_byte_level ? std::string() : space_mark_of(parts.decoders);
  parts.model = read_model(root.at("model"), root.find("added_tokens"),
                           parts.is_byte_level ? BpeUnits::Bytes : BpeUnits::Characters);
  parts.added_tokens = read_added_tokens(root.find("added_tokens"));
  add_configured_tokens(config, parts);
  Frame frame = read_post_processor(root.find("post_processor"));
  parts.prefix_ids = std::move(frame.prefix_ids);
  parts.suffix_ids = std::move(frame.suffix_ids);
  parts.pair_frame = std::move(frame.pair);
  parts.pad_id = find_pad(root, config, parts);
  parts.bos_id = config.bos_token ? find_token(parts, *config.bos_token) : std::nullopt;
  parts.eos_id = config.eos_token ? find_token(parts, *config.eos_token) : std::nullopt;
  if (!config.bos_token && !parts.prefix_ids.empty()) {
    parts.bos_id = parts.prefix_ids[0];
  }
  Fingerprint fingerprint;
  fingerprint.add(contents);
  config.add_to(fingerprint);
  parts.fingerprint = fingerprint.hex();
  return std::make_unique<const Pipeline>(std::move(parts));
}

// Token -> id of vocab.txt.
nlohmann::json read_vocabulary_lines(const std::filesystem::path& file) {
  const files::MappedFile mapped(file);
  std::string_view text = mapped.text();
  nlohmann::json vocabulary = nlohmann::json::object();
  for (std::int64_t id = 0; !text.empty(); ++id) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view token = text.substr(0, end);
    if (token.ends_with('\r')) {
      token.remove_suffix(1);
    }
    if (token.empty() || !is_utf8(token) || vocabulary.contains(token)) {
      throw ModelError(fmt::format("{}:{}: expected a token of its own in UTF-8, found {}",
                                   file.string(), id + 1,
                                   token.empty()     ? "an empty line"
                                   : !is_utf8(token) ? "bytes that are no UTF-8"
                                                     : fmt::format("'{}' again", token)));
    }
    vocabulary[std::string(token)] = id;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return vocabulary;
}

}  // namespace

std::unique_ptr<const Tokenizer> load_tokenizer_json(const std::filesystem::path& file) {
  return make_tokenizer(files::load_json_object(file, ErrorKind::Model),
                        files::MappedFile(file).text(), TokenizerConfig::load(file.parent_path()));
}

// As the tokenizer.json that transformers makes of it.
std::unique_ptr<const Tokenizer> load_vocab_txt(const std::filesystem::path& file) {
  using nlohmann::json;
  TokenizerConfig config = TokenizerConfig::load(file.parent_path());
  json vocabulary = read_vocabulary_lines(file);
  json added = json::array();
  for (const char* token : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}) {
    const bool is_needed =
        token != std::string_view("[PAD]") && token != std::string_view("[MASK]");
    if (vocabulary.contains(token)) {
      added.push_back({{"id", vocabulary[token]}, {"content", token}, {"special", true}});
    } else if (is_needed) {
      throw ModelError(fmt::format("{}: expected a line {}, found none", file.string(), token));
    }
  }
  if (!config.pad_token && vocabulary.contains("[PAD]")) {
    config.pad_token = "[PAD]";
  }
  const bool is_lowercase = config.do_lower_case.value_or(true);
  const json root = {
      {"added_tokens", std::move(added)},
      {"normalizer",
       {{"type", "BertNormalizer"},
        {"lowercase", is_lowercase},
        {"handle_chinese_chars", config.tokenize_chinese_chars.value_or(true)},
        {"strip_accents", config.strip_accents.value_or(is_lowercase)}}},
      {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
      {"post_processor",
       {{"type", "BertProcessing"},
        {"sep", json::array({"[SEP]", vocabulary["[SEP]"]})},
        {"cls", json::array({"[CLS]", vocabulary["[CLS]"]})}}},
      {"decoder", {{"type", "WordPiece"}, {"prefix", "##"}}},
      {"model", {{"type", "WordPiece"}, {"unk_token", "[UNK]"}, {"vocab", std::move(vocabulary)}}}};
  const std::string text = root.dump();
  return make_tokenizer(files::parse_json(text, {file.string(), ErrorKind::Model}), text, config);
}

}  // namespace labelprobe::tokenizer
