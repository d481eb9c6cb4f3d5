#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/paths.h"
#include "support/weight_files.h"
#include "weights/checkpoint/load_config.h"
#include "weights/families/family.h"

namespace labelprobe::weights {
namespace {

using nlohmann::json;
using support::TempFolder;
using support::write_file;

// What every configuration says; `changes` are merged in, null removes a key.
json llama_json(const std::string& changes) {
  json config = json::parse(R"({"architectures": ["LlamaForCausalLM"], "hidden_size": 64,
      "intermediate_size": 172, "num_hidden_layers": 5, "num_attention_heads": 8, "vocab_size": 512})");
  config.merge_patch(json::parse(changes));
  return config;
}

DecoderConfig config_of_json(const std::string& config, const std::string& generation = "") {
  const TempFolder folder;
  write_file(folder.path() / "config.json", config);
  if (!generation.empty()) {
    write_file(folder.path() / "generation_config.json", generation);
  }
  return load_config(folder.path());
}

DecoderConfig llama_config(const std::string& changes) {
  return config_of_json(llama_json(changes).dump());
}

std::vector<float> floats_of_hex(const std::string& text) {
  std::istringstream words(text);
  std::vector<float> floats;
  for (std::string word; words >> word;) {
    const auto bits = static_cast<std::uint32_t>(std::stoul(word, nullptr, 16));
    floats.emplace_back();
    std::memcpy(&floats.back(), &bits, sizeof bits);
  }
  return floats;
}

void check_close(const std::vector<float>& found, const std::vector<float>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO("frequency " << i << ": found " << found[i] << ", expected " << expected[i]);
    // Two units in the last place: torch's pow depends on the processor by one.
    CHECK(std::abs(found[i] - expected[i]) <= 2.4e-7F * expected[i]);
  }
}

}  // namespace

TEST_CASE("Fills in what config.json may leave out", "[unit]") {
  const DecoderConfig llama = llama_config("{}");
  CHECK(llama.family->architecture == "LlamaForCausalLM");
  CHECK(llama.hidden_size == 64);
  CHECK(llama.intermediate_size == 172);
  CHECK(llama.n_layers == 5);
  CHECK(llama.n_heads == 8);
  CHECK(llama.n_kv_heads == 8);
  CHECK(llama.head_dim == 8);
  CHECK(llama.vocab_size == 512);
  CHECK(llama.max_position_embeddings == 2048);
  CHECK(llama.rms_norm_eps == 1e-6);
  CHECK(llama.rope_theta == 10000.0);
  CHECK(llama.rope_scaling.kind == RopeScaling::Kind::None);
  CHECK_FALSE(llama.tie_word_embeddings);
  CHECK_FALSE(llama.qkv_bias);
  CHECK(llama.end_ids.empty());
  CHECK(llama.rules.repetition_penalty == 1.0);
  // Null is the same as not there.
  const DecoderConfig nulls = llama_config("{}");
  const DecoderConfig with_null = config_of_json(
      R"({"model_type": "llama", "hidden_size": 64, "intermediate_size": 172, "num_hidden_layers": 5,
          "num_attention_heads": 8, "vocab_size": 512, "head_dim": null, "num_key_value_heads": null,
          "rope_scaling": null, "eos_token_id": null})");
  CHECK(with_null.head_dim == nulls.head_dim);
  CHECK(with_null.n_kv_heads == 8);
}

TEST_CASE("Takes what config.json says", "[unit]") {
  const DecoderConfig llama = llama_config(
      R"({"num_key_value_heads": 2, "head_dim": 10, "max_position_embeddings": 99, "rms_norm_eps": 1e-5,
          "tie_word_embeddings": true, "attention_bias": true, "mlp_bias": true})");
  CHECK(llama.n_kv_heads == 2);
  CHECK(llama.head_dim == 10);
  CHECK(llama.max_position_embeddings == 99);
  CHECK(llama.rms_norm_eps == 1e-5);
  CHECK(llama.tie_word_embeddings);
  CHECK(llama.qkv_bias);
  CHECK(llama.o_bias);
  CHECK(llama.mlp_bias);

  const DecoderConfig qwen = llama_config(R"({"architectures": ["Qwen2ForCausalLM"]})");
  CHECK(qwen.family->architecture == "Qwen2ForCausalLM");
  CHECK(qwen.qkv_bias);
  CHECK_FALSE(qwen.o_bias);
  CHECK_FALSE(qwen.mlp_bias);
  CHECK(qwen.max_position_embeddings == 32768);
}

