// labelprobe ls KIND: everything that can be named on the command line.
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "labelprobe/core/error.h"
#include "labelprobe/data/dataset.h"
#include "labelprobe/model/locate.h"
#include "labelprobe/prompt/plan.h"
#include "labelprobe/prompt/sampler.h"

#include "command.h"

namespace labelprobe::app {

namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

Rows list_datasets() {
  Rows rows;
  for (const data::DatasetInfo& set : data::datasets()) {
    rows.emplace_back(set.name, std::string(set.summary) + "; " + std::string(set.label_kinds));
  }
  return rows;
}

Rows list_distributions() {
  Rows rows;
  for (const prompt::PlanInfo& plan : prompt::plans()) {
    rows.emplace_back(plan.name, plan.summary);
  }
  return rows;
}

Rows list_samplers() {
  Rows rows;
  for (const prompt::SamplerInfo& sampler : prompt::samplers()) {
    rows.emplace_back(sampler.name, sampler.summary);
  }
  return rows;
}

Rows list_label_modes() {
  return {
      {"random", "as many random labels as a random number says; single-label: one random label"},
      {"distribution", "the labels of a random training example"},
      {"preds", "what an earlier run predicted (--train-pred-log-dir, --test-pred-log-dir)"},
      {"opposite", "the other one of two classes"},
      {"unset", "the gold labels, without any draw (leave the flag out, or _None_)"}};
}

Rows list_formats() {
  return {{"default", "joy, admiration; none for no label"},
          {"json", R"({"label": ["joy", "admiration"]})"},
          {"json-KEY", R"({"KEY": ["joy", "admiration"]})"},
          {"polysyndeton", "the joy and the admiration"}};
}

Rows list_models() {
  Rows rows;
  for (const model::CachedModel& cached : model::cached_models()) {
    rows.emplace_back(cached.name, cached.path.string());
  }
  return rows;
}

struct Kind {
  std::string_view name;
  Rows (*list)();
  std::string_view when_empty;
};

constexpr Kind kKinds[] = {
    {"datasets", list_datasets, ""},
    {"distributions", list_distributions, ""},
    {"samplers", list_samplers, ""},
    {"label-modes", list_label_modes, ""},
    {"formats", list_formats, ""},
    {"models", list_models,
     "no models in the Hugging Face cache; a folder or .gguf file can be named directly (Llama and "
     "Qwen2 families)"},
};

void print(const Rows& rows) {
  std::size_t width = 0;
  for (const auto& [name, text] : rows) {
    width = std::max(width, name.size());
  }
  for (const auto& [name, text] : rows) {
    std::cout << name << std::string(width - name.size() + 2, ' ') << text << '\n';
  }
}

}  // namespace

CommandBody declare_ls(CLI::App& app) {
  const auto kind = std::make_shared<std::string>();
  app.add_option("KIND", *kind, "datasets, distributions, samplers, label-modes, formats or models")
      ->required();
  return [kind] {
    std::vector<std::string> known;
    for (const Kind& entry : kKinds) {
      known.emplace_back(entry.name);
      if (entry.name == *kind) {
        const Rows rows = entry.list();
        print(rows);
        if (rows.empty()) {
          std::cerr << entry.when_empty << '\n';
        }
        return kSuccess;
      }
    }
    throw ConfigError(unknown_choice("kind", *kind, known));
  };
}

}  // namespace labelprobe::app
