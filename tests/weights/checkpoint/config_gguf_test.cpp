// The configuration of a decoder in the header of a GGUF file.
#include <cmath>
#include <cstdint>
#include <string>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/paths.h"
#include "support/weight_files.h"
#include "weights/checkpoint/load_config.h"
#include "weights/families/family.h"

namespace labelprobe::weights {
namespace {

using support::GgufBytes;
using support::TempFolder;
using support::write_file;

GgufBytes gguf_header(const std::string& architecture, std::uint32_t n_layers = 1) {
  GgufBytes file;
  file.text("general.architecture", architecture)
      .integer(architecture + ".embedding_length", 8)
      .integer(architecture + ".block_count", n_layers)
      .integer(architecture + ".feed_forward_length", 16)
      .integer(architecture + ".context_length", 32)
      .integer(architecture + ".attention.head_count", 2)
      .number(architecture + ".attention.layer_norm_rms_epsilon", 0.5F)
      .tensor("token_embd.weight", {3, 8}, 0, std::string(3 * 8 * 4, '\0'));
  return file;
}

DecoderConfig gguf_config(const GgufBytes& file) {
  const TempFolder folder;
  write_file(folder.path() / "m.gguf", file.bytes());
  return load_config(files::GgufFile::open(folder.path() / "m.gguf"));
}

}  // namespace

TEST_CASE("Reads the configuration in a GGUF header", "[unit]") {
  const DecoderConfig plain = gguf_config(gguf_header("llama"));
  CHECK(plain.family->architecture == "LlamaForCausalLM");
  CHECK(plain.hidden_size == 8);
  CHECK(plain.intermediate_size == 16);
  CHECK(plain.n_layers == 1);
  CHECK(plain.n_heads == 2);
  CHECK(plain.n_kv_heads == 2);
  CHECK(plain.head_dim == 4);
  CHECK(plain.vocab_size == 3);
  CHECK(plain.max_position_embeddings == 32);
  CHECK(plain.rms_norm_eps == 0.5);
  CHECK(plain.rope_theta == 10000.0);
  CHECK(plain.tie_word_embeddings);
  CHECK_FALSE(plain.qkv_bias);
  CHECK(plain.end_ids.empty());

  const DecoderConfig full =
      gguf_config(gguf_header("qwen2")
                      .integers("qwen2.attention.head_count_kv", {1, 1})
                      .integer("qwen2.attention.key_length", 6)
                      .integer("qwen2.attention.value_length", 6)
                      .number("qwen2.rope.freq_base", 1e6F)
                      .text("qwen2.rope.scaling.type", "linear")
                      .number("qwen2.rope.scaling.factor", 4.0F)
                      .integer("tokenizer.ggml.eos_token_id", 2)
                      .integer("tokenizer.ggml.eot_token_id", 1)
                      .tensor("output.weight", {3, 8}, 0, std::string(96, '\0')));
  CHECK(full.family->architecture == "Qwen2ForCausalLM");
  CHECK(full.n_kv_heads == 1);
  CHECK(full.head_dim == 6);
  CHECK(full.rope_theta == 1e6);
  CHECK(full.rope_scaling.kind == RopeScaling::Kind::Linear);
  CHECK(full.rope_scaling.factor == 4.0);
  CHECK_FALSE(full.tie_word_embeddings);
  CHECK(full.qkv_bias);
  CHECK(full.end_ids == std::vector<TokenId>{2, 1});

  const DecoderConfig named =
      gguf_config(gguf_header("llama")
                      .texts("tokenizer.ggml.tokens", {"<|end_of_text|>", "<|eot_id|>", "a"})
                      .integer("tokenizer.ggml.eos_token_id", 1));
  CHECK(named.end_ids == std::vector<TokenId>{1, 0});

  const DecoderConfig penalized =
      gguf_config(gguf_header("llama").number("general.sampling.penalty_repeat", 1.05F));
  CHECK(penalized.rules.repetition_penalty == 1.05);  // the number that was written as a float32

  const DecoderConfig windowed = gguf_config(gguf_header("llama")
                                                 .integer("llama.attention.sliding_window", 20)
                                                 .integer("llama.expert_count", 0));
  CHECK(windowed.sliding_window == 20);
  CHECK(windowed.n_positions() == 20);

  const DecoderConfig biased = gguf_config(
      gguf_header("llama").tensor("blk.0.attn_output.bias", {8}, 0, std::string(32, '\0')));
  CHECK(biased.o_bias);
  CHECK_FALSE(biased.qkv_bias);

  const DecoderConfig factors = gguf_config(gguf_header("llama").tensor(
      "rope_freqs.weight", {2}, 0, support::bytes_of(1.0F) + support::bytes_of(8.0F)));
  CHECK(factors.rope_scaling.kind == RopeScaling::Kind::Factors);
  CHECK(factors.rope_scaling.factors == std::vector<float>{1.0F, 8.0F});
}

TEST_CASE("What a GGUF header leaves out is as llama.cpp has it for the architecture", "[unit]") {
  const auto gemma2 = [](std::uint32_t n_layers) {
    return gguf_config(gguf_header("gemma2", n_layers)
                           .integer("gemma2.attention.key_length", 6)
                           .integer("gemma2.attention.sliding_window", 20));
  };
  CHECK(gemma2(4).activation == Activation::GeluTanh);
  CHECK_FALSE(gemma2(4).are_norms_one_plus);
  CHECK(gemma2(4).attention_softcap == 50.0);
  CHECK(gemma2(4).final_softcap == 30.0);
  CHECK(gemma2(4).layer_window(0) == 20);
  CHECK(gemma2(4).layer_window(1) == 0);
  CHECK(gemma2(4).score_scale() == Approx(1.0 / std::sqrt(6.0)));
  CHECK(gemma2(46).score_scale() == 0.5);  // hidden_size / heads is 4

  const DecoderConfig gemma3 =
      gguf_config(gguf_header("gemma3", 6)
                      .integer("gemma3.attention.sliding_window", 20)
                      .integer("gemma3.attention.sliding_window_pattern", 3)
                      .number("gemma3.rope.freq_base", 1e6F)
                      .text("gemma3.rope.scaling.type", "linear")
                      .number("gemma3.rope.scaling.factor", 8.0F));
  CHECK(gemma3.layer_window(1) == 20);
  CHECK(gemma3.layer_window(2) == 0);
  CHECK(gemma3.layer_rope(1).theta == 10000.0);
  CHECK(gemma3.layer_rope(1).scaling.kind == RopeScaling::Kind::None);
  CHECK(gemma3.layer_rope(2).theta == 1e6);
  CHECK(gemma3.layer_rope(2).scaling.factor == 8.0);

  const DecoderConfig olmo2 = gguf_config(gguf_header("olmo2"));
  CHECK(olmo2.family->architecture == "Olmo2ForCausalLM");
  CHECK_FALSE(olmo2.window_rope);
  const DecoderConfig olmo3 =
      gguf_config(gguf_header("olmo2", 4).integer("olmo2.attention.sliding_window", 20));
  CHECK(olmo3.family->architecture == "Olmo3ForCausalLM");
  CHECK(olmo3.layer_window(3) == 0);

  const DecoderConfig smollm3 = gguf_config(gguf_header("smollm3", 4));
  CHECK(smollm3.layer_has_rope(2));
  CHECK_FALSE(smollm3.layer_has_rope(3));
}

TEST_CASE("Says which key or tensor of a GGUF header cannot be used", "[unit]") {
  struct Case {
    GgufBytes file;
    const char* message;
  };
  const auto one_factor = [](float factor) {
    return support::bytes_of(1.0F) + support::bytes_of(factor);
  };
  const std::vector<Case> cases = {
      {gguf_header("gemma"), "key 'general.architecture': expected one of llama, qwen2, "},
      {gguf_header("gemma"), "(src/README.md says how a family is added), found gemma"},
      {GgufBytes(), "general.architecture"},
      {GgufBytes().text("general.architecture", "llama"), "llama.embedding_length"},
      {gguf_header("llama").integer("llama.expert_count", 8),
       "key 'llama.expert_used_count': expected an integer"},
      {gguf_header("llama").number("llama.logit_scale", 0.5F),
       "key 'llama.logit_scale': expected 1 (nothing else is supported), found 0.5"},
      {gguf_header("llama").text("llama.attention.clamp_kqv", "8"),
       "key 'llama.attention.clamp_kqv': expected 0 (nothing else is supported), found no number"},
      {gguf_header("llama").number("llama.attention.scale", 0.25F),
       "key 'llama.attention.scale': expected null (nothing else is supported), found 0.25"},
      {gguf_header("llama").integer("split.count", 2),
       "key 'split.count': expected the whole model"},
      {gguf_header("llama").integer("llama.attention.head_count_kv", 0), "head_count_kv"},
      {gguf_header("qwen2").integer("qwen2.attention.head_count_kv", 3), "expected a divisor"},
      {gguf_header("llama").integers("llama.attention.head_count_kv", {1, 2}),
       "expected the same positive number for every layer"},
      {gguf_header("llama").integer("llama.attention.key_length", 5),
       "expected an even head dimension"},
      {gguf_header("llama").integer("llama.rope.dimension_count", 2),
       "key 'llama.rope.dimension_count': expected the head dimension (4), found 2"},
      {gguf_header("llama").text("llama.rope.scaling.type", "ntk"),
       "expected none, linear, yarn, or longrope with its factors, found ntk"},
      {gguf_header("llama").text("llama.rope.scaling.type", "yarn"), "llama.rope.scaling.factor"},
      {gguf_header("phi3").integer("phi3.rope.dimension_count", 3),
       "key 'phi3.rope.dimension_count': expected an even number from 2 to 4, found 3"},
      {gguf_header("phi3").tensor("rope_factors_long.weight", {2}, 0, one_factor(2.0F)),
       "tensor rope_factors_short.weight is missing"},
      {gguf_header("llama").number("llama.rope.freq_base", -1.0F), "llama.rope.freq_base"},
      {gguf_header("llama").integer("tokenizer.ggml.eos_token_id", 3),
       "expected a token id below 3"},
      {gguf_header("llama").tensor("rope_freqs.weight", {3}, 0, std::string(12, '\0')),
       "tensor rope_freqs.weight: expected F32 of shape [2], found F32 of shape [3]"},
      {gguf_header("llama").tensor("rope_freqs.weight", {2}, 0, one_factor(0.0F)),
       "tensor rope_freqs.weight: expected factors above 0"},
      {gguf_header("llama").tensor("rope_freqs.weight", {2}, 0, one_factor(std::nanf(""))),
       "tensor rope_freqs.weight: expected factors above 0"},
  };
  for (const Case& one : cases) {
    INFO(one.message);
    const std::string message = support::message_of<ModelError>([&] { gguf_config(one.file); });
    CHECK_THAT(message, ContainsSubstring("m.gguf"));
    CHECK_THAT(message, ContainsSubstring(one.message));
  }
}

}  // namespace labelprobe::weights
