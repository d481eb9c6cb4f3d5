// Forms of attention and rotary embedding in whole models, against transformers.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "labelprobe/model/open.h"

#include "support/catch.h"
#include "support/generate.h"
#include "support/paths.h"
#include "support/tiny_model.h"

namespace labelprobe::model {
namespace {

using nlohmann::json;

std::vector<TokenIds> prompts_of(const json& model) {
  std::vector<TokenIds> prompts;
  for (const json& one : model["prompts"]) prompts.push_back(one["prompt_ids"].get<TokenIds>());
  return prompts;
}

GenerateOptions options_for(const json& model) {
  GenerateOptions options;
  options.stop.max_new_tokens = static_cast<int>(model["prompts"][0]["greedy_ids"].size());
  options.keep_logits = true;
  return options;
}

double largest_difference_in_attention(const std::vector<float>& found, const json& expected) {
  REQUIRE(found.size() == expected.size());
  double largest = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    largest = std::max(largest, std::abs(found[i] - expected[i].get<double>()));
  }
  return largest;
}

void check_answers(const json& model, const std::vector<Generation>& answers) {
  double largest = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    INFO("prompt " << i);
    REQUIRE_FALSE(answers[i].failure);
    CHECK(answers[i].token_ids == model["prompts"][i]["greedy_ids"].get<TokenIds>());
    largest = std::max(
        largest, largest_difference_in_attention(answers[i].logits, model["prompts"][i]["logits"]));
  }
  CHECK(largest < 1e-4);
}

// llama.cpp's names of a layer's tensors, of Qwen3 with experts.
std::string gguf_name(const std::string& name) {
  static const std::vector<std::pair<std::string, std::string>> kNames = {
      {"model.embed_tokens", "token_embd"},
      {"model.norm", "output_norm"},
      {"lm_head", "output"},
      {"model.layers.", "blk."},
      {"input_layernorm", "attn_norm"},
      {"self_attn.q_proj", "attn_q"},
      {"self_attn.k_proj", "attn_k"},
      {"self_attn.v_proj", "attn_v"},
      {"self_attn.q_norm", "attn_q_norm"},
      {"self_attn.k_norm", "attn_k_norm"},
      {"self_attn.o_proj", "attn_output"},
      {"post_attention_layernorm", "ffn_norm"},
      {"mlp.gate.", "ffn_gate_inp."},
      {"mlp.experts.0.gate_proj", "ffn_gate_exps"},
      {"mlp.experts.0.up_proj", "ffn_up_exps"},
      {"mlp.experts.0.down_proj", "ffn_down_exps"}};
  std::string result = name;
  for (const auto& [from, to] : kNames) {
    const std::size_t place = result.find(from);
    if (place != result.npos) result.replace(place, from.size(), to);
  }
  return result;
}

// A model with experts in all layers as llama.cpp's converter writes it.
std::string qwen3_moe_gguf(const json& model) {
  const json& config = model["config"];
  support::GgufBytes file;
  const std::string prefix = "qwen3moe.";
  const auto integer = [&](const char* key, const char* from) {
    file.integer(prefix + key, config[from].get<std::uint32_t>());
  };
  file.text("general.architecture", "qwen3moe");
  integer("embedding_length", "hidden_size");
  integer("block_count", "num_hidden_layers");
  integer("feed_forward_length", "intermediate_size");
  integer("context_length", "max_position_embeddings");
  integer("attention.head_count", "num_attention_heads");
  integer("attention.head_count_kv", "num_key_value_heads");
  integer("attention.key_length", "head_dim");
  integer("attention.value_length", "head_dim");
  integer("expert_count", "num_local_experts");
  integer("expert_used_count", "num_experts_per_tok");
  integer("expert_feed_forward_length", "moe_intermediate_size");
  file.number(prefix + "attention.layer_norm_rms_epsilon", config["rms_norm_eps"]);
  file.number(prefix + "rope.freq_base", config["rope_parameters"]["rope_theta"]);
  const auto n_experts = config["num_local_experts"].get<int>();
  for (const auto& [name, shape] : model["tensors"].items()) {
    const std::size_t place = name.find("experts.");
    auto sizes = shape.get<std::vector<std::uint64_t>>();
    std::uint64_t n = 1;
    for (const std::uint64_t size : sizes) n *= size;
    if (place == name.npos) {
      file.tensor(gguf_name(name), sizes, 0, support::tiny_tensor_bytes(name, n));
    } else if (name.compare(place, 10, "experts.0.") == 0) {
      std::string bytes;
      for (int e = 0; e < n_experts; ++e) {
        std::string of_expert = name;
        of_expert.replace(place + 8, 1, std::to_string(e));
        bytes += support::tiny_tensor_bytes(of_expert, n);
      }
      sizes.insert(sizes.begin(), n_experts);
      file.tensor(gguf_name(name), sizes, 0, bytes);
    }
  }
  return file.bytes();
}

}  // namespace

TEST_CASE("Attention of every form is that of transformers", "[golden]") {
  const json fixture =
      json::parse(support::read_file(support::fixture("model/attention_forms.json")));
  for (const json& model : fixture["models"]) {
    const auto name = model["name"].get<std::string>();
    INFO(name);
    const support::TempFolder folder;
    support::write_tiny_model(model, folder.path(), name.find("mistral") == 0 ? 2 : 1);
    const auto language_model = open(folder.path(), {.device = "cpu", .n_threads = 2});
    GenerateOptions options = options_for(model);
    const auto together = support::generate_all(*language_model, prompts_of(model), options);
    check_answers(model, together);
    options.share_prefixes = false;
    options.batch_size = 1;
    const auto alone = support::generate_all(*language_model, prompts_of(model), options);
    for (std::size_t i = 0; i < alone.size(); ++i) CHECK(alone[i].logits == together[i].logits);
  }
}

TEST_CASE("Experts in one tensor of a GGUF file are those of transformers", "[golden]") {
  const json fixture =
      json::parse(support::read_file(support::fixture("model/attention_forms.json")));
  for (const json& model : fixture["models"]) {
    if (model["name"] != "qwen3_moe") continue;
    const support::TempFolder folder;
    const auto path = folder.path() / "model.gguf";
    support::write_file(path, qwen3_moe_gguf(model));
    const auto language_model = open(path, {.device = "cpu", .n_threads = 2});
    check_answers(model,
                  support::generate_all(*language_model, prompts_of(model), options_for(model)));
  }
}

TEST_CASE("A text that would pass the original length of longrope on its way is refused",
          "[model]") {
  const json fixture =
      json::parse(support::read_file(support::fixture("model/attention_forms.json")));
  for (const json& model : fixture["models"]) {
    if (model["name"] != "phi3_longrope") continue;
    const support::TempFolder folder;
    support::write_tiny_model(model, folder.path());
    const auto language_model = open(folder.path(), {.device = "cpu", .n_threads = 2});
    GenerateOptions options;
    options.stop.max_new_tokens = 3;
    const std::vector<TokenIds> prompts = {TokenIds(62, 3), TokenIds(63, 3), TokenIds(64, 3),
                                           TokenIds(65, 3)};
    const auto answers = support::generate_all(*language_model, prompts, options);
    CHECK_FALSE(answers[0].failure);
    CHECK_FALSE(answers[3].failure);
    REQUIRE((answers[1].failure && answers[2].failure));
    CHECK_THAT(*answers[1].failure,
               ContainsSubstring("the text would pass the 64 positions up to which"));
  }
}

}  // namespace labelprobe::model
