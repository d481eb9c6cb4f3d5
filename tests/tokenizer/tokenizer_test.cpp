// What the door promises beyond ids: offsets, single tokens, threads.
#include <atomic>
#include <fstream>
#include <thread>

#include "support/weight_files.h"
#include "tokenizer/reference_check.h"

namespace labelprobe::tokenizer {
namespace {

using nlohmann::json;

std::unique_ptr<const Tokenizer> load_fixture(const std::string& name) {
  return load(support::fixture("tokenizer/" + name));
}

}  // namespace

TEST_CASE("Offsets divide the text and tokens spell it", "[tokenizer]") {
  for (const std::string name :
       {"bytes", "bytes/tokenizer.gguf", "pieces/tokenizer.model", "pieces/tokenizer.gguf"}) {
    const auto tokenizer = load_fixture(name);
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
      std::string text = random_text(seed);
      text.insert(text.begin(), 'x');
      text += "\u0378";
      INFO(name << " " << json(text).dump(-1, ' ', true));
      const Encoding encoding = tokenizer->encode_with_offsets(text, SpecialTokens::Omit);
      std::string spelled;
      std::size_t end = 0;
      for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
        CHECK(encoding.begins[i] == end);
        end = encoding.ends[i];
        spelled += tokenizer->token_bytes(encoding.ids[i]);
      }
      CHECK(end == text.size());
      const bool has_prefix = name.starts_with("pieces");
      // A written "\u2581" and a space are the same to SentencePiece.
      if (text.find("\u2581") == std::string::npos) {
        std::string expected = has_prefix ? " " : "";
        CHECK(spelled == (expected += text));
      }
    }
  }
}

TEST_CASE("Special tokens are found by their text and never spelled", "[tokenizer]") {
  const auto tokenizer = load_fixture("bytes/tokenizer.gguf");
  const auto begin = tokenizer->special_id("<|begin|>");
  REQUIRE(begin.has_value());
  CHECK(tokenizer->bos_id() == begin);
  CHECK(tokenizer->eos_id() == tokenizer->special_id("<|endoftext|>"));
  CHECK(tokenizer->token_bytes(*begin).empty());
  CHECK_FALSE(tokenizer->special_id("the").has_value());
  CHECK(tokenizer->encode("", SpecialTokens::Add) == TokenIds{*begin});
  CHECK(tokenizer->encode("", SpecialTokens::Omit).empty());
  CHECK(tokenizer->vocab_size() == *begin + 1);
  CHECK(tokenizer->token_bytes(-1).empty());
  CHECK(tokenizer->token_bytes(tokenizer->vocab_size()).empty());
  CHECK(tokenizer->decode(TokenIds{-1, 100000, *begin}).empty());
}

TEST_CASE("Special tokens in a text are found by SentencePiece tokenizers too", "[tokenizer]") {
  // As Hugging Face's LlamaTokenizer with legacy=false: only the beginning of the text gets a
  // space.
  const auto tokenizer = load_fixture("pieces/tokenizer.model");
  const Encoding encoding = tokenizer->encode_with_offsets("a</s>a <s>", SpecialTokens::Add);
  REQUIRE(encoding.ids.size() >= 5);
  CHECK(encoding.ids.front() == 1);
  CHECK(encoding.ids.back() == 1);
  CHECK(encoding.begins.back() == 7);
  CHECK(encoding.ends.back() == 10);
  CHECK(encoding.ids[2] == 2);
  CHECK(tokenizer->token_bytes(encoding.ids[1]) == " a");
  CHECK(tokenizer->token_bytes(encoding.ids[3]) == "a");
}

TEST_CASE("A folder may hold the header of a GGUF file instead", "[tokenizer]") {
  const support::TempFolder folder;
  std::filesystem::copy(support::fixture("tokenizer/pieces/tokenizer.gguf"), folder.path());
  CHECK(load(folder.path())->encode("a cab", SpecialTokens::Add) ==
        load_fixture("pieces/tokenizer.gguf")->encode("a cab", SpecialTokens::Add));
}

TEST_CASE("The folder's configuration says which special tokens there are", "[tokenizer]") {
  const support::TempFolder folder;
  std::filesystem::copy(support::fixture("tokenizer/pieces/tokenizer.model"), folder.path());
  const auto ids_with = [&](const std::string& config) {
    std::ofstream(folder.path() / "tokenizer_config.json", std::ios::trunc) << config;
    return load(folder.path())->encode("a", SpecialTokens::Add);
  };
  const TokenIds plain = load(folder.path())->encode("a", SpecialTokens::Omit);
  TokenIds with_bos = plain;
  with_bos.insert(with_bos.begin(), 1);
  TokenIds with_eos = plain;
  with_eos.push_back(2);
  CHECK(ids_with("{}") == with_bos);
  CHECK(ids_with(R"({"add_bos_token": false})") == plain);
  CHECK(ids_with(R"({"add_bos_token": false, "add_eos_token": true})") == with_eos);
  CHECK(ids_with(R"({"bos_token": {"content": "</s>"}, "add_bos_token": true})")[0] == 2);
  CHECK_THROWS_WITH(
      ids_with("{"),
      ContainsSubstring("tokenizer_config.json: expected JSON, found an error at byte 2"));
  CHECK_THROWS_WITH(
      ids_with(R"({"bos_token": 7})"),
      ContainsSubstring("tokenizer_config.json: key 'bos_token': expected a string, found 7"));
}

