#include <array>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/plan.h"

namespace labelprobe::experiment {

extern const Plan kBaseline, kUnary, kBinary, kMultilabelIcl, kVerbalized, kClassify, kAssess;

namespace {

constexpr std::array kPlans = {&kBaseline,   &kUnary,    &kBinary, &kMultilabelIcl,
                               &kVerbalized, &kClassify, &kAssess};

}  // namespace

std::span<const Plan* const> plans() {
  return kPlans;
}

const Plan& find_plan(std::string_view name) {
  std::vector<std::string> known;
  for (const Plan* plan : kPlans) {
    if (plan->name == name) return *plan;
    known.emplace_back(plan->name);
  }
  throw ConfigError(unknown_choice("plan", name, known));
}

const Plan& find_distribution(std::string_view name) {
  std::vector<std::string> known;
  for (const Plan* plan : kPlans) {
    if (!plan->is_distribution) continue;
    if (plan->name == name || (!name.empty() && plan->other_name == name)) return *plan;
    known.emplace_back(plan->name);
  }
  throw ConfigError(unknown_choice("distribution", name, known));
}

}  // namespace labelprobe::experiment