TEST_CASE("Reads rope fields in the old and the new spelling", "[unit]") {
  using Kind = RopeScaling::Kind;
  struct Case {
    const char* config;
    double theta;
    Kind kind;
    double factor;
  };
  const std::vector<Case> cases = {
      {R"({"rope_theta": 5e5})", 5e5, Kind::None, 1.0},
      {R"({"rope_theta": 5e5, "rope_scaling": {}})", 5e5, Kind::None, 1.0},
      {R"({"rope_theta": 5e5, "rope_scaling": {"rope_type": "default"}})", 5e5, Kind::None, 1.0},
      {R"({"rope_parameters": {"rope_theta": 5e5, "rope_type": "default"}})", 5e5, Kind::None, 1.0},
      {R"({"rope_theta": 5e5, "rope_parameters": {"rope_type": "default"}})", 5e5, Kind::None, 1.0},
      {R"({"rope_scaling": {"type": "linear", "factor": 4}})", 1e4, Kind::Linear, 4.0},
      {R"({"rope_scaling": {"type": "linear", "rope_type": "linear", "factor": 4.0}})", 1e4,
       Kind::Linear, 4.0},
      {R"({"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 7.0}})", 7.0,
       Kind::Linear, 4.0},
      {R"({"rope_theta": 5e5, "rope_scaling": {"rope_type": "llama3", "factor": 8.0,
           "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 77}})",
       5e5, Kind::Llama3, 8.0},
      {R"({"rope_parameters": {"rope_theta": 5e5, "rope_type": "llama3", "factor": 8.0,
           "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 77}})",
       5e5, Kind::Llama3, 8.0},
  };
  for (const Case& one : cases) {
    INFO(one.config);
    const DecoderConfig config = llama_config(one.config);
    CHECK(config.rope_theta == one.theta);
    CHECK(config.rope_scaling.kind == one.kind);
    CHECK(config.rope_scaling.factor == one.factor);
    if (one.kind == Kind::Llama3) {
      CHECK(config.rope_scaling.low_freq_factor == 1.0);
      CHECK(config.rope_scaling.high_freq_factor == 4.0);
      CHECK(config.rope_scaling.original_max_position == 77);
    }
  }
}

