// The table of families.
#include <algorithm>
#include <array>
#include <set>

#include "labelprobe/core/error.h"

#include "weights/families/family.h"
#include "weights/families/gemma.h"
#include "weights/families/gpt_oss.h"
#include "weights/families/granite.h"
#include "weights/families/llama.h"
#include "weights/families/mistral.h"
#include "weights/families/mixtral.h"
#include "weights/families/olmo.h"
#include "weights/families/phi3.h"
#include "weights/families/qwen2.h"
#include "weights/families/qwen3.h"
#include "weights/families/qwen3_moe.h"
#include "weights/families/smollm3.h"

namespace labelprobe::weights {
namespace {

constexpr std::array kFamilies = {
    kLlama,  kMistral,          kMinistral, kMixtral, kQwen2, kQwen3,   kQwen3Moe, kGemma2,
    kGemma3, kGemma3WithImages, kPhi3,      kOlmo2,   kOlmo3, kGranite, kSmolLm3,  kGptOss,
};

}  // namespace

std::span<const Family> families() {
  return kFamilies;
}

std::string list_families(std::string_view Family::*member) {
  std::string names;
  std::set<std::string_view> listed = {{}};
  for (const Family& family : kFamilies) {
    if (listed.insert(family.*member).second) {
      names.append(names.empty() ? "" : ", ").append(family.*member);
    }
  }
  return names;
}

bool is_in_block(Role role) {
  return role != Role::Embedding && role != Role::FinalNorm && role != Role::Head;
}

bool is_norm(Role role) {
  switch (role) {
    case Role::InputNorm:
    case Role::QueryNorm:
    case Role::KeyNorm:
    case Role::AttentionNorm:
    case Role::MlpNorm:
    case Role::MlpOutputNorm:
    case Role::FinalNorm:
      return true;
    default:
      return false;
  }
}

bool is_of_expert(Role role) {
  return role == Role::ExpertGate || role == Role::ExpertUp || role == Role::ExpertDown;
}

bool has_module(const Family& family, Role role) {
  return std::any_of(family.modules.begin(), family.modules.end(),
                     [&](const Module& module) { return module.role == role; });
}

const Module& module_of(const Family& family, Role role) {
  const auto found = std::find_if(family.modules.begin(), family.modules.end(),
                                  [&](const Module& module) { return module.role == role; });
  LABELPROBE_CHECK(found != family.modules.end());
  return *found;
}

}  // namespace labelprobe::weights
