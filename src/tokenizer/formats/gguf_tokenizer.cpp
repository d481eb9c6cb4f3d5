// Loads the tokenizer inside a GGUF file: the keys tokenizer.ggml.*. Such a file holds vocabulary
// and merges but only names the way texts are split; what the names mean is written down here.
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/core/limits.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/gguf.h"
#include "labelprobe/files/gguf_vocabulary.h"

#include "tokenizer/formats/bpe_builder.h"
#include "tokenizer/formats/components.h"
#include "tokenizer/formats/loaders.h"

namespace labelprobe::tokenizer {

namespace {

using files::GgufTokenType;

constexpr std::string_view kTokens = files::kGgufTokens;
constexpr const char* kScores = "tokenizer.ggml.scores";
constexpr const char* kMerges = "tokenizer.ggml.merges";
constexpr const char* kModel = "tokenizer.ggml.model";
constexpr const char* kPre = "tokenizer.ggml.pre";

constexpr std::string_view kLlama3Regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2Regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr std::string_view kQwen35Regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kTekkenRegex =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kO200kRegex =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kDeepSeekV3Regex =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

void split_like_gpt2(PipelineParts& parts, BpeOptions&) {
  parts.pre_tokenizers = {gpt2_split()};
}

// What llama.cpp does with files that name no way of splitting.
void split_by_default(PipelineParts& parts, BpeOptions&) {
  parts.pre_tokenizers = {isolated_split(R"([\p{P}\$\+<=>\^~\|]+)"), gpt2_split(),
                          isolated_split(R"(\p{N}+)"), isolated_split("[0-9][0-9][0-9]")};
}

void split_like_smollm(PipelineParts& parts, BpeOptions&) {
  parts.pre_tokenizers = {Digits{DigitGroups::Single}, gpt2_split()};
}

void split_like_llama3(PipelineParts& parts, BpeOptions& options) {
  parts.pre_tokenizers = {isolated_split(kLlama3Regex)};
  options.ignore_merges = true;
}

void split_like_qwen2(PipelineParts& parts, BpeOptions&) {
  parts.normalizers = {ToForm{UnicodeForm::Nfc}};
  parts.pre_tokenizers = {isolated_split(kQwen2Regex)};
}

void split_like_dbrx(PipelineParts& parts, BpeOptions&) {
  parts.pre_tokenizers = {isolated_split(kLlama3Regex)};
}

void split_like_qwen35(PipelineParts& parts, BpeOptions&) {
  parts.normalizers = {ToForm{UnicodeForm::Nfc}};
  parts.pre_tokenizers = {isolated_split(kQwen35Regex)};
}

void split_like_tekken(PipelineParts& parts, BpeOptions& options) {
  parts.pre_tokenizers = {isolated_split(kTekkenRegex)};
  options.ignore_merges = true;
}

void split_like_gpt4o(PipelineParts& parts, BpeOptions&) {
  parts.pre_tokenizers = {isolated_split(kO200kRegex)};
}

void split_like_deepseek_coder(PipelineParts& parts, BpeOptions&) {
  parts.pre_tokenizers = {
      isolated_split("[\r\n]"), isolated_split(R"(\s?\p{L}+)"), isolated_split(R"(\s?\p{P}+)"),
      isolated_split("[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"), Digits{DigitGroups::Single}};
}

void split_like_deepseek_v3(PipelineParts& parts, BpeOptions&) {
  parts.pre_tokenizers = {isolated_split(R"(\p{N}{1,3})"),
                          isolated_split("[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"),
                          isolated_split(kDeepSeekV3Regex)};
}

struct PreTokenization {
  const char* name;
  bool adds_bos;  // unless the file says otherwise
  void (*set)(PipelineParts& parts, BpeOptions& options);
};

// The names that llama.cpp writes (llama-vocab.cpp); several mean the same.
constexpr std::array kPreTokenizations = {
    PreTokenization{"default", false, split_by_default},
    PreTokenization{"gpt-2", false, split_like_gpt2},
    PreTokenization{"phi-2", false, split_like_gpt2},
    PreTokenization{"mellum", false, split_like_gpt2},
    PreTokenization{"gigachat", false, split_like_gpt2},
    PreTokenization{"a.x-4.0", false, split_like_gpt2},
    PreTokenization{"exaone4", false, split_like_gpt2},
    PreTokenization{"jina-es", false, split_like_gpt2},
    PreTokenization{"jina-de", false, split_like_gpt2},
    PreTokenization{"jina-v2-es", false, split_like_gpt2},
    PreTokenization{"jina-v2-de", false, split_like_gpt2},
    PreTokenization{"modern-bert", false, split_like_gpt2},
    PreTokenization{"mpt", false, split_like_gpt2},
    PreTokenization{"olmo", false, split_like_gpt2},
    PreTokenization{"smollm", false, split_like_smollm},
    PreTokenization{"refact", false, split_like_smollm},
    PreTokenization{"starcoder", false, split_like_smollm},
    PreTokenization{"command-r", false, split_like_smollm},
    PreTokenization{"exaone", false, split_like_smollm},
    PreTokenization{"minerva-7b", false, split_like_smollm},
    PreTokenization{"llama-bpe", true, split_like_llama3},
    PreTokenization{"llama3", true, split_like_llama3},
    PreTokenization{"llama-v3", true, split_like_llama3},
    PreTokenization{"falcon3", true, split_like_llama3},
    PreTokenization{"falcon-h1", true, split_like_llama3},
    PreTokenization{"pixtral", true, split_like_llama3},
    PreTokenization{"midm-2.0", true, split_like_llama3},
    PreTokenization{"lfm2", true, split_like_llama3},
    PreTokenization{"qwen2", false, split_like_qwen2},
    PreTokenization{"deepseek-r1-qwen", false, split_like_qwen2},
    PreTokenization{"megrez", false, split_like_qwen2},
    PreTokenization{"kormo", false, split_like_qwen2},
    PreTokenization{"qwen35", false, split_like_qwen35},
    PreTokenization{"dbrx", false, split_like_dbrx},
    PreTokenization{"smaug-bpe", false, split_like_dbrx},
    PreTokenization{"chatglm-bpe", false, split_like_dbrx},
    PreTokenization{"tekken", true, split_like_tekken},
    PreTokenization{"gpt-4o", false, split_like_gpt4o},
    PreTokenization{"llama4", false, split_like_gpt4o},
    PreTokenization{"kanana2", false, split_like_gpt4o},
    PreTokenization{"deepseek-coder", false, split_like_deepseek_coder},
    PreTokenization{"deepseek-v3", false, split_like_deepseek_v3},
};

constexpr const char* kHowToChoose =
    "name the way of the model's own tokenizer with --splitting (llama-bpe, qwen2, smollm, gpt-2), "
    "or take the model from safetensors, whose tokenizer.json says it";

[[noreturn]] void fail(const files::GgufFile& gguf,
                       std::string_view key,
                       const std::string& message) {
  throw ModelError(fmt::format("{}: metadata key '{}': {}", gguf.path().string(), key, message));
}

// A family of vocabularies by tokens that no other has; the ids are where they lie in it.
struct KnownVocabulary {
  const char* pre;
  std::array<std::pair<const char*, TokenId>, 2> tokens;
};

constexpr std::array kKnownVocabularies = {
    KnownVocabulary{"llama-bpe", {{{"<|begin_of_text|>", 128000}, {"<|end_of_text|>", 128001}}}},
    KnownVocabulary{"qwen2", {{{"<|endoftext|>", 151643}, {"<|im_end|>", 151645}}}},
    KnownVocabulary{"smollm", {{{"<|endoftext|>", 0}, {"<|im_start|>", 1}}}},
    KnownVocabulary{"gpt-2", {{{"<|endoftext|>", 50256}, {"\u0120gazed", 50255}}}},
};

// The name for a file that has none, as converters wrote until April 2024. Splitting by guess would
// give other tokens than the model has seen, in nearly every text.
std::string recognise_pre(const files::GgufFile& gguf) {
  const std::vector<std::string>& tokens = gguf.strings(kTokens);
  for (const KnownVocabulary& known : kKnownVocabularies) {
    if (std::ranges::all_of(known.tokens, [&](const auto& token) {
          return static_cast<std::size_t>(token.second) < tokens.size() &&
                 tokens[static_cast<std::size_t>(token.second)] == token.first;
        })) {
      return known.pre;
    }
  }
  fail(gguf, kPre,
       fmt::format("expected the way in which texts are split, found no such key and no vocabulary "
                   "that is known; {}",
                   kHowToChoose));
}

const PreTokenization& find_pre_tokenization(const files::GgufFile& gguf,
                                             const std::string& splitting) {
  const std::string name = !splitting.empty() ? splitting
                           : gguf.has(kPre)   ? gguf.string(kPre)
                                              : recognise_pre(gguf);
  std::vector<std::string> known;
  for (const PreTokenization& each : kPreTokenizations) {
    if (name == each.name) {
      return each;
    }
    known.emplace_back(each.name);
  }
  if (!splitting.empty()) {
    throw ConfigError(unknown_choice("splitting", name, known));
  }
  fail(gguf, kPre,
       fmt::format("{}; {}", unknown_choice("pre-tokenization", name, known), kHowToChoose));
}

// One of the parallel arrays beside the tokens; checks their length.
template <class T>
const std::vector<T>& beside_tokens(const files::GgufFile& gguf,
                                    const char* key,
                                    const std::vector<T>& array) {
  const std::size_t n_tokens = gguf.strings(kTokens).size();
  if (array.size() != n_tokens) {
    fail(gguf, key,
         fmt::format("expected {} entries as in {}, found {}", n_tokens, kTokens, array.size()));
  }
  return array;
}

bool is_type(std::int64_t number, GgufTokenType type) {
  return number == static_cast<std::int64_t>(type);
}

BpeBuilder read_tokens(const files::GgufFile& gguf, BpeUnits units) {
  const auto& tokens = gguf.strings(kTokens);
  if (tokens.empty()) {
    fail(gguf, kTokens, "expected tokens, found none");
  }
  BpeBuilder builder(units, tokens.size());
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (first_non_utf8(tokens[id]) != tokens[id].size()) {
      fail(gguf, kTokens, fmt::format("entry {}: expected UTF-8", id));
    }
    builder.add_token(tokens[id], static_cast<TokenId>(id));
  }
  return builder;
}

std::vector<AddedToken> read_added_tokens(const files::GgufFile& gguf) {
  const auto& tokens = gguf.strings(kTokens);
  const auto types = files::token_types(gguf);
  const std::vector<bool> are_special = files::special_tokens(gguf);
  std::vector<AddedToken> added;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    const bool is_special = are_special[id];
    if (is_special || is_type(types[id], GgufTokenType::UserDefined)) {
      AddedToken token;
      token.id = static_cast<TokenId>(id);
      token.content = tokens[id];
      token.special = is_special;
      added.push_back(std::move(token));
    }
  }
  return added;
}

