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
  const auto tokenizer = load(support::fixture("tokenizer/bytes/tokenizer.gguf"));
  const json fixture = read_fixture("bytes/reference.json");
  for (const auto& configuration : fixture.at("configurations")) {
    if (configuration.at("name") == "llama3") {
      check_reference(*tokenizer, configuration);
    }
  }
}

}  // namespace labelprobe::tokenizer