TEST_CASE("Says which key of config.json cannot be used, and why", "[unit]") {
  struct Case {
    const char* changes;
    const char* message;
  };
  const std::vector<Case> cases = {
      {R"({"architectures": ["GemmaForCausalLM"]})",
       "key 'architectures': expected one of LlamaForCausalLM, MistralForCausalLM, "},
      {R"({"architectures": ["GemmaForCausalLM"]})",
       "(src/README.md says how a family is added), found [\"GemmaForCausalLM\"]"},
      {R"({"architectures": []})", "key 'architectures': expected one of"},
      {R"({"architectures": null, "model_type": "gemma"})",
       "key 'model_type': expected one of llama, mistral, "},
      {R"({"architectures": null, "model_type": "gemma"})",
       "(src/README.md says how a family is added), found \"gemma\""},
      {R"({"architectures": null})", "key 'model_type' is missing"},
      {R"({"hidden_size": null})", "key 'hidden_size' is missing"},
      {R"({"hidden_size": "64"})",
       "key 'hidden_size': expected an integer from 1 to 16777216, found \"64\""},
      {R"({"hidden_size": 64.0})", "found 64.0"},
      {R"({"hidden_size": -64})", "found -64"},
      {R"({"hidden_size": 0})", "found 0"},
      {R"({"hidden_size": 18446744073709551615})", "found 18446744073709551615"},
      {R"({"num_hidden_layers": 100000})", "expected an integer from 1 to 4096"},
      {R"({"hidden_size": 65})", "expected a multiple of num_attention_heads (8)"},
      {R"({"hidden_size": 72})", "key 'hidden_size': expected an even head dimension, found 9"},
      {R"({"head_dim": 9})", "key 'head_dim': expected an even head dimension, found 9"},
      {R"({"num_key_value_heads": 3})", "key 'num_key_value_heads': expected a divisor"},
      {R"({"hidden_act": "gelu"})", "key 'hidden_act': expected silu, found \"gelu\""},
      {R"({"use_sliding_window": true})", "key 'use_sliding_window': expected false"},
      {R"({"layer_types": ["full_attention", "sliding_attention"]})",
       "key 'layer_types': expected full_attention in every layer"},
      {R"({"sliding_window": 4, "layer_types": ["full_attention", "chunked_attention"]})",
       "key 'layer_types': expected full_attention or sliding_attention in every layer"},
      {R"({"sliding_window": 0})", "key 'sliding_window': expected an integer from 1"},
      {R"({"architectures": ["MistralForCausalLM"], "attention_bias": true})",
       "key 'attention_bias': expected false (a MistralForCausalLM does not have such biases)"},
      {R"({"architectures": ["Qwen2ForCausalLM"], "mlp_bias": true})",
       "key 'mlp_bias': expected false (a Qwen2ForCausalLM does not have such biases)"},
      {R"({"quantization_config": {"quant_method": "gptq"}})",
       "key 'quantization_config.quant_method': expected bitsandbytes"},
      {R"({"rms_norm_eps": 0})", "key 'rms_norm_eps': expected a number above 0"},
      {R"({"tie_word_embeddings": 1})", "expected true or false, found 1"},
      {R"({"rope_theta": "big"})", "key 'rope_theta': expected a number, found \"big\""},
      {R"({"rope_scaling": 3})", "key 'rope_scaling': expected an object, found 3"},
      {R"({"rope_scaling": {"type": "ntk", "factor": 2.0}})",
       "key 'rope_scaling.type': expected default, linear, dynamic, llama3, yarn or longrope, "
       "found "
       "\"ntk\""},
      {R"({"rope_parameters": {"rope_type": "longrope"}})",
       "key 'rope_parameters.short_factor' is missing"},
      {R"({"rope_parameters": {"rope_type": "longrope", "short_factor": [1.0, 1.0]}})",
       "key 'rope_parameters.short_factor': expected 4 numbers, one for each pair that is turned, "
       "found 2"},
      {R"({"rope_scaling": {"type": "linear"}})", "key 'rope_scaling.factor' is missing"},
      {R"({"rope_scaling": {"type": "linear", "factor": 0}})",
       "key 'rope_scaling.factor': expected"},
      {R"({"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 4.0,
           "high_freq_factor": 4.0}})",
       "key 'rope_scaling.high_freq_factor': expected more than low_freq_factor"},
      {R"({"rope_parameters": {"full_attention": {"rope_theta": 7.0}}})",
       "key 'rope_parameters.full_attention': expected the same rotary embedding in every layer"},
      {R"({"partial_rotary_factor": 0.5})", "key 'partial_rotary_factor': expected 1"},
      {R"({"eos_token_id": "</s>"})",
       "key 'eos_token_id': expected token ids below 16777216, found \"</s>\""},
      {R"({"eos_token_id": [2, -7]})", "key 'eos_token_id': expected token ids"},
  };
  for (const Case& one : cases) {
    INFO(one.changes);
    const std::string message = support::message_of<ModelError>([&] { llama_config(one.changes); });
    CHECK_THAT(message, ContainsSubstring("config.json: key "));
    CHECK_THAT(message, ContainsSubstring(one.message));
  }
  CHECK_THAT(support::message_of<ModelError>([] { config_of_json("{\"hidden_size\": 6"); }),
             ContainsSubstring("expected JSON, found an error at byte 18"));
  const TempFolder empty;
  CHECK_THAT(support::message_of<ModelError>([&] { load_config(empty.path()); }),
             ContainsSubstring("expected a model folder with config.json, found no such file"));
}

// What transformers or those who made other decoders compute with these is not what we would.
TEST_CASE("Refuses settings of other decoders that are in use", "[unit]") {
  struct Case {
    const char* key;
    const char* neutral;
    const char* used;
    const char* expected;
  };
  const std::vector<Case> cases = {
      {"is_causal", "true", "false", "true"},
      {"final_logit_softcapping", "null", "30.0", "null"},
      {"attn_logit_softcapping", "null", "50", "null"},
      {"logit_scale", "1.0", "0.0625", "1"},
      {"embedding_multiplier", "1", "12.0", "1"},
      {"use_qk_norm", "false", "true", "false"},
      {"num_local_experts", "0", "8", "0"},
      {"no_rope_layers", "[]", "[1, 0]", "null"},
      {"clip_qkv", "null", "\"8\"", "null"},
  };
  for (const Case& one : cases) {
    INFO(one.key);
    const auto with = [&](const std::string& held) {
      json config = llama_json("{}");
      config[one.key] = json::parse(held);
      return support::message_of<ModelError>([&] { config_of_json(config.dump()); });
    };
    CHECK(with(one.neutral) == "no error");
    CHECK_THAT(with(one.used),
               ContainsSubstring("config.json: key '" + std::string(one.key) + "': expected " +
                                 one.expected + " (nothing else is supported), found "));
  }
  // Bears on training only.
  CHECK(llama_config(R"({"attention_dropout": 0.5})").hidden_size == 64);
}