void read_merges(const files::GgufFile& gguf, BpeBuilder& builder) {
  std::uint32_t rank = 0;
  for (const std::string& merge : gguf.strings(kMerges)) {
    const auto [left, right] = split_merge(merge);
    if (left.empty() || right.empty() || !builder.add_merge(left, right, rank)) {
      fail(gguf, kMerges,
           fmt::format("entry {}: expected two tokens that make a third, found '{}'", rank,
                       merge.substr(0, 80)));
    }
    ++rank;
  }
}

// Byte-level vocabularies. Returns whether a text begins with the begin-of-text token by default.
bool load_gpt2(const files::GgufFile& gguf, const std::string& splitting, PipelineParts& parts) {
  const PreTokenization& pre_tokenization = find_pre_tokenization(gguf, splitting);
  BpeOptions options;
  pre_tokenization.set(parts, options);
  parts.decoders = {JoinBytes{}};
  BpeBuilder builder = read_tokens(gguf, BpeUnits::Bytes);
  read_merges(gguf, builder);
  parts.model = builder.build(options);
  return pre_tokenization.adds_bos;
}

// SentencePiece's vocabularies: no merges, but a score for every token.
bool load_llama(const files::GgufFile& gguf, PipelineParts& parts) {
  set_sentencepiece_stages(parts, gguf.boolean_or("tokenizer.ggml.add_space_prefix", true));
  const auto* scores =
      gguf.has(kScores) ? std::get_if<std::vector<double>>(&gguf.metadata().find(kScores)->second)
                        : nullptr;
  if (scores == nullptr) {
    fail(gguf, kScores, "expected an array of numbers");
  }
  for (const std::string& token : gguf.strings(kTokens)) {
    if (token.size() > limits::kDividedTokenBytes) {
      fail(gguf, kTokens,
           fmt::format("expected tokens of at most {} bytes, found one of {}",
                       limits::kDividedTokenBytes, token.size()));
    }
  }
  if (!std::ranges::all_of(*scores, [](double score) { return std::isfinite(score); })) {
    fail(gguf, kScores, "expected finite numbers, found another");
  }
  BpeOptions options;
  options.byte_fallback = true;
  options.fuse_unk = true;
  BpeBuilder builder = read_tokens(gguf, BpeUnits::Characters);
  const auto types = files::token_types(gguf);
  const std::vector<bool> are_special = files::special_tokens(gguf);
  for (std::size_t id = 0; id < types.size(); ++id) {
    if (is_type(types[id], GgufTokenType::Unknown) && !options.unk_id) {
      options.unk_id = static_cast<TokenId>(id);
    }
    if (are_special[id]) {
      builder.hide(static_cast<TokenId>(id));
    }
  }
  builder.add_merges_by_score(beside_tokens(gguf, kScores, *scores));
  parts.model = builder.build(options);
  return true;
}

