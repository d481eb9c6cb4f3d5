// What config.json says of a decoder's layers: windows, rotary embeddings, scales and caps.
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

// What every configuration says; `changes` are merged in.
json with_sizes(const std::string& changes) {
  json config = json::parse(R"({"architectures": ["LlamaForCausalLM"], "hidden_size": 64,
      "intermediate_size": 172, "num_hidden_layers": 5, "num_attention_heads": 8, "vocab_size": 512})");
  config.merge_patch(json::parse(changes));
  return config;
}

DecoderConfig config_of(const std::string& config) {
  const TempFolder folder;
  write_file(folder.path() / "config.json", config);
  return load_config(folder.path());
}

}  // namespace

TEST_CASE("A configuration's sliding window bounds the texts that are computed", "[unit]") {
  const std::string mistral = R"({"architectures": ["MistralForCausalLM"], )";
  const std::string qwen = R"({"architectures": ["Qwen2ForCausalLM"], )";
  struct Case {
    std::string config;
    int window;
    int n_positions;
  };
  const std::vector<Case> cases = {
      {"{}", 0, 2048},
      {R"({"sliding_window": null})", 0, 2048},
      {R"({"sliding_window": 1024})", 1024, 1024},
      {R"({"num_hidden_layers": 2, "sliding_window": 1024,
           "layer_types": ["sliding_attention", "full_attention"]})",
       1024, 1024},
      {R"({"sliding_window": 4096})", 4096, 2048},
      {mistral + R"("max_position_embeddings": 32768})", 4096, 4096},
      {mistral + R"("max_position_embeddings": 32768, "sliding_window": 100})", 100, 100},
      {mistral + R"("use_sliding_window": false})", 4096, 4096},
      {qwen + R"("sliding_window": 100})", 0, 32768},
      {qwen + R"("use_sliding_window": false, "sliding_window": 100})", 0, 32768},
      {qwen + R"("use_sliding_window": true, "sliding_window": 100})", 0, 32768},
      {qwen + R"("use_sliding_window": true, "sliding_window": 100, "max_window_layers": 5})", 0,
       32768},
      {qwen + R"("use_sliding_window": true, "sliding_window": 100, "max_window_layers": 4})", 100,
       100},
      {qwen + R"("use_sliding_window": true, "max_window_layers": 0})", 4096, 4096},
      {qwen + R"("use_sliding_window": true, "sliding_window": 100, "num_hidden_layers": 2,
                 "layer_types": ["full_attention", "sliding_attention"]})",
       100, 100},
      {qwen + R"("use_sliding_window": true, "sliding_window": 100, "max_window_layers": 0,
                 "num_hidden_layers": 2, "layer_types": ["full_attention", "full_attention"]})",
       0, 32768},
  };
  for (const Case& one : cases) {
    INFO(one.config);
    json config = with_sizes("{}");
    config.update(json::parse(one.config));  // null stays null
    const DecoderConfig found = config_of(config.dump());
    CHECK(found.sliding_window == one.window);
    CHECK(found.n_positions() == one.n_positions);
  }
}

