// Small tokenizers against Hugging Face tokenizers and sentencepiece.
#include <fstream>

#include "labelprobe/core/error.h"

#include "tokenizer/reference_check.h"

namespace labelprobe::tokenizer {
namespace {

using nlohmann::json;

// RFC 7386, except that a component with a type replaces the old one whole.
void merge_patch(json& target, const json& patch) {
  for (const auto& [key, value] : patch.items()) {
    if (value.is_object() && target.contains(key) && target[key].is_object() &&
        !value.contains("type")) {
      merge_patch(target[key], value);
    } else {
      target[key] = value;
    }
  }
}

std::unique_ptr<const Tokenizer> load_patched(const std::string& folder, const json& patch) {
  json document = read_fixture(folder + "/tokenizer.json");
  merge_patch(document, patch);
  const support::TempFolder temporary;
  std::ofstream(temporary.path() / "tokenizer.json") << document;
  return load(temporary.path());
}

json configuration_of(const std::string& name) {
  const json fixture = read_fixture("bytes/reference.json");
  for (const auto& configuration : fixture.at("configurations")) {
    if (configuration.at("name") == name) return configuration;
  }
  throw InternalError("no such configuration in the fixture");
}

}  // namespace

TEST_CASE("Byte-level tokenizers agree with Hugging Face in every configuration", "[tokenizer]") {
  const json fixture = read_fixture("bytes/reference.json");
  for (const auto& configuration : fixture.at("configurations")) {
    const auto name = configuration.at("name").get<std::string>();
    INFO("configuration " << name);
    const auto tokenizer = load_patched("bytes", configuration.at("patch"));
    // Where characters are invented or joined the reference's offsets cover other neighbours than
    // ours.
    const bool is_rewritten =
        configuration.at("patch").contains("normalizer") || name == "gpt2_prefix_space";
    check_reference(*tokenizer, configuration, is_rewritten ? Offsets::Ignore : Offsets::Compare);
  }
}

TEST_CASE("Vocabularies with byte fallback agree with Hugging Face", "[tokenizer]") {
  const json fixture = read_fixture("pieces/reference.json");
  for (const auto& configuration : fixture.at("configurations")) {
    INFO("configuration " << configuration.at("name"));
    const auto tokenizer = load_patched("pieces", configuration.at("patch"));
    // The reference gives an invented space the first character of the text.
    check_reference(*tokenizer, configuration, Offsets::Ignore);
  }
}

TEST_CASE("BERT's vocab.txt alone agrees with transformers, pairs of texts included",
          "[tokenizer]") {
  const json fixture = read_fixture("words/pairs.json");
  for (const auto& configuration : fixture.at("configurations")) {
    INFO("options " << configuration.at("options"));
    const support::TempFolder folder;
    std::filesystem::copy(support::fixture("tokenizer/words/vocab.txt"), folder.path());
    std::ofstream(folder.path() / "tokenizer_config.json") << configuration.at("options");
    const auto tokenizer = load(folder.path());
    CHECK(tokenizer->pad_id() == configuration.at("pad").get<TokenId>());
    const auto frame = tokenizer->pair_frame();
    REQUIRE(frame);
    for (const auto& each : configuration.at("cases")) {
      const auto first = each.at("first").get<std::string>();
      const auto second = each.at("second").get<std::string>();
      INFO("texts " << json(first).dump(-1, ' ', true) << " " << json(second).dump(-1, ' ', true));
      CHECK(tokenizer->encode(second, SpecialTokens::Add) == each.at("single").get<TokenIds>());
      TokenIds ids = frame->before;
      for (const TokenIds& part : {tokenizer->encode(first, SpecialTokens::Omit), frame->between}) {
        ids.insert(ids.end(), part.begin(), part.end());
      }
      std::vector<int> types(ids.size(), 0);
      for (const TokenIds& part : {tokenizer->encode(second, SpecialTokens::Omit), frame->behind}) {
        ids.insert(ids.end(), part.begin(), part.end());
      }
      types.resize(ids.size(), 1);
      CHECK(ids == each.at("ids").get<TokenIds>());
      CHECK(types == each.at("types").get<std::vector<int>>());
    }
  }
}

TEST_CASE("Pairs are had of a template that puts them together as BERT does", "[tokenizer]") {
  const auto piece = [](const char* kind, const char* id, int type) {
    return json{{kind, {{"id", id}, {"type_id", type}}}};
  };
  const json cls = piece("SpecialToken", "[CLS]", 0);
  const json text = piece("Sequence", "A", 0);
  const json sep = piece("SpecialToken", "[SEP]", 0);
  const auto frame_of = [&](const json& pair) {
    const json special = {{"[CLS]", {{"id", "[CLS]"}, {"ids", {2}}}},
                          {"[SEP]", {{"id", "[SEP]"}, {"ids", {3}}}}};
    const json processor = {{"type", "TemplateProcessing"},
                            {"single", {cls, text, sep}},
                            {"pair", pair},
                            {"special_tokens", special}};
    return load_patched("words", {{"post_processor", processor}})->pair_frame();
  };
  const auto frame =
      frame_of({cls, text, sep, piece("Sequence", "B", 1), piece("SpecialToken", "[SEP]", 1)});
  REQUIRE(frame);
  CHECK(frame->before == TokenIds{2});
  CHECK(frame->between == TokenIds{3});
  CHECK(frame->behind == TokenIds{3});
  CHECK_FALSE(frame_of({cls, text, sep, piece("Sequence", "B", 0), sep}));  // RoBERTa's
  CHECK_FALSE(frame_of({cls, text, piece("Sequence", "B", 1)}));
  CHECK_FALSE(frame_of({piece("Sequence", "B", 0), sep, piece("Sequence", "A", 1)}));
}

TEST_CASE("WordPiece vocabularies agree with Hugging Face", "[tokenizer]") {
  const json fixture = read_fixture("words/reference.json");
  for (const auto& configuration : fixture.at("configurations")) {
    INFO("configuration " << configuration.at("name"));
    const auto tokenizer = load_patched("words", configuration.at("patch"));
    // Where accents are split off and dropped the reference's offsets cover other neighbours than
    // ours.
    check_reference(*tokenizer, configuration, Offsets::Ignore);
  }
}

TEST_CASE("SentencePiece models agree with sentencepiece", "[tokenizer]") {
  for (const std::string folder : {"pieces", "unigram"}) {
    INFO(folder);
    const auto tokenizer = load(support::fixture("tokenizer/" + folder + "/tokenizer.model"));
    check_reference(*tokenizer, read_fixture(folder + "/sentencepiece.json"));
  }
}

TEST_CASE("The same SentencePiece vocabulary gives the same ids from three formats",
          "[tokenizer]") {
  const json fixture = read_fixture("pieces/sentencepiece.json");
  check_reference(*load(support::fixture("tokenizer/pieces/tokenizer.gguf")), fixture);
  check_reference(*load(support::fixture("tokenizer/pieces/tokenizer.json")), fixture);
}

TEST_CASE("A GGUF file names the way of splitting", "[tokenizer]") {
  const auto file = support::fixture("tokenizer/bytes/tokenizer.gguf");
  check_reference(*load(file), configuration_of("llama3"));
  // Most ways put nothing before a text, and the file says nothing of it.
  for (const char* name : {"gpt2", "smollm", "dbrx", "gpt-4o", "deepseek-coder", "deepseek-v3"}) {
    INFO("splitting " << name);
    const std::string splitting = name == std::string("gpt2") ? "gpt-2" : name;
    check_reference(*load(file, splitting), configuration_of(name));
  }
  for (const char* name : {"qwen2", "qwen35"}) {
    INFO("splitting " << name);
    check_reference(*load(file, name), configuration_of(name), Offsets::Ignore);
  }
}

}  // namespace labelprobe::tokenizer