void add_value(Fingerprint& fingerprint, const files::GgufFile::Value& value) {
  const auto add_one = [&](const auto& one) {
    using T = std::decay_t<decltype(one)>;
    if constexpr (std::is_same_v<T, std::string>) {
      fingerprint.add(std::string_view(one));
    } else {
      fingerprint.add(std::as_bytes(std::span(&one, 1)));
    }
  };
  std::visit(
      [&](const auto& held) {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
          add_one(held);
        } else {
          for (std::size_t i = 0; i < held.size(); ++i) {
            const typename T::value_type element = held[i];
            add_one(element);
          }
        }
      },
      value);
}

std::string describe_fingerprint(const files::GgufFile& gguf, const std::string& splitting) {
  Fingerprint fingerprint;
  if (!splitting.empty()) {
    fingerprint.add(splitting);
  }
  for (const auto& [key, value] : gguf.metadata()) {
    if (key.starts_with("tokenizer.ggml.")) {
      fingerprint.add(std::string_view(key));
      add_value(fingerprint, value);
    }
  }
  return fingerprint.hex();
}

}  // namespace

std::unique_ptr<const Tokenizer> load_gguf(const std::filesystem::path& file,
                                           const std::string& splitting) {
  const files::GgufFile gguf = files::GgufFile::open(file);
  PipelineParts parts;
  const std::string& model = gguf.string(kModel);
  bool adds_bos = false;
  if (model == "gpt2") {
    adds_bos = load_gpt2(gguf, splitting, parts);
  } else if (!splitting.empty()) {
    throw ConfigError(
        fmt::format("{}: its vocabulary of kind '{}' has no splitting to choose; leave "
                    "'{}' out",
                    gguf.path().string(), model, splitting));
  } else if (model == "llama") {
    adds_bos = load_llama(gguf, parts);
  } else {
    const std::vector<std::string> known = {"gpt2", "llama"};
    fail(gguf, kModel, unknown_choice("tokenizer model", model, known));
  }
  parts.added_tokens = read_added_tokens(gguf);
  parts.bos_id = files::token_of_role(gguf, "bos");
  parts.eos_id = files::token_of_role(gguf, "eos");
  if (gguf.boolean_or("tokenizer.ggml.add_bos_token", adds_bos) && parts.bos_id) {
    parts.prefix_ids = {*parts.bos_id};
  }
  if (gguf.boolean_or("tokenizer.ggml.add_eos_token", false) && parts.eos_id) {
    parts.suffix_ids = {*parts.eos_id};
  }
  parts.fingerprint = describe_fingerprint(gguf, splitting);
  return std::make_unique<const Pipeline>(std::move(parts));
}

}  // namespace labelprobe::tokenizer
