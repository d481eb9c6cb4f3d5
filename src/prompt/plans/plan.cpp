#include "labelprobe/prompt/plan.h"

#include <array>

#include "labelprobe/core/error.h"

#include "prompt/plans/builders.h"

namespace labelprobe::prompt {

namespace {

// Every published distribution, in the order --help shows them.
struct Entry {
  Plan plan;
  std::string_view name;
  std::string_view summary;
};

constexpr std::array kPlans = {
    Entry{Plan::Baseline, "baseline",
          "one completion prompt per example: instruction, demonstrations, query"},
    Entry{Plan::Unary, "unary", "one prompt per example and label: is the label reasonable?"},
    Entry{Plan::Binary, "binary", "one prompt per example and pair of labels: which is better?"},
    Entry{Plan::MultilabelIcl, "multilabel_ICL",
          "six baseline prompts per example, with 0, 1/5, ... 1 of the demonstrations having "
          "several labels"},
};

// How the published README spells it.
constexpr std::string_view kMultilabelIclSpelling = "multilabel_icl";

void check_chat(Plan plan, const Templates& templates) {
  if (plan != Plan::Baseline && plan != Plan::MultilabelIcl) {
    throw ConfigError(
        "prompt mode chat: expected the distribution baseline or multilabel_ICL, found one whose "
        "prompts are not made of a user and an assistant template; use prompt mode completion");
  }
  const auto expect = [](std::string_view name, std::string_view placeholder,
                         const std::string& text) {
    if (text.find(placeholder) == std::string::npos) {
      throw ConfigError(std::string(name) + " template: expected the placeholder " +
                        std::string(placeholder) + ", found none in '" + text + "'");
    }
  };
  expect("user", "{text}", templates.user);
  expect("assistant", "{label}", templates.assistant);
}

}  // namespace

std::vector<PlanInfo> plans() {
  std::vector<PlanInfo> infos;
  for (const Entry& entry : kPlans) {
    infos.push_back({entry.plan, std::string(entry.name), std::string(entry.summary)});
  }
  return infos;
}

Plan parse_plan(std::string_view name) {
  if (name == kMultilabelIclSpelling) {
    return Plan::MultilabelIcl;
  }
  std::vector<std::string> known;
  for (const Entry& entry : kPlans) {
    if (name == entry.name) {
      return entry.plan;
    }
    known.emplace_back(entry.name);
  }
  throw ConfigError(unknown_choice("distribution", name, known));
}

std::vector<std::string> answer_words(Plan plan, const PairOptions& pair) {
  switch (plan) {
    case Plan::Unary:
      return {"reasonable", "unreasonable"};
    case Plan::Binary:
      return {"a", "b"};
    case Plan::Pair:
      return pair.yes_no ? std::vector<std::string>{"no", "yes"}
                         : std::vector<std::string>{"unreasonable", "reasonable"};
    case Plan::Baseline:
    case Plan::MultilabelIcl:
      break;
  }
  return {};
}

std::vector<Query> make_queries(Plan plan,
                                std::span<const Example> train,
                                std::span<const Example> queries,
                                const LabelSet& label_set,
                                const PlanOptions& options) {
  const Task task{train, queries, label_set, options};
  if (options.mode == PromptMode::Chat) {
    check_chat(plan, options.templates);
  }
  switch (plan) {
    case Plan::Baseline:
      return make_baseline(task);
    case Plan::Unary:
      return make_unary(task);
    case Plan::Binary:
      return make_binary(task);
    case Plan::MultilabelIcl:
      return make_multilabel_icl(task);
    case Plan::Pair:
      return make_pair(task);
  }
  throw InternalError("a plan that make_queries does not know");
}

}  // namespace labelprobe::prompt
