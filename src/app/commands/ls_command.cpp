// labelprobe ls KIND: everything that can be named on the command line.
#include <array>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "labelprobe/core/error.h"
#include "labelprobe/data/dataset.h"
#include "labelprobe/prompt/plan.h"
#include "labelprobe/prompt/sampler.h"
#include "labelprobe/weights/locate.h"
#include "labelprobe/weights/random_checkpoint.h"

#include "app/commands/command.h"

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
  for (const weights::CachedModel& cached : weights::cached_models()) {
    rows.emplace_back(cached.name, cached.path.string());
  }
  return rows;
}

double gigabytes_of(const weights::ModelShape& shape, weights::Quantization quantization) {
  weights::RandomCheckpointOptions options;
  options.shape = shape.name;
  options.quantization = quantization;
  std::size_t n_bytes = 0;
  for (const weights::WeightPart& part : weights::plan_random_checkpoint(options).parts) {
    n_bytes += part.bytes;
  }
  return static_cast<double>(n_bytes) / 1e9;
}

Rows list_shapes() {
  Rows rows;
  for (const weights::ModelShape& shape : weights::model_shapes()) {
    std::array<char, 128> sizes{};
    std::snprintf(sizes.data(), sizes.size(),
                  "%7.3f billion parameters; %6.2f GB in bfloat16, %5.2f GB in FP4  ",
                  static_cast<double>(shape.n_parameters) / 1e9,
                  gigabytes_of(shape, weights::Quantization::None),
                  gigabytes_of(shape, weights::Quantization::Fp4));
    rows.emplace_back(shape.name, sizes.data() + std::string(shape.description));
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
    {"shapes", list_shapes, ""},
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
  app.add_option("KIND", *kind,
                 "datasets, distributions, samplers, label-modes, formats, models or shapes")
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
