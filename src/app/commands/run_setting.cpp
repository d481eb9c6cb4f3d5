#include "app/commands/run_setting.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <span>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/run.h"
#include "labelprobe/model/profile.h"
#include "labelprobe/tokenizer/chat_template.h"
#include "labelprobe/weights/device_memory.h"
#include "labelprobe/weights/locate.h"

#include "app/commands/command.h"
#include "app/commands/model_loading.h"
#include "app/commands/sentence_encoding.h"
#include "app/terminal/profile_report.h"
#include "app/terminal/progress.h"

namespace labelprobe::app {

namespace {

// While it lives, all messages also go to log.txt in the run's folder.
class LogFile {
 public:
  LogFile(spdlog::logger& logger, const std::filesystem::path& folder) : logger_(logger) {
    auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>((folder / "log.txt").string());
    file->set_pattern("%Y-%m-%d %H:%M:%S %l %v");
    file->set_level(spdlog::level::debug);
    logger_.sinks().push_back(std::move(file));
    logger_.flush_on(spdlog::level::debug);
  }
  ~LogFile() { logger_.sinks().pop_back(); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

 private:
  spdlog::logger& logger_;
};

// A dry run may be made where the run itself will not be, say beside a GPU cluster.
std::string resolve_device(const std::string& asked, bool is_dry_run, spdlog::logger& log) {
  try {
    return weights::resolve_device(asked);
  } catch (const ConfigError& error) {
    if (!is_dry_run) {
      throw;
    }
    log.warn("{}", error.what());
    return asked;
  }
}

// The several ways to ask for quantised weights are logged as one, by what the weights are in the
// end.
void set_numerics(record::Param& param, weights::Quantization quantization) {
  if (param.name == "quant") {
    if (quantization == weights::Quantization::None) {
      param.value = {};
    } else {
      param.value = std::string(weights::quantization_name(quantization));
    }
  } else if (param.name == "load_in_4bit") {
    param.value = quantization == weights::Quantization::Fp4;
  } else if (param.name == "load_in_8bit") {
    param.value = quantization == weights::Quantization::Int8;
  }
}

// What the results depend on, as logged: the options, then the program, the model and the
// tokenizer.
record::RunRequest make_request(const Setting<RunSettings>& given, const PreparedSetting& setting) {
  const experiment::Program program = setting.settings.program;
  record::RunRequest request = given.settings.request;
  request.category = setting.settings.task + (program == experiment::Program::Pair ? "Reason" : "");
  request.layout = program == experiment::Program::Distribution ? record::LogLayout::Distribution
                                                                : record::LogLayout::Plain;
  request.params = given.params;
  for (record::Param& param : request.params) {
    set_numerics(param, setting.model_info.quantization);
  }
  if (program != experiment::Program::Pair) {
    // The published programs all have it, and hence a place for it in the folder's name.
    request.params.push_back({"query_label_mode", {}, true, 1});
  }
  const std::string& tokenizer = setting.tokenizer->fingerprint();
  for (const auto& [name, value] : {std::pair{"program_version", std::string(LABELPROBE_VERSION)},
                                    {"model_fingerprint", setting.model_info.fingerprint},
                                    {"tokenizer_fingerprint", tokenizer},
                                    {"resolved_device", setting.device}}) {
    request.params.push_back({name, value, false, {}, record::Bearing::Process});
  }
  request.contents_fingerprint = std::string(LABELPROBE_VERSION) + " model " +
                                 setting.model_info.fingerprint + " tokenizer " + tokenizer +
                                 " prompts " + setting.preparation.contents_fingerprint +
                                 " device " + setting.device;
  if (setting.model_info.quantization != weights::Quantization::None) {
    request.contents_fingerprint +=
        " weights " + std::string(weights::quantization_name(setting.model_info.quantization));
  }
  return request;
}

void log_outcome(spdlog::logger& log, const experiment::Outcome& outcome, double seconds) {
  log.info("{} items in {:.1f} s{}; {} of {} prompt tokens computed, {} tokens generated",
           outcome.n_items, seconds,
           outcome.n_resumed > 0 ? fmt::format(" ({} of them taken over)", outcome.n_resumed) : "",
           outcome.effort.n_prompt_tokens_computed, outcome.effort.n_prompt_tokens,
           outcome.effort.n_generated_tokens);
  if (outcome.effort.n_drafted_tokens > 0) {
    log.debug("{} of {} guessed tokens were right and saved a pass", outcome.effort.n_drafted_kept,
              outcome.effort.n_drafted_tokens);
  }
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
  for (const char* name : {"accuracy", "f1", "micro_f1", "macro_f1", "jaccard_score"}) {
    if (const auto found = outcome.metrics.find(name); found != outcome.metrics.end()) {
      log.info("{} {:.4f}", name, found->second);
    }
  }
  if (outcome.n_failed > 0) {
    log.error("{} of {} items failed; each entry says why under test_failure", outcome.n_failed,
              outcome.n_items);
  }
}

void log_profile(spdlog::logger& log, model::Profile& profile) {
  const auto summary = profile.finish();
  if (!summary) {
    log.warn("nothing was left to compute, so there is no profile");
    return;
  }
  for (const std::string& line : describe_profile(*summary, profile.trace())) {
    log.info("{}", line);
  }
}

// Says where the run is that was asked for; returns the exit code that it ended with.
int tell_finished(const record::RunRequest& request, spdlog::logger& log) {
  const record::RunPreview found = record::preview(request);
  log.info("finished before: {}, experiment_{} (--again appends another)", found.folder.string(),
           found.experiment_index);
  if (found.n_failed > 0) {
    log.error("{} of its items failed; each entry says why under test_failure", found.n_failed);
  }
  std::cout << found.folder.string() << std::endl;
  return found.n_failed == 0 ? kSuccess : kSomeFailed;
}

}  // namespace

PreparedSetting prepare_setting(const Setting<RunSettings>& given,
                                Workbench& workbench,
                                spdlog::logger& log) {
  const RunSettings& run = given.settings;
  PreparedSetting setting;
  setting.settings = run.experiment;
  setting.shows_progress = !run.hides_progress;
  setting.idle_options = given.idle;
  add_sentence_encoder(run.sentence_encoder, run.model.options, workbench, setting.settings);
  setting.loading = run.model;
  setting.loading.model = weights::locate(run.model.name);
  workbench.plan_packed_copy(setting.loading);
  setting.model_info = workbench.inspect(setting.loading);
  setting.device = resolve_device(setting.loading.options.device, run.is_dry_run, log);
  setting.tokenizer = workbench.tokenizer(setting.loading.model);
  if (setting.settings.mode == prompt::PromptMode::Chat) {
    setting.settings.chat_template = tokenizer::chat_template(setting.loading.model);
  }
  setting.preparation = experiment::prepare(setting.settings, *setting.tokenizer);
  setting.request = make_request(given, setting);
  if (!run.profile.empty()) {
    setting.profile = std::make_unique<model::Profile>(run.profile);
  }
  return setting;
}

std::vector<std::string> describe_warnings(const PreparedSetting& setting) {
  std::vector<std::string> sentences = setting.idle_options;
  const std::string idle_tf32 = warn_of_idle_tf32(setting.loading, setting.device);
  if (!idle_tf32.empty()) sentences.push_back(idle_tf32);
  const std::vector<std::string>& more = setting.preparation.warnings;
  sentences.insert(sentences.end(), more.begin(), more.end());
  return sentences;
}

int run_setting(const PreparedSetting& setting, Workbench& workbench, spdlog::logger& log) {
  record::Run files = record::Run::open(setting.request);
  if (files.was_finished()) {
    return tell_finished(setting.request, log);
  }
  const LogFile log_file(log, files.folder());
  for (const std::string& note : files.notes()) {
    log.info("{}", note);
  }
  for (const record::Param& param : setting.request.params) {
    log.debug("option {} = {}", param.name, describe(param.value));
  }
  log.debug("contents: {}", setting.request.contents_fingerprint);
  log.info("log folder {}, experiment_{}", files.folder().string(), files.experiment_index());

  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  if (workbench.write_packed_copy(setting.loading)) {
    log.info("packed copy written to {} in {:.1f} s", setting.loading.packed_copy.string(),
             seconds());
  }
  const auto open_model = [&]() -> model::LanguageModel& {
    const double begin = seconds();
    const Workbench::Opened opened = workbench.open(setting.loading);
    const model::ModelInfo& info = opened.model.info();
    const std::string numerics = describe_numerics(info.quantization, info.dtype);
    if (opened.is_new) {
      log.info("{} with {:.0f} M parameters loaded in {:.1f} s: {} on {} ({}; {})",
               info.architecture, static_cast<double>(info.n_parameters) / 1e6, seconds() - begin,
               numerics, info.device, info.device_name, info.backend);
    } else {
      log.debug("{} is loaded already: {} on {} ({}; {})", info.architecture, numerics, info.device,
                info.device_name, info.backend);
    }
    return setting.profile ? setting.profile->watch(opened.model) : opened.model;
  };
  ProgressLine progress(setting.shows_progress);
  const experiment::Outcome outcome =
      experiment::run(setting.settings, setting.preparation, *setting.tokenizer, open_model, files,
                      [&](const experiment::Progress& now) { progress.show(now); });
  progress.close();
  log_outcome(log, outcome, seconds());
  if (setting.profile) {
    log_profile(log, *setting.profile);
  }
  std::cout << files.folder().string() << std::endl;
  return outcome.n_failed == 0 ? kSuccess : kSomeFailed;
}

}  // namespace labelprobe::app
