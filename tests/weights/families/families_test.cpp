// What every description of a family has to fulfil, whichever it is.
#include <set>
#include <string>

#include "support/catch.h"
#include "weights/families/parameters.h"

namespace labelprobe::weights {
namespace {

DecoderConfig small(const Family& family) {
  DecoderConfig config;
  config.family = &family;
  config.hidden_size = 8;
  config.intermediate_size = 16;
  config.n_layers = 2;
  config.n_heads = 4;
  config.n_kv_heads = 2;
  config.head_dim = 6;
  config.vocab_size = 5;
  config.max_position_embeddings = 32;
  return config;
}

std::string list(const std::vector<Parameter>& parameters) {
  std::string text;
  for (const Parameter& parameter : parameters) {
    text += parameter.name;
    for (const std::int64_t size : parameter.shape) text += " " + std::to_string(size);
    text += "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("Every family has the roles of a decoder once, and names of its own", "[unit]") {
  std::set<std::string_view> architectures;
  std::set<std::string_view> model_types;
  for (const Family& family : families()) {
    INFO(family.name);
    architectures.insert(family.architecture);
    model_types.insert(family.model_type);
    CHECK(family.default_max_position > 0);
    std::set<Role> roles;
    for (const Module& module : family.modules) roles.insert(module.role);
    CHECK(roles.size() == family.modules.size());
    for (const Role role : {Role::Embedding, Role::AttentionOutput, Role::FinalNorm, Role::Head}) {
      CHECK(has_module(family, role));
    }
    for (const Role role : {Role::Query, Role::Key, Role::Value}) {
      CHECK(has_module(family, role) != has_module(family, Role::QueryKeyValue));
    }
    if (family.experts == nullptr) {
      CHECK(has_module(family, Role::Down));
      CHECK(has_module(family, Role::Gate) != has_module(family, Role::GateUp));
      CHECK(has_module(family, Role::Up) != has_module(family, Role::GateUp));
    }
    CHECK(has_module(family, Role::QueryNorm) == has_module(family, Role::KeyNorm));
    CHECK((has_module(family, Role::InputNorm) || has_module(family, Role::AttentionNorm)));
    CHECK((has_module(family, Role::MlpNorm) || has_module(family, Role::MlpOutputNorm)));
    CHECK((family.windowed_layers == WindowedLayers::AllButEveryNth) ==
          (family.full_layer_interval > 0));
  }
  CHECK(architectures.size() == families().size());
  CHECK(model_types.size() == families().size());
  CHECK(list_families(&Family::name).starts_with("Llama, Mistral, "));
  CHECK_THAT(list_families(&Family::name), ContainsSubstring(", Gemma 3, "));
  // Mistral's files are Llama's, and those of OLMo 2 and 3 have one name.
  CHECK(list_families(&Family::gguf_architecture).starts_with("llama, qwen2, "));
  CHECK_THAT(list_families(&Family::gguf_architecture), !ContainsSubstring("olmo3"));
}

TEST_CASE("Parameters follow from the family and the sizes", "[unit]") {
  DecoderConfig config = small(families()[0]);
  config.n_layers = 1;
  config.qkv_bias = true;
  CHECK(list(parameters_of(config)) ==
        "model.embed_tokens.weight 5 8\n"
        "model.layers.0.input_layernorm.weight 8\n"
        "model.layers.0.self_attn.q_proj.weight 24 8\n"
        "model.layers.0.self_attn.q_proj.bias 24\n"
        "model.layers.0.self_attn.k_proj.weight 12 8\n"
        "model.layers.0.self_attn.k_proj.bias 12\n"
        "model.layers.0.self_attn.v_proj.weight 12 8\n"
        "model.layers.0.self_attn.v_proj.bias 12\n"
        "model.layers.0.self_attn.o_proj.weight 8 24\n"
        "model.layers.0.post_attention_layernorm.weight 8\n"
        "model.layers.0.mlp.gate_proj.weight 16 8\n"
        "model.layers.0.mlp.up_proj.weight 16 8\n"
        "model.layers.0.mlp.down_proj.weight 8 16\n"
        "model.norm.weight 8\n"
        "lm_head.weight 5 8\n");
  config.tie_word_embeddings = true;
  CHECK(parameters_of(config).back().name == "model.norm.weight");
  CHECK(weight_of(config, Role::Down, 7).name == "model.layers.7.mlp.down_proj.weight");
  CHECK(weight_of(config, Role::Down, 7).is_block_linear());
  CHECK_FALSE(weight_of(config, Role::Head).is_block_linear());
  CHECK_FALSE(weight_of(config, Role::MlpNorm).is_block_linear());
  CHECK_FALSE(bias_of(config, Role::Query)->is_block_linear());
  CHECK_FALSE(bias_of(config, Role::AttentionOutput));
}

TEST_CASE("Names in GGUF files lead to those of Hugging Face and back", "[unit]") {
  for (const Family& family : families()) {
    if (family.experts != nullptr) continue;  // one module's weights are several tensors
    const DecoderConfig config = small(family);
    for (const Module& module : family.modules) {
      const std::string name = gguf_name(module, "weight", 1);
      INFO(name);
      const GgufName read = read_gguf_name(family, name);
      CHECK(read.module == &module);
      CHECK(read.hugging_face == weight_of(config, module.role, 1).name);
    }
  }
  const Family& llama = families()[0];
  CHECK(read_gguf_name(llama, "blk.12.attn_q.bias").hugging_face ==
        "model.layers.12.self_attn.q_proj.bias");
  // Neither a module of a block outside of one, nor the other way round, nor another kind.
  for (const std::string name : {"attn_q.weight", "blk.0.output_norm.weight", "blk.0.attn_q.scale",
                                 "blk.0", "blk.", "", "x", "blk.0.ffn_gate_exps.weight"}) {
    INFO(name);
    CHECK(read_gguf_name(llama, name).module == nullptr);
    CHECK(read_gguf_name(llama, name).hugging_face == name);
  }
}

}  // namespace labelprobe::weights
