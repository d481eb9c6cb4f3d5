#include "weights/checkpoint/config_layers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"

#include "weights/families/family.h"

namespace labelprobe::weights {
namespace {

// The default of max_window_layers in transformers.
constexpr int kDefaultFirstWindowLayer = 28;

int integer_or(const files::JsonView& config,
               std::string_view key,
               std::int64_t low,
               std::int64_t high,
               int otherwise) {
  return config.has(key) ? static_cast<int>(config.at(key).integer(low, high)) : otherwise;
}

bool is_window_asked_for(const files::JsonView& config, const Family& family) {
  return !family.has_window_switch || config.boolean_or("use_sliding_window", false);
}

// Which layers have the window, if the model has one.
std::vector<bool> windowed_layers(const files::JsonView& config, const DecoderConfig& decoder) {
  const Family& family = *decoder.family;
  std::vector<bool> windowed(static_cast<std::size_t>(decoder.n_layers), true);
  const auto set_each = [&](const auto& has_window) {
    for (int i = 0; i < decoder.n_layers; ++i)
      windowed[static_cast<std::size_t>(i)] = has_window(i);
  };
  if (config.has("layer_types")) {
    const nlohmann::json& types = config.at("layer_types").value();
    set_each([&](int i) {
      const auto place = static_cast<std::size_t>(i);
      return place < types.size() && types[place] == "sliding_attention";
    });
    return windowed;
  }
  switch (family.windowed_layers) {
    case WindowedLayers::All:
      break;
    case WindowedLayers::AllButEveryNth: {
      const int interval = integer_or(config, "sliding_window_pattern", 1, limits::kModelLayers,
                                      family.full_layer_interval);
      set_each([&](int i) { return (i + 1) % interval != 0; });
      break;
    }
    case WindowedLayers::FromMaxWindow: {
      const int first = integer_or(config, "max_window_layers", 0, limits::kModelLayers,
                                   kDefaultFirstWindowLayer);
      set_each([&](int i) { return i >= first; });
      break;
    }
    case WindowedLayers::WithoutRope:
      set_each([&](int i) { return !decoder.layer_has_rope(i); });
      break;
  }
  return windowed;
}

// no_rope_layers, which has 1 for a layer that turns; or an interval.
void read_ropeless_layers(const files::JsonView& config, DecoderConfig& decoder) {
  if (decoder.family->ropeless_interval == 0) {
    return;
  }
  std::vector<bool> ropeless(static_cast<std::size_t>(decoder.n_layers));
  if (config.has("no_rope_layers")) {
    const std::vector<files::JsonView> turns = config.at("no_rope_layers").items();
    if (turns.size() != ropeless.size()) {
      config.at("no_rope_layers")
          .fail_expected(fmt::format("one number for each of {} layers", decoder.n_layers));
    }
    for (std::size_t i = 0; i < turns.size(); ++i) ropeless[i] = turns[i].integer(0, 1) == 0;
  } else {
    const int interval = integer_or(config, "no_rope_layer_interval", 1, limits::kModelLayers,
                                    decoder.family->ropeless_interval);
    for (std::size_t i = 0; i < ropeless.size(); ++i) {
      ropeless[i] = (i + 1) % static_cast<std::size_t>(interval) == 0;
    }
  }
  if (std::find(ropeless.begin(), ropeless.end(), true) != ropeless.end()) {
    decoder.ropeless_layers = std::move(ropeless);
  }
}

void check_layer_types(const files::JsonView& config, bool may_have_window, int n_layers) {
  if (!config.has("layer_types")) {
    return;
  }
  const nlohmann::json& types = config.at("layer_types").value();
  for (const nlohmann::json& type : types) {
    if (type != "full_attention" && !(may_have_window && type == "sliding_attention")) {
      config.at("layer_types")
          .fail_expected(may_have_window ? "full_attention or sliding_attention in every layer"
                                         : "full_attention in every layer");
    }
  }
  if (!may_have_window || types.size() == static_cast<std::size_t>(n_layers)) {
    return;
  }
  config.at("layer_types")
      .fail_expected(fmt::format("a type for each of {} layers", n_layers),
                     fmt::format("{}", types.size()));
}

}  // namespace

// A window that a family's own code would not look at counts too: whoever wrote it meant it.
void read_window(const files::JsonView& config, DecoderConfig& decoder) {
  read_ropeless_layers(config, decoder);
  const Family& family = *decoder.family;
  int window = 0;
  if (is_window_asked_for(config, family)) {
    // Null, which is stated too, means none.
    const int otherwise = config.value().contains("sliding_window") ? 0 : family.default_window;
    window = integer_or(config, "sliding_window", 1, limits::kModelPositions, otherwise);
  }
  if (window == 0 && !family.has_window_switch && config.boolean_or("use_sliding_window", false)) {
    config.at("use_sliding_window").fail_expected("false where there is no sliding_window");
  }
  check_layer_types(config, window > 0, decoder.n_layers);
  if (window == 0) {
    return;
  }
  std::vector<bool> windowed = windowed_layers(config, decoder);
  const auto n_windowed = std::count(windowed.begin(), windowed.end(), true);
  if (n_windowed > 0) {
    decoder.sliding_window = window;
  }
  if (n_windowed > 0 && n_windowed < decoder.n_layers) {
    decoder.windowed_layers = std::move(windowed);
  }
}

void read_settings(const files::JsonView& config, DecoderConfig& decoder) {
  const Family& family = *decoder.family;
  decoder.activation = family.activation;
  decoder.are_norms_one_plus = family.are_norms_one_plus;
  decoder.has_sinks = family.has_sinks;
  if (family.is_embedding_scaled) {
    decoder.embedding_scale = std::sqrt(static_cast<double>(decoder.hidden_size));
  }
  for (const Setting& setting : family.settings) {
    if (!config.value().contains(setting.key)) {
      decoder.*setting.member = setting.otherwise;
    } else if (config.has(setting.key)) {
      decoder.*setting.member = config.at(setting.key).number();
      if (!(decoder.*setting.member > 0.0)) {
        config.at(setting.key).fail_expected("a number above 0");
      }
    }
  }
  if (family.default_query_scalar > 0) {
    const double scalar = config.has("query_pre_attn_scalar")
                              ? config.at("query_pre_attn_scalar").number()
                              : family.default_query_scalar;
    if (!(scalar > 0.0)) {
      config.at("query_pre_attn_scalar").fail_expected("a number above 0");
    }
    decoder.attention_scale = 1.0 / std::sqrt(scalar);
  }
}

void read_experts(const files::JsonView& config, DecoderConfig& decoder) {
  const ExpertRules* rules = decoder.family->experts;
  if (rules == nullptr) {
    return;
  }
  Experts& experts = decoder.experts;
  // transformers 5 writes it under the second name for all families.
  const std::string_view count_key =
      config.has(rules->count_key) ? rules->count_key : "num_local_experts";
  experts.n = integer_or(config, count_key, 1, limits::kModelDimension, rules->n);
  experts.n_per_token = integer_or(config, "num_experts_per_tok", 1, experts.n, rules->n_per_token);
  experts.intermediate_size =
      integer_or(config, rules->size_key, 1, limits::kModelDimension, rules->intermediate_size);
  experts.norm_topk_prob = !rules->has_norm_switch || config.boolean_or("norm_topk_prob", false);
  experts.swiglu_alpha = rules->swiglu_alpha;
  experts.swiglu_limit = rules->swiglu_limit;
  for (const auto& [key, member] : {std::pair{"swiglu_alpha", &Experts::swiglu_alpha},
                                    std::pair{"swiglu_limit", &Experts::swiglu_limit}}) {
    if (experts.*member > 0.0 && config.has(key)) experts.*member = config.at(key).number();
  }
  const int step = integer_or(config, "decoder_sparse_step", 1, limits::kModelLayers, 1);
  std::vector<bool> dense(static_cast<std::size_t>(decoder.n_layers));
  for (std::size_t i = 0; i < dense.size(); ++i) {
    dense[i] = (i + 1) % static_cast<std::size_t>(step) != 0;
  }
  if (config.has("mlp_only_layers")) {
    for (const files::JsonView& layer : config.at("mlp_only_layers").items()) {
      dense[static_cast<std::size_t>(layer.integer(0, decoder.n_layers - 1))] = true;
    }
  }
  if (std::find(dense.begin(), dense.end(), true) != dense.end()) {
    experts.dense_layers = std::move(dense);
  }
}

}  // namespace labelprobe::weights
