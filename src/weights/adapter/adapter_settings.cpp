#include "weights/adapter/adapter_settings.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "labelprobe/core/error_kind.h"
#include "labelprobe/files/json.h"

namespace labelprobe::weights {
namespace {

// Keys that change no number of a finished plain LoRA, or that are read below. All others must say
// nothing.
constexpr std::array<std::string_view, 27> kKnownKeys = {"alpha_pattern",
                                                         "auto_mapping",
                                                         "base_model_name_or_path",
                                                         "bias",
                                                         "corda_config",
                                                         "ensure_weight_tying",
                                                         "eva_config",
                                                         "exclude_modules",
                                                         "fan_in_fan_out",
                                                         "inference_mode",
                                                         "init_lora_weights",
                                                         "layers_pattern",
                                                         "layers_to_transform",
                                                         "loftq_config",
                                                         "lora_alpha",
                                                         "lora_dropout",
                                                         "megatron_core",
                                                         "peft_type",
                                                         "peft_version",
                                                         "qalora_group_size",
                                                         "r",
                                                         "rank_pattern",
                                                         "revision",
                                                         "runtime_config",
                                                         "target_modules",
                                                         "task_type",
                                                         "use_rslora"};

bool says_nothing(const nlohmann::json& value) {
  return value.is_null() || value == false || (value.is_structured() && value.empty());
}

// Refuses what would change numbers in ways that are not computed here.
void check_settings(const files::JsonView& config) {
  if (config.at("peft_type").string() != "LORA") config.at("peft_type").fail_expected("\"LORA\"");
  for (const auto& [key, value] : config.members()) {
    const bool is_known = std::find(kKnownKeys.begin(), kKnownKeys.end(), key) != kKnownKeys.end();
    if (!is_known && !says_nothing(value.value())) {
      value.fail_expected("nothing (null, false or empty), as only plain LoRA is computed");
    }
  }
  for (const char* key : {"alpha_pattern", "rank_pattern"}) {
    if (config.has(key) && !says_nothing(config.at(key).value()))
      config.at(key).fail_expected("no pattern");
  }
  if (config.has("bias") && config.at("bias").string() != "none")
    config.at("bias").fail_expected("\"none\"");
  if (config.boolean_or("fan_in_fan_out", false))
    config.at("fan_in_fan_out").fail_expected("false");
  const files::JsonView start = config.find("init_lora_weights");
  for (const std::string_view changes_base : {"pissa", "olora", "corda", "loftq"}) {
    if (start.value().is_string() && start.string().starts_with(changes_base)) {
      start.fail_expected("a way that leaves the base as it is");
    }
  }
}

}  // namespace

AdapterSettings read_adapter_settings(const std::filesystem::path& folder) {
  const files::JsonView settings =
      files::load_json_object(folder / kAdapterConfigFile, ErrorKind::Model);
  check_settings(settings);
  return {settings.at("lora_alpha").number(), settings.boolean_or("use_rslora", false)};
}

}  // namespace labelprobe::weights
