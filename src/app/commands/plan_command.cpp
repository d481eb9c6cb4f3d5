// labelprobe plan: how long a run takes on a card that need not be here, and what of its memory it
// fills.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/job.h"
#include "labelprobe/files/output_file.h"
#include "labelprobe/model/cost.h"
#include "labelprobe/tokenizer/chat_template.h"
#include "labelprobe/weights/making.h"

#include "app/commands/command.h"
#include "app/commands/jobs.h"
#include "app/commands/plan_report.h"
#include "app/commands/run_listener.h"
#include "app/options/run_options.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

struct PlanArguments {
  RunSettings run;
  std::string tokenizer;
  double disk_rate = 0;  // GB/s
  int n_processes = 1;
  std::string json;
};

std::vector<std::string> card_choices() {
  std::vector<std::string> names;
  for (const model::CardName& card : model::card_names()) names.emplace_back(card.name);
  return names;
}

bool is_shape(const std::string& name) {
  const auto shapes = weights::model_shapes();
  return !fs::exists(name) && std::any_of(shapes.begin(), shapes.end(),
                                          [&](const auto& shape) { return shape.name == name; });
}

// Models whose weights need not be here: shapes have the tokenizer that is named beside them.
class PlannedSource : public experiment::ModelSource {
 public:
  explicit PlannedSource(std::string tokenizer) : tokenizer_(std::move(tokenizer)) {}

  fs::path locate(const std::string& name) const override {
    return is_shape(name) ? fs::path(name) : ModelSource::locate(name);
  }
  // What a run on a card would be told.
  std::string resolve_device(const std::string& card) const override {
    return card == "cpu" ? card : "cuda:0";
  }
  std::shared_ptr<const tokenizer::Tokenizer> load_tokenizer(
      const fs::path& model, const std::string& splitting) const override {
    return ModelSource::load_tokenizer(tokenizer_of(model), splitting);
  }
  std::optional<tokenizer::ChatTemplate> chat_template(const fs::path& model) const override {
    return ModelSource::chat_template(tokenizer_of(model));
  }
  model::ModelInfo inspect(const experiment::ModelLoading& loading) const override {
    const model::OpenOptions& options = loading.options;
    return is_shape(loading.model.string())
               ? model::inspect_shape(loading.model.string(), options.dtype, options.quantization)
               : ModelSource::inspect(loading);
  }

 private:
  fs::path tokenizer_of(const fs::path& model) const {
    if (!tokenizer_.empty()) return tokenizer_;
    if (is_shape(model.string())) {
      throw ConfigError(fmt::format(
          "--tokenizer: {} is a shape without a tokenizer; expected the folder of one that goes "
          "with it",
          model.string()));
    }
    return model;
  }

  std::string tokenizer_;
};

// What is planned, and what for.
struct Planned {
  std::string setting;  // of a grid; else empty
  experiment::PreparedJob job;
  model::Cost cost;
};

void describe(const Planned& planned, int n_processes) {
  const experiment::Preparation& preparation = planned.job.preparation;
  const experiment::TokenCounts& counts = preparation.token_counts;
  const model::ModelInfo& info = planned.job.model_info;
  std::cout << fmt::format(
      "{}{} on {}\n{}, {:.0f} M parameters, {}; {} items, {} prompt tokens, {} of them distinct; "
      "at most {} new tokens each{}\n\n",
      planned.setting.empty() ? "" : planned.setting + ": ", planned.job.job.model.name,
      planned.cost.card, info.architecture, static_cast<double>(info.n_parameters) / 1e6,
      experiment::describe_numerics(info.quantization, info.dtype),
      preparation.questions.queries.size(), counts.n_prompt_tokens, counts.n_distinct_tokens,
      planned.job.job.settings.max_new_tokens,
      preparation.n_readout_tokens == 0
          ? ""
          : fmt::format(", about {} of readouts", preparation.n_readout_tokens));
  describe_cost(std::cout, planned.cost);
  describe_shares(std::cout, planned.job, n_processes);
  if (n_processes > 1) {
    std::cout << "time and memory are the first process's; what they send one another takes time "
                 "that is not told\n";
  }
}

nlohmann::ordered_json as_json(const Planned& planned) {
  const model::Cost& cost = planned.cost;
  nlohmann::ordered_json object = {
      {"setting", planned.setting},
      {"model", planned.job.job.model.name},
      {"card", planned.job.job.model.options.device},
      {"dtype", weights::dtype_name(planned.job.model_info.dtype)},
      {"quantization", weights::quantization_name(planned.job.model_info.quantization)},
      {"items", planned.job.preparation.questions.queries.size()},
      {"prompt_tokens", planned.job.preparation.token_counts.n_prompt_tokens},
      {"distinct_tokens", planned.job.preparation.token_counts.n_distinct_tokens},
      {"readout_tokens_per_prompt", planned.job.preparation.n_readout_tokens},
      {"load_seconds", cost.load_seconds},
      {"run_seconds", cost.run_seconds},
      {"memory_bytes", cost.memory_bytes},
      {"advice", cost.advice}};
  for (const model::CostLine& line : cost.lines) {
    object["lines"].push_back({{"phase", line.phase},
                               {"work", line.work},
                               {"rows", line.n_rows},
                               {"flop", line.flop},
                               {"bytes", line.bytes},
                               {"launches", line.n_launches},
                               {"seconds", line.seconds},
                               {"bound", line.bound}});
  }
  for (const model::AttentionItems& items : cost.attention) {
    object["attention"].push_back(
        {{"size", items.size}, {"items", items.n_items}, {"keys", items.n_keys}});
  }
  for (const model::MemoryLine& line : cost.memory) {
    object["memory"].push_back({{"what", line.what}, {"bytes", line.bytes}});
  }
  return object;
}

