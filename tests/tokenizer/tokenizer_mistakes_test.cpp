// What is refused when a tokenizer is loaded, and how it is said.
#include <cmath>
#include <fstream>
#include <limits>

#include "labelprobe/core/error.h"

#include "support/errors.h"
#include "support/weight_files.h"
#include "tokenizer/reference_check.h"

namespace labelprobe::tokenizer {
namespace {

using nlohmann::json;

std::unique_ptr<const Tokenizer> load_changed_fixture(const std::string& name) {
  return load(support::fixture("tokenizer/" + name));
}

// The message of loading tokenizer.json of `folder` after `change`.
template <class Change>
std::string message_after(const std::string& folder, Change change) {
  json document = read_fixture(folder + "/tokenizer.json");
  change(document);
  const support::TempFolder temporary;
  std::ofstream(temporary.path() / "tokenizer.json") << document;
  try {
    load(temporary.path());
  } catch (const ModelError& error) {
    return error.what();
  }
  return "no error";
}

std::string message_of_file(const std::string& name, const std::string& content) {
  const support::TempFolder temporary;
  std::ofstream(temporary.path() / name, std::ios::binary) << content;
  try {
    load(temporary.path() / name);
  } catch (const ModelError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("Text that is not UTF-8 is refused with the byte", "[tokenizer]") {
  for (const std::string name : {"bytes", "pieces/tokenizer.model"}) {
    CHECK_THROWS_WITH(load_changed_fixture(name)->encode("ab\xFF", SpecialTokens::Add),
                      ContainsSubstring("byte 2: expected UTF-8, found byte 255"));
    CHECK_THROWS_AS(load_changed_fixture(name)->encode("\xED\xA0\x80", SpecialTokens::Add),
                    DataError);
  }
}

TEST_CASE("Messages about tokenizer.json name file, place and what is supported", "[tokenizer]") {
  CHECK_THAT(message_after("bytes",
                           [](json& d) {
                             d["normalizer"] = {{"type", "NFKB"}};
                           }),
             ContainsSubstring("tokenizer.json: key 'normalizer.type': unknown normalizer 'NFKB'"));
  CHECK_THAT(
      message_after(
          "bytes",
          [](json& d) {
            d["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", {{{"type", "Bert"}}}}};
          }),
      ContainsSubstring("pre_tokenizer.pretokenizers[0].type': unknown pre-tokenizer 'Bert'"));
  CHECK_THAT(message_after("bytes", [](json& d) { d["model"]["type"] = "Unigram"; }),
             ContainsSubstring("model.type': unknown tokenizer model 'Unigram'"));
  CHECK_THAT(message_after("bytes", [](json& d) { d["model"].erase("merges"); }),
             ContainsSubstring("key 'model.merges' is missing"));
  CHECK_THAT(message_after("bytes",
                           [](json& d) {
                             d["model"]["merges"][3] = {"x", "\u00e9\u00e9"};
                           }),
             ContainsSubstring("model.merges[3]': expected a merge of two tokens into a third"));
  CHECK_THAT(message_after("bytes", [](json& d) { d["model"]["merges"][0] = "a b c"; }),
             ContainsSubstring("model.merges[0]': expected a merge"));
  CHECK_THAT(message_after("bytes", [](json& d) { d["model"]["vocab"]["a"] = -1; }),
             ContainsSubstring("model.vocab.a': expected an id"));
  CHECK_THAT(message_after("bytes", [](json& d) { d["model"]["vocab"]["a"] = 0; }),
             ContainsSubstring("which another token has"));
  CHECK_THAT(
      message_after("bytes", [](json& d) { d["added_tokens"][0]["id"] = 5; }),
      ContainsSubstring("added_tokens[0].id': expected the vocabulary's id of this token, 0"));
  CHECK_THAT(message_after("bytes", [](json& d) { d["decoder"] = nullptr; }),
             ContainsSubstring("decoder': expected the decoder ByteLevel alone"));
  CHECK_THAT(message_after("bytes",
                           [](json& d) {
                             d["post_processor"] = {{"type", "Cls"}};
                           }),
             ContainsSubstring("post_processor.type': unknown post-processor 'Cls'"));
  CHECK_THAT(
      message_after("pieces", [](json& d) { d["post_processor"]["single"] = json::array(); }),
      ContainsSubstring("post_processor.single': expected one Sequence"));
  CHECK_THAT(message_after("bytes",
                           [](json& d) {
                             json nested = {{"type", "NFC"}};
                             for (int i = 0; i < 100; ++i) {
                               nested = {{"type", "Sequence"}, {"normalizers", {nested}}};
                             }
                             d["normalizer"] = nested;
                           }),
             ContainsSubstring("levels deep"));
  CHECK_THAT(message_after("bytes",
                           [](json& d) {
                             d["pre_tokenizer"] = {{"type", "Split"},
                                                   {"behavior", "Isolated"},
                                                   {"pattern", {{"Regex", "(a"}}}};
                           }),
             ContainsSubstring("pre_tokenizer.pattern.Regex': the regular expression '(a'"));
}

TEST_CASE("Files of other kinds are refused with what was expected", "[tokenizer]") {
  CHECK_THAT(message_of_file("tokenizer.json", "{\"a\": "),
             ContainsSubstring("tokenizer.json: expected JSON, found an error at byte 7"));
  CHECK_THAT(message_of_file("tokenizer.json", "[]"), ContainsSubstring("expected a JSON object"));
  CHECK_THAT(message_of_file("tokenizer.model", "IQ== 0\nIg== 1\n"), ContainsSubstring("tiktoken"));
  CHECK_THAT(message_of_file("tokenizer.model", ""),
             ContainsSubstring("expected a SentencePiece model"));
  CHECK_THAT(message_of_file("x.gguf", "GGUF"), ContainsSubstring("x.gguf: byte 4"));
  CHECK_THAT(message_of_file("x.txt", ""), ContainsSubstring("expected a file named"));
  const support::TempFolder folder;
  CHECK_THROWS_WITH(load(folder.path()),
                    ContainsSubstring("or vocab.txt in this folder, found none"));
  CHECK_THROWS_WITH(load(folder.path() / "absent"), ContainsSubstring("found nothing"));
}

TEST_CASE("A vocab.txt that is none is refused by line", "[tokenizer]") {
  const support::TempFolder folder;
  const auto message_of = [&](const std::string& text) {
    std::ofstream(folder.path() / "vocab.txt") << text;
    try {
      load(folder.path());
    } catch (const ModelError& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  CHECK(message_of("[UNK]\r\n[CLS]\n[SEP]\na") == "none");
  CHECK_THAT(message_of("[UNK]\n[CLS]\na"), ContainsSubstring("expected a line [SEP], found none"));
  CHECK_THAT(message_of("a\n\nb"), ContainsSubstring("vocab.txt:2: expected a token of its own"));
  CHECK_THAT(message_of("a\nb\na"), ContainsSubstring("vocab.txt:3: expected a token of its own in "
                                                      "UTF-8, found 'a' again"));
  CHECK_THAT(message_of("a\n\xff"), ContainsSubstring("bytes that are no UTF-8"));
  std::ofstream(folder.path() / "vocab.txt") << "[UNK]\n[CLS]\n[SEP]\na";
  CHECK_FALSE(load(folder.path())->pad_id());
}

TEST_CASE("A SentencePiece model cut anywhere is refused or read, never a crash", "[tokenizer]") {
  std::ifstream file(support::fixture("tokenizer/pieces/tokenizer.model"), std::ios::binary);
  const std::string model((std::istreambuf_iterator<char>(file)), {});
  int n_refused = 0;
  for (std::size_t n_bytes = 0; n_bytes < model.size(); n_bytes += 97) {
    n_refused += message_of_file("tokenizer.model", model.substr(0, n_bytes)) != "no error";
  }
  CHECK(n_refused > 0);
}

TEST_CASE("An unknown way of splitting in a GGUF file lists the known ones", "[tokenizer]") {
  std::ifstream file(support::fixture("tokenizer/bytes/tokenizer.gguf"), std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), {});
  bytes.replace(bytes.find("llama-bpe"), 9, "llama-xyz");
  CHECK_THAT(message_of_file("x.gguf", bytes),
             ContainsSubstring("'tokenizer.ggml.pre': unknown pre-tokenization 'llama-xyz'") &&
                 ContainsSubstring("--splitting (llama-bpe, qwen2, smollm, gpt-2)"));
}

TEST_CASE("Ways of splitting that share a rule are the same", "[tokenizer]") {
  const auto gguf = support::fixture("tokenizer/bytes/tokenizer.gguf");
  const std::string text = "It's 12345 caf\u00e9s,  isn't IT\n\n x";
  const auto ids_of = [&](const std::string& splitting) {
    return load(gguf, splitting)->encode(text, SpecialTokens::Omit);
  };
  for (const char* name : {"llama3", "falcon3", "pixtral", "lfm2", "falcon-h1", "midm-2.0"}) {
    CHECK(ids_of(name) == ids_of("llama-bpe"));
  }
  for (const char* name : {"deepseek-r1-qwen", "megrez", "kormo"}) {
    CHECK(ids_of(name) == ids_of("qwen2"));
  }
  for (const char* name : {"phi-2", "mellum", "gigachat", "olmo", "mpt"}) {
    CHECK(ids_of(name) == ids_of("gpt-2"));
  }
  for (const char* name : {"refact", "starcoder", "command-r", "exaone", "minerva-7b"}) {
    CHECK(ids_of(name) == ids_of("smollm"));
  }
  CHECK(ids_of("smaug-bpe") == ids_of("dbrx"));
  CHECK(ids_of("llama4") == ids_of("gpt-4o"));
  // Those with rules that are not known, and those who have none to choose.
  for (const char* name : {"deepseek-llm", "viking", "bloom"}) {
    CHECK_THROWS_AS(ids_of(name), ConfigError);
  }
  CHECK_THROWS_AS(load(support::fixture("tokenizer/bytes"), "qwen2"), ConfigError);
  CHECK_THROWS_AS(load(support::fixture("tokenizer/pieces/tokenizer.gguf"), "qwen2"), ConfigError);
  CHECK(load(gguf, "qwen2")->fingerprint() != load(gguf)->fingerprint());
}

TEST_CASE("A GGUF file that does not say how it splits is recognised by its special tokens",
          "[tokenizer]") {
  const auto load_with = [](std::size_t n_tokens,
                            const std::vector<std::pair<std::size_t, std::string>>& special) {
    std::vector<std::string> tokens;
    for (std::size_t id = 0; id < n_tokens; ++id) {
      tokens.push_back("t" + std::to_string(id));
    }
    std::vector<std::uint32_t> types(n_tokens, 1);
    for (const auto& [id, text] : special) {
      tokens.at(id) = text;
      types.at(id) = 3;
    }
    // A digit of its own, and two together.
    tokens.at(10) = "1";
    tokens.at(11) = "11";
    const support::TempFolder folder;
    support::write_file(folder.path() / "x.gguf", support::GgufBytes()
                                                      .text("tokenizer.ggml.model", "gpt2")
                                                      .texts("tokenizer.ggml.tokens", tokens)
                                                      .integers("tokenizer.ggml.token_type", types)
                                                      .texts("tokenizer.ggml.merges", {"1 1"})
                                                      .integer("tokenizer.ggml.bos_token_id", 0)
                                                      .bytes());
    return load(folder.path() / "x.gguf")->encode("11", SpecialTokens::Add);
  };
  // Llama 3 puts its begin before a text and keeps numbers of up to three digits together; Qwen2
  // and SmolLM split digits; GPT-2 does not.
  CHECK(load_with(128002, {{128000, "<|begin_of_text|>"}, {128001, "<|end_of_text|>"}}) ==
        TokenIds{0, 11});
  CHECK(load_with(151646, {{151643, "<|endoftext|>"}, {151645, "<|im_end|>"}}) == TokenIds{10, 10});
  CHECK(load_with(20, {{0, "<|endoftext|>"}, {1, "<|im_start|>"}}) == TokenIds{10, 10});
  CHECK(load_with(50257, {{50256, "<|endoftext|>"}, {50255, "\u0120gazed"}}) == TokenIds{11});
  CHECK_THROWS_WITH(load_with(20, {{0, "<unk>"}}),
                    ContainsSubstring("tokenizer.ggml.pre': expected the way in which texts are "
                                      "split, found no such key and no vocabulary that is known") &&
                        ContainsSubstring("--splitting"));
}

TEST_CASE("Normalizers that lengthen each other's texts without end are refused", "[tokenizer]") {
  json document = read_fixture("pieces/tokenizer.json");
  json& normalizers = document["normalizer"]["normalizers"];
  normalizers = json::array();
  for (int i = 0; i < 20; ++i) {
    normalizers.push_back(
        {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", std::string(64, 'a')}});
  }
  const support::TempFolder folder;
  std::ofstream(folder.path() / "tokenizer.json") << document;
  CHECK_THROWS_WITH(
      load(folder.path())->encode("a", SpecialTokens::Omit),
      ContainsSubstring("normalizers make more than 1048576 bytes out of a text of 1; "
                        "expected at most 64 times its length"));
}

TEST_CASE("Scores and tokens of a GGUF file that cannot be are refused", "[tokenizer]") {
  const auto message_with = [](const std::string& token, float score) {
    const support::TempFolder folder;
    support::write_file(folder.path() / "x.gguf",
                        support::GgufBytes()
                            .text("tokenizer.ggml.model", "llama")
                            .texts("tokenizer.ggml.tokens", {"a", "b", token})
                            .numbers("tokenizer.ggml.scores", {0.0F, score, -1.0F})
                            .bytes());
    return support::message_of<ModelError>([&] { load(folder.path() / "x.gguf"); });
  };
  // Not a number has no order, by which merges are sorted.
  for (const float score : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    CHECK_THAT(message_with("ab", score),
               ContainsSubstring("tokenizer.ggml.scores': expected finite numbers"));
  }
  CHECK_THAT(message_with(std::string(5000, 'a'), 0.0F),
             ContainsSubstring("expected tokens of at most 4096 bytes, found one of 5000"));
}

TEST_CASE("Hostile vocabularies are refused by file and place", "[tokenizer]") {
  const std::string deep(100000, '[');
  std::string text = R"({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [)" + deep;
  CHECK_THAT(message_of_file("tokenizer.json", text),
             ContainsSubstring("tokenizer.json: expected"));
  CHECK_THAT(message_of_file("tokenizer.json", R"({"version": 1e999})"),
             ContainsSubstring("tokenizer.json: expected JSON, found an error at byte"));
  // A table has a place for every id.
  for (const char* model :
       {R"({"type": "BPE", "vocab": {"a": 9000000}, "merges": []})",
        R"({"type": "WordPiece", "unk_token": "a", "vocab": {"a": 9000000}})"}) {
    CHECK_THAT(
        message_of_file("tokenizer.json",
                        std::string(R"({"decoder": {"type": "Fuse"}, "model": )") + model + "}"),
        ContainsSubstring("key 'model.vocab.a': expected an id up to 1048577, found 9000000"));
  }
  // A piece without text, in front of all others.
  std::ifstream file(support::fixture("tokenizer/pieces/tokenizer.model"), std::ios::binary);
  const std::string model((std::istreambuf_iterator<char>(file)), {});
  const std::string empty_piece("\x0A\x07\x0A\x00\x15\x00\x00\x00\x00", 9);
  CHECK_THAT(message_of_file("tokenizer.model", empty_piece + model),
             ContainsSubstring("tokenizer.model: expected a SentencePiece model"));
  const std::string latin1("\x0A\x0B\x0A\x04\x6A\xF6\x79\x21\x15\x00\x00\x00\x00", 13);
  CHECK_THAT(message_of_file("tokenizer.model", model + latin1),
             ContainsSubstring("expected UTF-8, found other bytes"));
  const std::string nothing("\x0A\x00", 2);
  CHECK_THAT(message_of_file("tokenizer.model", nothing + model),
             ContainsSubstring("tokenizer.model: expected a SentencePiece model"));
}

}  // namespace labelprobe::tokenizer
