// labelprobe ls KIND: everything that can be named on the command line.
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/analysis/calibration.h"
#include "labelprobe/analysis/estimators.h"
#include "labelprobe/analysis/figures.h"
#include "labelprobe/analysis/metrics.h"
#include "labelprobe/core/error.h"
#include "labelprobe/data/dataset.h"
#include "labelprobe/experiment/plan.h"
#include "labelprobe/files/text_table.h"
#include "labelprobe/model/cost.h"
#include "labelprobe/prompt/guard.h"
#include "labelprobe/prompt/sampler.h"
#include "labelprobe/readout/readouts.h"
#include "labelprobe/record/log_fields.h"
#include "labelprobe/weights/locate.h"
#include "labelprobe/weights/making.h"

#include "app/commands/command.h"

namespace labelprobe::app {

namespace {

// Each a name, what it is, and numbers of it in between.
using Rows = std::vector<std::vector<std::string>>;

void add(Rows& rows, std::string_view name, std::string_view text) {
  rows.push_back({std::string(name), std::string(text)});
}

Rows list_datasets() {
  Rows rows;
  for (const data::DatasetInfo& set : data::datasets()) {
    add(rows, set.name, fmt::format("{}; {}", set.summary, set.label_kinds));
  }
  return rows;
}

Rows list_distributions() {
  Rows rows;
  for (const experiment::Plan* plan : experiment::plans()) {
    if (plan->is_distribution) add(rows, plan->name, plan->summary);
  }
  return rows;
}

Rows list_estimators() {
  Rows rows;
  for (const analysis::Estimator& estimator : analysis::estimators()) {
    add(rows, estimator.name, estimator.summary);
  }
  return rows;
}

Rows list_readouts() {
  Rows rows;
  for (const readout::Readout& readout : readout::readouts()) {
    add(rows, readout.name, fmt::format("{}; computes {}", readout.summary, readout.needs));
  }
  return rows;
}

Rows list_guards() {
  Rows rows;
  for (const prompt::GuardInfo& guard : prompt::guards()) {
    add(rows, guard.name, fmt::format("{}: {} categories", guard.title, guard.n_categories));
  }
  return rows;
}

Rows list_calibrators() {
  Rows rows;
  for (const analysis::Calibrator& calibrator : analysis::calibrators()) {
    add(rows, calibrator.name, fmt::format("{}: {}", calibrator.title, calibrator.summary));
  }
  return rows;
}

Rows list_metrics() {
  Rows rows;
  for (const analysis::Metric& metric : analysis::metrics()) {
    add(rows, metric.name,
        fmt::format("{}: {}{}", metric.title, metric.summary,
                    metric.of_example ? "" : " (align --per-label)"));
  }
  return rows;
}

Rows list_figures() {
  Rows rows;
  for (const analysis::Figure& figure : analysis::figures()) {
    add(rows, figure.name, fmt::format("{}: {}", figure.paper, figure.summary));
  }
  return rows;
}

Rows list_samplers() {
  Rows rows;
  for (const prompt::SamplerInfo& sampler : prompt::samplers()) {
    add(rows, sampler.name, sampler.summary);
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
    add(rows, cached.name, cached.path.string());
  }
  return rows;
}

Rows list_families() {
  Rows rows;
  for (const weights::ModelFamily& family : weights::model_families()) {
    add(rows, family.name,
        fmt::format("models whose config.json says {}, and their GGUF files", family.architecture));
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

Rows list_cards() {
  Rows rows;
  for (const model::CardName& card : model::card_names()) add(rows, card.name, card.title);
  return rows;
}

Rows list_shapes() {
  Rows rows;
  for (const weights::ModelShape& shape : weights::model_shapes()) {
    rows.push_back(
        {std::string(shape.name),
         fmt::format("{:.3f} billion parameters;", static_cast<double>(shape.n_parameters) / 1e9),
         fmt::format("{:.2f} GB in bfloat16,", gigabytes_of(shape, weights::Quantization::None)),
         fmt::format("{:.2f} GB in FP4", gigabytes_of(shape, weights::Quantization::Fp4)),
         std::string(shape.description)});
  }
  return rows;
}

struct LsFlags {
  std::string kind;
  bool shows_all = false;
};

// What can be read of the default and of who else takes the option.
std::string describe_option(const Option& option) {
  std::string text = option.info.help;
  if (!option.info.fallback.empty()) {
    text += fmt::format(" (default: {})", option.info.fallback);
  }
  return option.info.is_required ? text + " (required)" : text;
}

// Every option once, behind the commands that take it.
Rows list_options(const LsFlags& flags) {
  Rows rows;
  for (const Command& command : commands()) {
    const Command::Declared declared = command.declare();
    for (const Option& option : declared.options.options()) {
      if (flags.shows_all || option.info.shown != Shown::Never) {
        add(rows, fmt::format("{} {}", command.text.name, option.flag()), describe_option(option));
      }
    }
  }
  return rows;
}

Rows list_fields() {
  Rows rows;
  for (const record::LogField& field : record::log_fields()) {
    add(rows, field.name, field.summary);
  }
  return rows;
}

struct Kind {
  std::string_view name;
  Rows (*list)(const LsFlags& flags);
  std::string_view when_empty;
};

template <Rows (*list)()>
Rows plain(const LsFlags&) {
  return list();
}

constexpr Kind kKinds[] = {
    {"datasets", plain<list_datasets>, ""},
    {"distributions", plain<list_distributions>, ""},
    {"estimators", plain<list_estimators>, ""},
    {"readouts", plain<list_readouts>, ""},
    {"guards", plain<list_guards>, ""},
    {"calibrators", plain<list_calibrators>, ""},
    {"metrics", plain<list_metrics>, ""},
    {"figures", plain<list_figures>, ""},
    {"samplers", plain<list_samplers>, ""},
    {"label-modes", plain<list_label_modes>, ""},
    {"formats", plain<list_formats>, ""},
    {"models", plain<list_models>,
     "no models in the Hugging Face cache; a folder or .gguf file can be named directly (of the "
     "families that `labelprobe ls families` lists)"},
    {"families", plain<list_families>, ""},
    {"shapes", plain<list_shapes>, ""},
    {"cards", plain<list_cards>, ""},
    {"fields", plain<list_fields>, ""},
    {"options", list_options, ""},
};

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const Kind& kind : kKinds) {
    names.emplace_back(kind.name);
  }
  return names;
}

void print(Rows rows) {
  if (rows.empty()) return;
  files::TextTable table;
  table.columns.resize(rows.front().size());
  table.columns.front().align = table.columns.back().align = files::Align::Left;
  table.rows = std::move(rows);
  files::write_terminal(std::cout, table, {.empty = "", .has_header = false});
}

void declare_flags(OptionList& options, LsFlags& flags) {
  const std::vector<std::string> kinds = kind_names();
  options.add(flags.kind, {.name = "KIND",
                           .help = fmt::format("{}", fmt::join(kinds, ", ")),
                           .is_required = true,
                           .shown = Shown::First,
                           .choices = kinds});
  options.make_operand();
  options.begin_group("Lists");
  options.add(flags.shows_all,
              {.name = "all",
               .help = "options: those too that are accepted for compatibility only",
               .shown = Shown::First});
}

int ls(const LsFlags& flags) {
  for (const Kind& kind : kKinds) {
    if (kind.name == flags.kind) {
      Rows rows = kind.list(flags);
      if (rows.empty()) {
        std::cerr << kind.when_empty << '\n';
      }
      print(std::move(rows));
      return kSuccess;
    }
  }
  throw ConfigError(unknown_choice("kind", flags.kind, kind_names()));
}

}  // namespace

Command ls_command() {
  return make_command<LsFlags>(
      {CommandGroup::Look, "ls",
       "List what the program knows: data sets, distributions, samplers, models, options, ...",
       "labelprobe ls datasets"},
      declare_flags, ls);
}

}  // namespace labelprobe::app