TEST_CASE("Layers of a family have windows and rotary embeddings as its files say", "[unit]") {
  const auto of = [](const char* architecture, const std::string& changes) {
    json config = with_sizes("{}");
    config["architectures"] = {architecture};
    config.update(json::parse(changes));  // null stays null
    return config_of(config.dump());
  };
  // As the first files of Gemma 3 have it: sizes left out, an interval, two bases of frequencies.
  const DecoderConfig gemma = config_of(
      R"({"architectures": ["Gemma3ForConditionalGeneration"], "eos_token_id": [1, 106],
          "text_config": {"hidden_size": 64, "intermediate_size": 172, "num_hidden_layers": 4,
            "model_type": "gemma3_text", "sliding_window": 16, "sliding_window_pattern": 2,
            "rope_scaling": {"factor": 8.0, "rope_type": "linear"}}, "vision_config": {}})");
  CHECK(gemma.n_heads == 8);
  CHECK(gemma.n_kv_heads == 4);
  CHECK(gemma.head_dim == 256);
  CHECK(gemma.vocab_size == 262208);
  CHECK(gemma.tie_word_embeddings);
  CHECK(gemma.are_norms_one_plus);
  CHECK(gemma.embedding_scale == 8.0);
  CHECK(gemma.attention_scale == 1.0 / 16);
  CHECK(gemma.end_ids == TokenIds{1, 106});
  CHECK(gemma.layer_window(0) == 16);
  CHECK(gemma.layer_window(1) == 0);
  CHECK(gemma.layer_rope(0).theta == 10000.0);
  CHECK(gemma.layer_rope(0).scaling.kind == RopeScaling::Kind::None);
  CHECK(gemma.layer_rope(1).theta == 1000000.0);
  CHECK(gemma.layer_rope(1).scaling.kind == RopeScaling::Kind::Linear);
  CHECK(of("Gemma3ForCausalLM", R"({"rope_local_base_freq": 7.0})").layer_rope(0).theta == 7.0);

  const DecoderConfig gemma2 = of("Gemma2ForCausalLM", R"({"final_logit_softcapping": null})");
  CHECK(gemma2.final_softcap == 0.0);
  CHECK(gemma2.attention_softcap == 50.0);
  CHECK(gemma2.layer_window(0) == 4096);
  CHECK(gemma2.layer_window(1) == 0);

  const DecoderConfig olmo = of("Olmo3ForCausalLM", R"({"rope_theta": 9.0, "rope_scaling":
      {"rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 77}})");
  CHECK(olmo.layer_rope(0).theta == 9.0);
  CHECK(olmo.layer_rope(0).scaling.kind == RopeScaling::Kind::None);
  CHECK(olmo.layer_rope(3).theta == 9.0);
  CHECK(olmo.layer_rope(3).scaling.kind == RopeScaling::Kind::Yarn);
  CHECK(olmo.layer_rope(3).scaling.original_max_position == 77);

  const DecoderConfig phi = of("Phi3ForCausalLM", R"({"num_attention_heads": 4,
      "partial_rotary_factor": 0.75, "original_max_position_embeddings": 55, "rope_scaling": {
        "type": "su", "short_factor": [1, 1, 1, 1, 1, 1], "long_factor": [1, 2, 3, 4, 5, 6]}})");
  CHECK(phi.n_rotated() == 12);
  CHECK(phi.rope_scaling.kind == RopeScaling::Kind::LongRope);
  CHECK(phi.rope_scaling.original_max_position == 55);
  CHECK(phi.rope_scaling.long_factors.back() == 6.0F);

  const DecoderConfig smol = of("SmolLM3ForCausalLM", "{}");
  CHECK(smol.layer_has_rope(0));
  CHECK_FALSE(smol.layer_has_rope(3));
  CHECK(smol.rope_theta == 2000000.0);
  CHECK_FALSE(of("SmolLM3ForCausalLM", R"({"no_rope_layers": [1, 0, 1, 1, 1]})").layer_has_rope(1));
  CHECK(of("GraniteForCausalLM", R"({"residual_multiplier": 0.22})").residual_scale == 0.22);
}

TEST_CASE("Says what of a family's own settings cannot be used", "[unit]") {
  struct Case {
    const char* architecture;
    const char* changes;
    const char* message;
  };
  const std::vector<Case> cases = {
      {"GraniteForCausalLM", R"({"logits_scaling": 0})",
       "key 'logits_scaling': expected a number above 0"},
      {"Gemma2ForCausalLM", R"({"query_pre_attn_scalar": -1})",
       "key 'query_pre_attn_scalar': expected a number above 0"},
      {"Gemma2ForCausalLM", R"({"hidden_activation": "gelu"})",
       "key 'hidden_activation': expected gelu_pytorch_tanh, found \"gelu\""},
      {"Gemma3ForCausalLM", R"({"attn_logit_softcapping": 50.0})",
       "key 'attn_logit_softcapping': expected null"},
      {"Gemma3ForCausalLM", R"({"use_bidirectional_attention": true})",
       "key 'use_bidirectional_attention': expected false"},
      {"SmolLM3ForCausalLM", R"({"no_rope_layers": [1, 0]})",
       "key 'no_rope_layers': expected one number for each of 5 layers"},
      {"Phi3ForCausalLM", R"({"partial_rotary_factor": 0.2})",
       "key 'partial_rotary_factor': expected a share of head_dim (8) that is an even number"},
      {"Olmo3ForCausalLM", R"({"layer_types": ["sliding_attention"]})",
       "key 'layer_types': expected a type for each of 5 layers, found 1"},
      {"Olmo3ForCausalLM", R"({"rope_parameters": {"chunked": {"rope_theta": 7.0}}})",
       "key 'rope_parameters.chunked': expected full_attention or sliding_attention"},
  };
  for (const Case& one : cases) {
    INFO(one.changes);
    json config = with_sizes(one.changes);
    config["architectures"] = {one.architecture};
    CHECK_THAT(support::message_of<ModelError>([&] { config_of(config.dump()); }),
               ContainsSubstring(one.message));
  }
}

}  // namespace labelprobe::weights
