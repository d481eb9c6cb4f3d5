#include "weights/checkpoint/foreign_settings.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

namespace labelprobe::weights {
namespace {

struct ForeignSetting {
  std::string_view key;
  std::string_view neutral;      // the only value that is right for us, as messages say it
  std::optional<double> number;  // the same, false being 0 and true 1; nothing: no value is
};

constexpr ForeignSetting none(std::string_view key) {
  return {key, "null", std::nullopt};
}

constexpr ForeignSetting zero(std::string_view key) {
  return {key, "0", 0.0};
}

constexpr ForeignSetting one(std::string_view key) {
  return {key, "1", 1.0};
}

constexpr ForeignSetting off(std::string_view key) {
  return {key, "false", 0.0};
}

constexpr ForeignSetting on(std::string_view key) {
  return {key, "true", 1.0};
}

// By the names of transformers' configurations.
constexpr std::array kInConfigJson = {
    on("is_causal"),
    off("use_bidirectional_attention"),
    none("attention_chunk_size"),
    none("attn_logit_softcapping"),
    none("final_logit_softcapping"),
    none("query_pre_attn_scalar"),
    none("attention_multiplier"),
    one("embedding_multiplier"),
    one("residual_multiplier"),
    one("logits_scaling"),
    one("logit_scale"),
    one("scale_emb"),
    none("scale_depth"),
    none("clip_qkv"),
    off("alibi"),
    off("use_qk_norm"),
    off("qk_norm"),
    off("qk_layernorm"),
    off("parallel_attn"),
    none("no_rope_layers"),
    zero("num_experts"),
    zero("num_local_experts"),
    zero("n_routed_experts"),
};

// By the names of ggml's gguf.md and llama.cpp, behind the architecture's.
constexpr std::array kInGguf = {
    zero("expert_count"),
    on("attention.causal"),
    zero("attn_logit_softcapping"),
    zero("final_logit_softcapping"),
    zero("attention.clamp_kqv"),
    zero("attention.max_alibi_bias"),
    none("attention.scale"),
    none("attention.temperature_scale"),
    one("logit_scale"),
    one("embedding_scale"),
    one("residual_scale"),
    off("use_parallel_residual"),
};

std::string expected(const ForeignSetting& setting) {
  return fmt::format("{} (nothing else is supported)", setting.neutral);
}

bool is_neutral(const ForeignSetting& setting, const nlohmann::json& held) {
  if (held.is_boolean()) {
    return setting.number == (held.get<bool>() ? 1.0 : 0.0);
  }
  return held.is_number() ? setting.number == held.get<double>() : held.empty();
}

std::optional<double> number_of(const files::GgufFile::Value& held) {
  return std::visit(
      [](const auto& alternative) -> std::optional<double> {
        if constexpr (std::is_arithmetic_v<std::decay_t<decltype(alternative)>>) {
          return static_cast<double>(alternative);
        } else {
          return std::nullopt;
        }
      },
      held);
}

// Whether the family reads the setting itself.
bool is_own(const Family& family, std::string_view Setting::*name, std::string_view key) {
  if (key == "no_rope_layers") return family.ropeless_interval > 0;
  if (key == "query_pre_attn_scalar") return family.default_query_scalar > 0;
  if (family.experts != nullptr &&
      (key == "expert_count" || key == "num_experts" || key == "num_local_experts")) {
    return true;
  }
  return std::any_of(family.settings.begin(), family.settings.end(),
                     [&](const Setting& setting) { return setting.*name == key; });
}

// Gemma calls it hidden_activation, and its hidden_act is not looked at.
void refuse_foreign_activation(const files::JsonView& config, const Family& family) {
  const bool is_gelu = family.activation == Activation::GeluTanh;
  const std::string_view key = is_gelu ? "hidden_activation" : "hidden_act";
  const std::string_view expected = is_gelu ? "gelu_pytorch_tanh" : "silu";
  if (config.has(key) && config.at(key).string() != expected) {
    config.at(key).fail_expected(std::string(expected));
  }
}

}  // namespace

void refuse_foreign_settings(const files::JsonView& config, const Family& family) {
  refuse_foreign_activation(config, family);
  for (const ForeignSetting& setting : kInConfigJson) {
    if (config.has(setting.key) && !is_own(family, &Setting::key, setting.key) &&
        !is_neutral(setting, config.at(setting.key).value())) {
      config.at(setting.key).fail_expected(expected(setting));
    }
  }
}

void refuse_foreign_settings(const files::GgufFile& file, const Family& family) {
  for (const ForeignSetting& setting : kInGguf) {
    const std::string key = std::string(family.gguf_architecture).append(".").append(setting.key);
    const auto held = file.metadata().find(key);
    if (held == file.metadata().end() || is_own(family, &Setting::gguf_key, setting.key)) {
      continue;
    }
    const std::optional<double> number = number_of(held->second);
    if (!number || number != setting.number) {
      throw ModelError(fmt::format("{}: key '{}': expected {}, found {}", file.path().string(), key,
                                   expected(setting),
                                   number ? nlohmann::json(*number).dump() : "no number"));
    }
  }
}

}  // namespace labelprobe::weights