Planned plan(const experiment::GridJob& grid_job,
             double disk_rate,
             int n_processes,
             experiment::Workbench& workbench) {
  Planned planned{grid_job.name, experiment::prepare(grid_job.job, workbench), {}};
  for (const std::string& warning : planned.job.warnings) {
    std::cerr << "warning: " << warning << '\n';
  }
  planned.cost = cost_of(planned.job, disk_rate, n_processes);
  return planned;
}

int run(std::vector<GridSetting<PlanArguments>> given) {
  std::vector<GridSetting<RunSettings>> settings;
  for (const GridSetting<PlanArguments>& one : given) {
    if (one.mistake) std::rethrow_exception(one.mistake);
    if (one.settings.run.shard) {
      throw ConfigError(
          "--shard: plan tells of whole runs; labelprobe run --dry-run tells what each shard has");
    }
    GridSetting<RunSettings>& setting = settings.emplace_back();
    setting.settings = one.settings.run;
    setting.params = one.params;
    setting.idle = one.idle;
  }
  const PlanArguments& first = given.front().settings;
  experiment::Workbench workbench(show_encoding, std::make_unique<PlannedSource>(first.tokenizer));
  std::optional<files::OutputFile> file;
  if (!first.json.empty()) file.emplace(first.json);
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  double run_seconds = 0;
  for (const experiment::GridJob& job : make_jobs(settings)) {
    const Planned planned = plan(job, first.disk_rate * 1e9, first.n_processes, workbench);
    run_seconds += planned.cost.run_seconds;
    all.push_back(as_json(planned));
    if (file && file->is_standard_output()) continue;
    if (all.size() > 1) std::cout << '\n';
    describe(planned, first.n_processes);
  }
  if (file) {
    file->stream() << all.dump(1) << '\n';
    file->finish();
  }
  if (settings.size() > 1 && !(file && file->is_standard_output())) {
    std::cout << fmt::format("\nall {} settings: run {:.2f} s\n", settings.size(), run_seconds);
  }
  return kSuccess;
}

void declare_arguments(OptionList& options, PlanArguments& arguments) {
  options.begin_group("Plan");
  options.add(arguments.tokenizer,
              {.name = "tokenizer",
               .help = "Folder of a tokenizer, where --model-name-or-path is the name of a shape "
                       "(see: labelprobe ls shapes)",
               .shown = Shown::First,
               .value = "FOLDER",
               .is_logged = false,
               .is_of_grid = true});
  options.add(arguments.disk_rate, {.name = "disk_rate",
                                    .help = "GB of weights that are read in a second",
                                    .fallback = "2",
                                    .value = "GB",
                                    .is_logged = false,
                                    .is_of_grid = true});
  options.add(arguments.n_processes,
              {.name = "tensor_parallel",
               .help = "Processes that compute the model together, each with a card of its own",
               .fallback = "1",
               .value = "N",
               .is_logged = false,
               .is_of_grid = true});
  options.add(arguments.json, {.name = "json",
                               .help = "File to write all numbers to; - = standard output, in "
                                       "place of the tables",
                               .shown = Shown::First,
                               .value = "FILE",
                               .is_logged = false,
                               .is_of_grid = true});
  declare_run(options, arguments.run, kRunName);
  options.afterwards([&] {
    const std::string& card = arguments.run.model.options.device;
    const std::string place = options.place(arguments.run.model.options.device);
    const std::vector<std::string> known = card_choices();
    if (!model::is_card(card) && std::find(known.begin(), known.end(), card) == known.end()) {
      throw ConfigError(place + ": " + unknown_choice("card", card, known));
    }
    if (arguments.n_processes < 1) {
      throw ConfigError(fmt::format("{}: expected 1 or more processes, found {}",
                                    options.place(arguments.n_processes), arguments.n_processes));
    }
    if (!(arguments.disk_rate > 0)) {
      throw ConfigError(fmt::format("{}: expected more than 0 GB a second, found {}",
                                    options.place(arguments.disk_rate), arguments.disk_rate));
    }
  });
}

}  // namespace

Command plan_command() {
  return make_grid_command<PlanArguments>(
      {CommandGroup::Ask, "plan",
       "Tell how long a run takes on a card that need not be here, and what memory",
       "labelprobe plan GoEmotions --config configs/example/config.yaml --model-name-or-path "
       "MODEL --device h200"},
      declare_arguments, run);
}

}  // namespace labelprobe::app
