// The tokenizers of real models against Hugging Face tokenizers and sentencepiece.
#include <fstream>

#include "tokenizer/reference_check.h"

namespace labelprobe::tokenizer {
namespace {

void check_goemotions(const Tokenizer& tokenizer, const nlohmann::json& expected) {
  std::ifstream file(support::shared("data/GoEmotions/train.tsv"));
  if (!file) {
    SKIP_ALOUD("no GoEmotions data");
  }
  std::uint32_t hash = 0x811C9DC5u;
  std::size_t n_tokens = 0;
  std::string line;
  bool has_more = true;
  while (has_more) {
    // As the script splits the file: behind the last line break there is one more, empty line.
    has_more = static_cast<bool>(std::getline(file, line));
    const TokenIds ids = tokenizer.encode(line.substr(0, line.find('\t')), SpecialTokens::Add);
    n_tokens += ids.size();
    hash = fnv(ids, hash);
  }
  CHECK(n_tokens == expected.at("n_tokens").get<std::size_t>());
  char hex[9];
  std::snprintf(hex, sizeof hex, "%08x", hash);
  CHECK(expected.at("hash").get<std::string>() == hex);
}

void check_real(const std::filesystem::path& path,
                const std::string& fixture_name,
                Offsets offsets) {
  if (path.empty() || !std::filesystem::exists(path)) {
    SKIP_ALOUD("no tokenizer " + fixture_name);
  }
  const nlohmann::json fixture = read_fixture("real/" + fixture_name + ".json");
  const auto tokenizer = load(path);
  check_reference(*tokenizer, fixture, offsets);
  check_goemotions(*tokenizer, fixture.at("goemotions_train"));
}

}  // namespace

TEST_CASE("Llama 2's SentencePiece model agrees with sentencepiece", "[tokenizer][real]") {
  check_real(support::shared("tokenizers/llama2/tokenizer.model"), "llama2_sentencepiece",
             Offsets::Compare);
}

TEST_CASE("Llama 2's tokenizer.json agrees with Hugging Face", "[tokenizer][real]") {
  // The reference gives the invented first space the first character of the text.
  check_real(support::shared("tokenizers/llama2/tokenizer.json"), "llama2", Offsets::Ignore);
}

TEST_CASE("Llama 3's tokenizer agrees with Hugging Face", "[tokenizer][real]") {
  check_real(support::shared("tokenizers/llama3-hf"), "llama3", Offsets::Compare);
}

TEST_CASE("all-MiniLM-L6-v2's tokenizer agrees with Hugging Face", "[tokenizer][real]") {
  if (support::minilm().empty()) {
    SKIP_ALOUD("no all-MiniLM-L6-v2");
  }
  check_reference(*load(support::minilm()), read_fixture("real/minilm.json"), Offsets::Ignore);
}

TEST_CASE("SmolLM2's tokenizer in a GGUF file agrees with Hugging Face", "[tokenizer][real]") {
  check_real(support::smollm2_gguf(), "smollm2", Offsets::Compare);
}

}  // namespace labelprobe::tokenizer
