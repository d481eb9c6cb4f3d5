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
#include "labelprobe/files/text_table.h"
#include "labelprobe/model/cost.h"
#include "labelprobe/tokenizer/chat_template.h"
#include "labelprobe/weights/making.h"

#include "app/commands/command.h"
#include "app/commands/jobs.h"
#include "app/commands/run_listener.h"
#include "app/options/run_options.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

struct Arguments {
  RunSettings run;
  std::string tokenizer;
  double disk_rate = 0;  // GB/s
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
  std::optional<std::string> chat_template(const fs::path& model) const override {
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

// "1,234,567"
std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<std::int64_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

std::string unless_zero(double number, double unit, int n_decimals) {
  return number == 0 ? "" : fmt::format("{:.{}f}", number / unit, n_decimals);
}

std::string gigabytes(double bytes) {
  return fmt::format("{:.2f}", bytes / 1e9);
}

// What is planned, and what for.
struct Planned {
  std::string setting;  // of a grid; else empty
  experiment::PreparedJob job;
  std::size_t n_prompts = 0;
  model::Cost cost;
};

void describe_lines(const model::Cost& cost) {
  files::TextTable table;
  table.columns = {{"phase", files::Align::Left},
                   {"work", files::Align::Left},
                   {"rows"},
                   {"TFLOP"},
                   {"GB"},
                   {"launches"},
                   {"seconds"},
                   {"bound by", files::Align::Left}};
  for (const model::CostLine& line : cost.lines) {
    table.rows.push_back({line.phase, line.work, line.n_rows == 0 ? "" : grouped(line.n_rows),
                          unless_zero(line.flop, 1e12, 2), unless_zero(line.bytes, 1e9, 1),
                          line.n_launches == 0 ? "" : grouped(line.n_launches),
                          fmt::format("{:.3f}", line.seconds), line.bound});
  }
  files::write_terminal(std::cout, table, {.empty = ""});
  std::cout << fmt::format("\nload {:.1f} s, run {:.2f} s, {:.1f} s in all\n", cost.load_seconds,
                           cost.run_seconds, cost.load_seconds + cost.run_seconds);
}

void describe_attention(const model::Cost& cost) {
  files::TextTable table;
  table.columns = {
      {"blocks of attention", files::Align::Left}, {"of a layer and key head"}, {"keys of each"}};
  for (const model::AttentionItems& items : cost.attention) {
    if (items.n_items == 0) continue;
    table.rows.push_back(
        {std::string(items.size), grouped(items.n_items), grouped(items.n_keys / items.n_items)});
  }
  if (table.rows.empty()) return;
  std::cout << '\n';
  files::write_terminal(std::cout, table);
}

void describe_memory(const model::Cost& cost) {
  files::TextTable table;
  table.columns = {{"memory", files::Align::Left}, {"GB"}};
  double sum = 0;
  for (const model::MemoryLine& line : cost.memory) {
    table.rows.push_back({line.what, gigabytes(line.bytes)});
    sum += line.bytes;
  }
  table.rows.push_back({"all", gigabytes(sum)});
  if (cost.memory_bytes > 0) {
    table.rows.push_back({"there is", gigabytes(cost.memory_bytes)});
    table.rows.push_back({sum > cost.memory_bytes ? "too much by" : "left",
                          gigabytes(std::abs(cost.memory_bytes - sum))});
  }
  std::cout << '\n';
  files::write_terminal(std::cout, table);
  if (!cost.advice.empty()) std::cout << cost.advice << '\n';
}

void describe(const Planned& planned) {
  const experiment::Preparation& preparation = planned.job.preparation;
  const model::ModelInfo& info = planned.job.model_info;
  std::cout << fmt::format(
      "{}{} on {}\n{}, {:.0f} M parameters, {}; {} items, {} prompts of {} tokens, {} of them "
      "distinct; at most {} new tokens each\n\n",
      planned.setting.empty() ? "" : planned.setting + ": ", planned.job.job.model.name,
      planned.cost.card, info.architecture, static_cast<double>(info.n_parameters) / 1e6,
      experiment::describe_numerics(info.quantization, info.dtype),
      preparation.questions.queries.size(), planned.n_prompts,
      grouped(preparation.token_counts.n_prompt_tokens),
      grouped(preparation.token_counts.n_distinct_tokens), planned.job.job.settings.max_new_tokens);
  describe_lines(planned.cost);
  describe_attention(planned.cost);
  describe_memory(planned.cost);
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
      {"prompts", planned.n_prompts},
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
             experiment::Workbench& workbench) {
  Planned planned{grid_job.name, experiment::prepare(grid_job.job, workbench), 0, {}};
  const experiment::ModelLoading& loading = planned.job.job.model;
  for (const std::string& warning : planned.job.warnings) {
    std::cerr << "warning: " << warning << '\n';
  }
  const experiment::ModelRequest asked = experiment::make_model_request(
      planned.job.model_info, planned.job.job.settings, planned.job.preparation);
  planned.n_prompts = asked.prompts.size();
  planned.cost = model::estimate_cost({loading.model.string(), loading.options, disk_rate,
                                       planned.job.preparation.questions.queries.size()},
                                      asked.prompts, asked.options);
  return planned;
}

int run(std::vector<GridSetting<Arguments>> given) {
  std::vector<GridSetting<RunSettings>> settings;
  for (const GridSetting<Arguments>& one : given) {
    if (one.mistake) std::rethrow_exception(one.mistake);
    GridSetting<RunSettings>& setting = settings.emplace_back();
    setting.settings = one.settings.run;
    setting.params = one.params;
    setting.idle = one.idle;
  }
  const Arguments& first = given.front().settings;
  experiment::Workbench workbench(show_encoding, std::make_unique<PlannedSource>(first.tokenizer));
  std::optional<files::OutputFile> file;
  if (!first.json.empty()) file.emplace(first.json);
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  double run_seconds = 0;
  for (const experiment::GridJob& job : make_jobs(settings)) {
    const Planned planned = plan(job, first.disk_rate * 1e9, workbench);
    run_seconds += planned.cost.run_seconds;
    all.push_back(as_json(planned));
    if (file && file->is_standard_output()) continue;
    if (all.size() > 1) std::cout << '\n';
    describe(planned);
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

void declare_arguments(OptionList& options, Arguments& arguments) {
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
    if (std::find(known.begin(), known.end(), card) == known.end()) {
      throw ConfigError(place + ": " + unknown_choice("card", card, known));
    }
    if (!(arguments.disk_rate > 0)) {
      throw ConfigError(fmt::format("{}: expected more than 0 GB a second, found {}",
                                    options.place(arguments.disk_rate), arguments.disk_rate));
    }
  });
}

}  // namespace

Command plan_command() {
  return make_grid_command<Arguments>(
      {CommandGroup::Ask, "plan",
       "Tell how long a run takes on a card that need not be here, and what memory",
       "labelprobe plan GoEmotions --config configs/example/config.yaml --model-name-or-path "
       "MODEL --device h200"},
      declare_arguments, run);
}

}  // namespace labelprobe::app
