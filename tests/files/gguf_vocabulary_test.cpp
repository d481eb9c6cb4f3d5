#include "labelprobe/files/gguf_vocabulary.h"

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"
#include "support/weight_files.h"

namespace labelprobe::files {
namespace {

using support::GgufBytes;

GgufFile open_bytes(const GgufBytes& bytes) {
  const support::TempFolder folder;
  support::write_file(folder.path() / "x.gguf", bytes.bytes());
  return GgufFile::open(folder.path() / "x.gguf");
}

GgufBytes vocabulary(const std::vector<std::string>& tokens,
                     const std::vector<std::uint32_t>& types) {
  GgufBytes bytes;
  bytes.texts("tokenizer.ggml.tokens", tokens);
  if (!types.empty()) {
    bytes.integers("tokenizer.ggml.token_type", types);
  }
  return bytes;
}

TEST_CASE("An answer ends at the header's tokens and at those known by their names", "[unit]") {
  // The shape of Llama 3 Instruct and Qwen2.5 Instruct: the header names one of several.
  const GgufFile llama3 = open_bytes(
      vocabulary({"a", "<|begin_of_text|>", "<|end_of_text|>", "<|eom_id|>", "<|eot_id|>", "b"},
                 {1, 3, 3, 3, 3, 1})
          .integer("tokenizer.ggml.bos_token_id", 1)
          .integer("tokenizer.ggml.eos_token_id", 4));
  CHECK(end_tokens(llama3) == std::vector<TokenId>{4, 2, 3});

  const GgufFile qwen =
      open_bytes(vocabulary({"<|endoftext|>", "<|im_start|>", "<|im_end|>"}, {3, 3, 3})
                     .integer("tokenizer.ggml.eos_token_id", 2)
                     .integer("tokenizer.ggml.eot_token_id", 2));
  CHECK(end_tokens(qwen) == std::vector<TokenId>{2, 0});

  // Names count whatever the kind, but not what may be markup of a text.
  const GgufFile mistaken = open_bytes(vocabulary(
      {"<|im_end|>", "<|end|>", "<end_of_turn>", "</s>", "<eos>", "a"}, {1, 4, 1, 1, 4, 1}));
  CHECK(end_tokens(mistaken) == std::vector<TokenId>{0, 1, 2, 4});

  CHECK(end_tokens(open_bytes(vocabulary({"a", "<|eot_id|>"}, {}))) == std::vector<TokenId>{1});
  CHECK(end_tokens(open_bytes(GgufBytes().integer("tokenizer.ggml.eom_token_id", 7))) ==
        std::vector<TokenId>{7});
  CHECK_THROWS_WITH(
      end_tokens(open_bytes(vocabulary({"a"}, {1}).integer("tokenizer.ggml.eos_token_id", 1))),
      ContainsSubstring("tokenizer.ggml.eos_token_id': expected an id below 1"));
}

TEST_CASE("A token with a role is special whatever its kind", "[unit]") {
  const GgufFile gguf =
      open_bytes(vocabulary({"!", "<s>", "<|im_end|>", "<unk>", "word", "[PAD]", "<|eot_id|>"},
                            {1, 1, 4, 2, 4, 1, 1})
                     .integer("tokenizer.ggml.bos_token_id", 1)
                     .integer("tokenizer.ggml.eos_token_id", 2)
                     .integer("tokenizer.ggml.padding_token_id", 5));
  CHECK(special_tokens(gguf) == std::vector<bool>{false, true, true, true, false, true, true});
  // Converters name the first token as padding where a model has none: that is still a text.
  const GgufFile padded =
      open_bytes(vocabulary({"!", "a"}, {1, 1}).integer("tokenizer.ggml.padding_token_id", 0));
  CHECK(special_tokens(padded) == std::vector<bool>{false, false});
}

}  // namespace
}  // namespace labelprobe::files
