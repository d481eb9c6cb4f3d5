// labelprobe run: the whole way from a data set to indexed_metrics.yml.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/run.h"
#include "labelprobe/model/locate.h"

#include "command.h"
#include "dry_run.h"
#include "progress.h"
#include "run_settings.h"

namespace labelprobe::app {

namespace {

spdlog::level::level_enum logging_level(const Options& options) {
  const std::string name = options.text("logging_level");
  const std::string known[] = {"debug", "info", "warning", "error"};
  if (std::find(std::begin(known), std::end(known), name) == std::end(known)) {
    throw ConfigError(options.place("logging_level") + ": " +
                      unknown_choice("logging level", name, known));
  }
  return spdlog::level::from_str(name);
}

// Messages go to the terminal at the asked level, and all of them to log.txt in the run's folder.
std::shared_ptr<spdlog::logger> make_logger(spdlog::level::level_enum level) {
  auto terminal = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  terminal->set_level(level);
  terminal->set_pattern("%^%l%$: %v");
  auto logger = std::make_shared<spdlog::logger>("labelprobe", std::move(terminal));
  logger->set_level(spdlog::level::debug);
  return logger;
}

void add_log_file(spdlog::logger& logger, const std::filesystem::path& folder) {
  auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>((folder / "log.txt").string());
  file->set_pattern("%Y-%m-%d %H:%M:%S %l %v");
  file->set_level(spdlog::level::debug);
  logger.sinks().push_back(std::move(file));
  logger.flush_on(spdlog::level::debug);
}

// What the results depend on, as logged: the options, then the program, the model and the
// tokenizer.
record::RunRequest make_request(const std::string& task,
                                const Options& options,
                                const experiment::Preparation& preparation,
                                const tokenizer::Tokenizer& tokenizer,
                                const model::ModelInfo& model,
                                const std::string& device) {
  record::RunRequest request;
  request.log_root = options.text("log_root");
  request.category = task;
  request.alternative_name = options.text("alternative_experiment_name");
  request.description = options.text("description");
  for (record::Param& param : options.params()) {
    if (param.name != "dry_run") {
      request.params.push_back(std::move(param));
    }
  }
  // Parameters of the published programs that this kind of run does not have, kept for the folder's
  // name.
  for (const auto& [name, priority] :
       {std::pair{"label_mode", 1}, {"query_label_mode", 1}, {"word_embeddings_model", 0}}) {
    request.params.push_back({name, {}, true, priority});
  }
  for (const auto& [name, value] : {std::pair{"program_version", std::string(LABELPROBE_VERSION)},
                                    {"model_fingerprint", model.fingerprint},
                                    {"tokenizer_fingerprint", tokenizer.fingerprint()},
                                    {"resolved_device", device}}) {
    request.params.push_back({name, value, false, {}});
  }
  request.contents_fingerprint = std::string(LABELPROBE_VERSION) + " model " + model.fingerprint +
                                 " tokenizer " + tokenizer.fingerprint() + " prompts " +
                                 preparation.contents_fingerprint + " device " + device;
  return request;
}

// A dry run may be made where the run itself will not be, say beside a GPU cluster.
std::string resolve_device(const std::string& asked, bool is_dry_run, spdlog::logger& log) {
  try {
    return model::resolve_device(asked);
  } catch (const ConfigError& error) {
    if (!is_dry_run) {
      throw;
    }
    log.warn("{}", error.what());
    return asked;
  }
}

void log_outcome(spdlog::logger& log, const experiment::Outcome& outcome, double seconds) {
  log.info("{} items in {:.1f} s{}; {} of {} prompt tokens computed, {} tokens generated",
           outcome.n_items, seconds,
           outcome.n_resumed > 0 ? fmt::format(" ({} of them taken over)", outcome.n_resumed) : "",
           outcome.effort.n_prompt_tokens_computed, outcome.effort.n_prompt_tokens,
           outcome.effort.n_generated_tokens);
  if (outcome.effort.n_batches_halved > 0) {
    log.warn("memory ran short {} times; those batches were run again in halves",
             outcome.effort.n_batches_halved);
  }
  if (outcome.n_without_label > 0) {
    log.warn(
        "{} of {} answers name no label: their scores are the uniform fallback, test_label_found "
        "is false",
        outcome.n_without_label, outcome.n_items);
  }
  for (const char* name : {"micro_f1", "macro_f1", "jaccard_score"}) {
    if (const auto found = outcome.metrics.find(name); found != outcome.metrics.end()) {
      log.info("{} {:.4f}", name, found->second);
    }
  }
  if (outcome.n_failed > 0) {
    log.error("{} of {} items failed; each entry says why under test_failure", outcome.n_failed,
              outcome.n_items);
  }
}

int run(const std::string& task, Options& options) {
  std::cerr << "labelprobe " LABELPROBE_VERSION ": " << task << std::endl;
  options.resolve();
  const auto logger = make_logger(logging_level(options));
  spdlog::logger& log = *logger;
  experiment::Settings settings = make_settings(task, options);
  add_model_settings(options, settings);
  const model::OpenOptions open_options = make_open_options(options);
  if (!options.is_set("model_name_or_path")) {
    throw ConfigError(
        "--model-name-or-path is required: a folder, a .gguf file or a name in the Hugging Face "
        "cache");
  }
  const std::filesystem::path model_path = model::locate(options.text("model_name_or_path"));
  const model::ModelInfo model_info = model::inspect(model_path, open_options.dtype);
  const std::string device = resolve_device(open_options.device, options.boolean("dry_run"), log);
  const auto tokenizer = tokenizer::load(model_path);
  const experiment::Preparation preparation = experiment::prepare(settings, *tokenizer);
  for (const std::string& warning : preparation.warnings) {
    log.warn("{}", warning);
  }
  const record::RunRequest request =
      make_request(task, options, preparation, *tokenizer, model_info, device);
  if (options.boolean("dry_run")) {
    describe_dry_run(std::cout, settings, preparation, *tokenizer, model_info, request);
    return kSuccess;
  }

  record::Run files = record::Run::open(request);
  add_log_file(log, files.folder());
  for (const std::string& note : files.notes()) {
    log.info("{}", note);
  }
  for (const record::Param& param : request.params) {
    log.debug("option {} = {}", param.name, describe(param.value));
  }
  log.debug("contents: {}", request.contents_fingerprint);
  log.info("log folder {}, experiment_{}", files.folder().string(), files.experiment_index());

  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const auto open_model = [&] {
    auto opened = model::open(model_path, open_options);
    const model::ModelInfo& info = opened->info();
    log.info("{} with {:.0f} M parameters loaded in {:.1f} s: {} on {} ({}; {})", info.architecture,
             static_cast<double>(info.n_parameters) / 1e6, seconds(), model::dtype_name(info.dtype),
             info.device, info.device_name, info.backend);
    return opened;
  };
  ProgressLine progress(!options.boolean("disable_tqdm"));
  const experiment::Outcome outcome =
      experiment::run(settings, preparation, *tokenizer, open_model, files,
                      [&](const experiment::Progress& now) { progress.show(now); });
  progress.close();
  log_outcome(log, outcome, seconds());
  std::cout << files.folder().string() << std::endl;
  return outcome.n_failed == 0 ? kSuccess : kSomeFailed;
}

}  // namespace

CommandBody declare_run(CLI::App& app) {
  struct Arguments {
    std::string task;
    Options options;
  };
  const auto arguments = std::make_shared<Arguments>();
  app.add_option("TASK", arguments->task, "Data set (see: labelprobe ls datasets)")->required();
  arguments->options.declare(
      app, std::array{kDataGroup, kPromptGroup, kModelGroup, kRunGroup, kLogGroup});
  return [arguments] { return run(arguments->task, arguments->options); };
}

}  // namespace labelprobe::app