TEST_CASE("generation_config.json goes before config.json", "[unit]") {
  const std::string config = llama_json(R"({"eos_token_id": 2, "repetition_penalty": 1.5})").dump();
  const std::vector<TokenId> two = {2};
  const std::vector<TokenId> several = {128001, 128009};
  CHECK(config_of_json(config).end_ids == two);
  CHECK(config_of_json(config).rules.repetition_penalty == 1.5);
  const DecoderConfig overridden =
      config_of_json(config, R"({"eos_token_id": [128001, 128009], "repetition_penalty": 1.1})");
  CHECK(overridden.end_ids == several);
  CHECK(overridden.rules.repetition_penalty == 1.1);
  CHECK(config_of_json(config, R"({"do_sample": true})").end_ids == two);
  CHECK_THAT(support::message_of<ModelError>(
                 [&] { config_of_json(config, R"({"repetition_penalty": 0})"); }),
             ContainsSubstring("generation_config.json: key 'repetition_penalty'"));
  // Where there is such a file, settings of generation in config.json do not count.
  CHECK(config_of_json(config, "{}").rules == GenerationRules());
}

TEST_CASE("Settings of generation that change greedy logits are read, or refused by name",
          "[unit]") {
  const std::string config = llama_json("{}").dump();
  const auto rules_of = [&](const std::string& json) { return config_of_json(config, json).rules; };
  const GenerationRules all = rules_of(R"({
      "repetition_penalty": 1.3, "no_repeat_ngram_size": 2, "min_length": 5, "min_new_tokens": 3,
      "sequence_bias": [[[1, 2], -0.5]], "bad_words_ids": [[3], [4, 5]],
      "forced_bos_token_id": 6, "forced_eos_token_id": [7, 8], "suppress_tokens": [9],
      "begin_suppress_tokens": [10, 11]})");
  CHECK(describe(all) ==
        "sequence_bias [[[1,2],-0.5]], repetition_penalty 1.3, no_repeat_ngram_size 2, "
        "bad_words_ids [[3],[4,5]], min_length 5, min_new_tokens 3, forced_bos_token_id [6], "
        "forced_eos_token_id [7,8], suppress_tokens [9], begin_suppress_tokens [10,11]");
  // What samples, and values that change nothing.
  CHECK(rules_of(R"({"do_sample": true, "temperature": 0.1, "top_k": 1, "top_p": 0.1, "min_p": 0.5,
      "typical_p": 0.2, "epsilon_cutoff": 0.1, "num_beams": 1, "guidance_scale": 1.0,
      "renormalize_logits": false, "stop_strings": null, "suppress_tokens": null,
      "bad_words_ids": [], "repetition_penalty": 1, "min_length": 0, "length_penalty": 2.0,
      "encoder_no_repeat_ngram_size": 0, "max_length": 20})") == GenerationRules());
  for (const char* used :
       {R"({"num_beams": 4})", R"({"penalty_alpha": 0.6})", R"({"dola_layers": "high"})",
        R"({"guidance_scale": 1.5})", R"({"encoder_repetition_penalty": 1.2})",
        R"({"encoder_no_repeat_ngram_size": 2})", R"({"renormalize_logits": true})",
        R"({"exponential_decay_length_penalty": [5, 1.1]})", R"({"watermarking_config": {"a": 1}})",
        R"({"token_healing": true})", R"({"stop_strings": ["a"]})", R"({"max_time": 3.0})",
        R"({"force_words_ids": [[1]]})", R"({"suppress_tokens": [100000]})",
        R"({"bad_words_ids": [[]]})", R"({"sequence_bias": [[[1]]]})",
        R"({"forced_bos_token_id": [1, 2]})", R"({"no_repeat_ngram_size": -1})"}) {
    const std::string key = nlohmann::json::parse(used).begin().key();
    INFO(used);
    CHECK_THAT(support::message_of<ModelError>([&] { rules_of(used); }),
               ContainsSubstring("generation_config.json: key '" + key));
  }
}

TEST_CASE("Rotary frequencies are those of transformers", "[golden]") {
  const auto fixture =
      json::parse(support::read_file(support::fixture("model/rope_frequencies.json")));
  int n_factor_cases = 0;
  for (const json& one : fixture["cases"]) {
    INFO(one["rope_parameters"].dump() << ", head_dim " << one["head_dim"]);
    DecoderConfig config = llama_config(
        json{{"head_dim", one["head_dim"]}, {"rope_parameters", one["rope_parameters"]}}.dump());
    const std::vector<float> expected = floats_of_hex(one["float_bits"]);
    check_close(rope_frequencies(config), expected);
    if (one.contains("divisor_bits")) {
      config.rope_scaling = RopeScaling();
      config.rope_scaling.kind = RopeScaling::Kind::Factors;
      config.rope_scaling.factors = floats_of_hex(one["divisor_bits"]);
      check_close(rope_frequencies(config), expected);
      ++n_factor_cases;
    }
  }
  CHECK(n_factor_cases == 3);
}

}  // namespace labelprobe::weights
