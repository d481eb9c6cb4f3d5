// The table of families.
#include <algorithm>
#include <array>

#include "labelprobe/core/error.h"

#include "weights/families/family.h"
#include "weights/families/llama.h"
#include "weights/families/mistral.h"
#include "weights/families/qwen2.h"

namespace labelprobe::weights {
namespace {

constexpr std::array kFamilies = {
    kLlama,
    kMistral,
    kQwen2,
};

}  // namespace

std::span<const Family> families() {
  return kFamilies;
}

std::string list_families(std::string_view Family::*member) {
  std::string names;
  for (const Family& family : kFamilies) {
    if (!(family.*member).empty()) {
      names.append(names.empty() ? "" : ", ").append(family.*member);
    }
  }
  return names;
}

bool is_in_block(Role role) {
  return role != Role::Embedding && role != Role::FinalNorm && role != Role::Head;
}

const Module& module_of(const Family& family, Role role) {
  const auto found = std::find_if(family.modules.begin(), family.modules.end(),
                                  [&](const Module& module) { return module.role == role; });
  LABELPROBE_CHECK(found != family.modules.end());
  return *found;
}

}  // namespace labelprobe::weights