TEST_CASE("A token with a role is special whatever tokenizer.json says", "[tokenizer]") {
  json document = read_fixture("bytes/tokenizer.json");
  const support::TempFolder folder;
  for (json& token : document["added_tokens"]) {
    token["special"] = false;
  }
  const std::string name = document["added_tokens"][0]["content"];
  const TokenId id = document["added_tokens"][0]["id"];
  std::ofstream(folder.path() / "tokenizer.json") << document;
  const std::string plain_print = load(folder.path())->fingerprint();
  CHECK(load(folder.path())->decode(TokenIds{id}) == name);
  CHECK_FALSE(load(folder.path())->special_id(name));
  for (const char* role : {"bos_token", "eos_token", "pad_token", "additional_special_tokens"}) {
    const bool is_list = std::string(role) == "additional_special_tokens";
    std::ofstream(folder.path() / "tokenizer_config.json", std::ios::trunc)
        << json{{role, is_list ? json{name} : json(name)}};
    const auto tokenizer = load(folder.path());
    CHECK(tokenizer->decode(TokenIds{id}).empty());
    CHECK(tokenizer->special_id(name) == id);
    CHECK(tokenizer->fingerprint() != plain_print);
  }
}

TEST_CASE("added_tokens.json beside a tokenizer counts", "[tokenizer]") {
  const support::TempFolder folder;
  std::filesystem::copy(support::fixture("tokenizer/pieces/tokenizer.model"), folder.path());
  const int n_pieces = load(folder.path())->vocab_size();
  std::ofstream(folder.path() / "added_tokens.json")
      << json{{"<|im_end|>", n_pieces}, {"<|im_start|>", n_pieces + 1}};
  std::ofstream(folder.path() / "tokenizer_config.json") << R"({"eos_token": "<|im_end|>"})";
  const auto tokenizer = load(folder.path());
  CHECK(tokenizer->vocab_size() == n_pieces + 2);
  CHECK(tokenizer->eos_id() == n_pieces);
  const TokenIds ids = tokenizer->encode("<|im_start|>a<|im_end|>", SpecialTokens::Omit);
  CHECK(ids.front() == n_pieces + 1);
  CHECK(ids.back() == n_pieces);
  CHECK(tokenizer->decode(ids) == "<|im_start|>a");  // only the end has a role
}

TEST_CASE("Llama 2's vocabulary with ChatML's tokens in added_tokens.json", "[tokenizer]") {
  const auto model = support::shared("tokenizers/llama2/tokenizer.model");
  if (!std::filesystem::exists(model)) {
    SKIP_ALOUD("no shared Llama 2 tokenizer");
  }
  const support::TempFolder folder;
  std::filesystem::copy(model, folder.path());
  std::ofstream(folder.path() / "added_tokens.json")
      << R"({"<|im_end|>": 32000, "<|im_start|>": 32001})";
  std::ofstream(folder.path() / "tokenizer_config.json")
      << R"({"eos_token": "<|im_end|>", "legacy": false})";
  // From transformers.
  CHECK(load(folder.path())->encode("<|im_start|>user\nHello<|im_end|>", SpecialTokens::Add) ==
        TokenIds{1, 32001, 1792, 13, 10994, 32000});
}

TEST_CASE("Equal files have equal fingerprints, others have others", "[tokenizer]") {
  const std::string fingerprint = load_fixture("bytes")->fingerprint();
  CHECK(fingerprint.size() == 32);
  CHECK(fingerprint == load_fixture("bytes/tokenizer.json")->fingerprint());
  CHECK(fingerprint != load_fixture("bytes/tokenizer.gguf")->fingerprint());
  CHECK(fingerprint != load_fixture("pieces")->fingerprint());
}

TEST_CASE("Several threads may use one tokenizer, and one thread several", "[tokenizer]") {
  const auto bytes = load_fixture("bytes");
  const auto pieces = load_fixture("pieces/tokenizer.model");
  std::vector<TokenIds> expected;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    expected.push_back(bytes->encode(random_text(seed), SpecialTokens::Add));
  }
  std::atomic<int> n_different = 0;
  const auto work = [&] {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      pieces->encode(random_text(seed), SpecialTokens::Add);
      n_different += bytes->encode(random_text(seed), SpecialTokens::Add) != expected[seed];
    }
  };
  std::thread other(work);
  work();
  other.join();
  CHECK(n_different == 0);
}

TEST_CASE("Takes a long text without breaks", "[tokenizer]") {
  // Quadratic merging or sorting would take more than the time that CTest gives.
  const auto bytes = load_fixture("bytes");
  const std::string letters(1'000'000, 'a');
  CHECK(bytes->decode(bytes->encode(letters, SpecialTokens::Omit)) == letters);
  std::string marks = "a";
  for (int i = 0; i < 250'000; ++i) {
    marks += i % 2 == 0 ? "\u0301" : "\u0323";
  }
  CHECK_FALSE(bytes->encode(marks, SpecialTokens::Omit).empty());
  CHECK_FALSE(load_fixture("pieces")->encode(letters, SpecialTokens::Omit).empty());
}

}  // namespace labelprobe::tokenizer
