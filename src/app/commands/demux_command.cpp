// labelprobe demux: trains a BERT classifier on a data set and logs what it predicts.
#include <chrono>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"
#include "labelprobe/data/task_file.h"
#include "labelprobe/experiment/prior_labels.h"
#include "labelprobe/record/provenance.h"
#include "labelprobe/training/demux.h"
#include "labelprobe/weights/locate.h"

#include "app/commands/command.h"
#include "app/commands/error_report.h"
#include "app/options/demux_options.h"
#include "app/terminal/activity_line.h"
#include "app/terminal/interruption.h"
#include "app/terminal/logger.h"
#include "app/terminal/progress.h"

namespace labelprobe::app {

namespace {

using Clock = std::chrono::steady_clock;

double time_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string list_metrics(const std::map<std::string, double>& metrics) {
  std::vector<std::string> parts;
  for (const char* name : {"accuracy", "f1", "micro_f1", "macro_f1", "jaccard_score"}) {
    if (const auto found = metrics.find(name); found != metrics.end()) {
      parts.push_back(fmt::format("{} {:.4f}", name, found->second));
    }
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

// What people see of a training, on the terminal and in log.txt.
class DemuxDisplay final : public training::DemuxListener {
 public:
  DemuxDisplay(spdlog::logger& log, bool shows_progress)
      : log_(log), line_(shows_progress), start_(Clock::now()) {}

  void on_model(std::int64_t n_numbers, const std::string& device) override {
    log_.info("BERT encoder and head with {:.1f} M parameters, float32 on {}",
              static_cast<double>(n_numbers) / 1e6, device);
    start_ = Clock::now();
  }

  void on_note(const std::string& sentence) override { log_.info("{}", sentence); }

  void on_progress(const training::DemuxProgress& now) override {
    const double seconds = time_since(start_);
    const auto n_done = static_cast<double>(now.step - now.n_resumed);
    const double left = seconds / n_done * static_cast<double>(now.n_steps - now.step);
    line_.show(fmt::format("step {}/{}, epoch {:.2f}, loss {:.4f}, {:.0f} examples/s, {} left",
                           now.step, now.n_steps, now.epoch, now.loss,
                           static_cast<double>(now.n_examples) / seconds, describe_duration(left)));
    if (const auto stop = interruption_.asked()) {
      line_.close();
      log_.warn("stopped by {} behind step {}; the same command goes on from the last checkpoint",
                stop->reason, now.step);
      throw Interrupted{stop->exit_code};
    }
  }

  void on_evaluation(const training::DemuxEvaluation& evaluation) override {
    line_.close();
    log_.info("step {}, dev: {}{}", evaluation.step, list_metrics(evaluation.metrics),
              evaluation.is_best ? " (best so far)" : "");
  }

  void close() { line_.close(); }

 private:
  spdlog::logger& log_;
  ActivityLine line_;
  Interruption interruption_;
  Clock::time_point start_;
};

struct LoadedData {
  training::DemuxData data;
  std::map<std::string, std::string> files;  // path -> fingerprint
  std::vector<std::string> warnings;
};

LoadedData load_data(const DemuxOptions& options) {
  LoadedData loaded;
  loaded.data.task = options.task;
  const auto load = [&](const data::DatasetOptions& of_role, std::vector<Example>& examples) {
    data::Dataset set = data::load(options.task, of_role);
    if (loaded.data.label_set.size() > 0 && loaded.data.label_set != set.label_set) {
      throw DataError("the roles of the data set have other labels than each other");
    }
    loaded.data.label_set = std::move(set.label_set);
    examples = std::move(set.examples);
    for (const data::SourceFile& file : set.notes.files) {
      loaded.files[file.path.string()] = file.fingerprint;
    }
    for (std::string& warning : set.notes.warnings) {
      if (std::find(loaded.warnings.begin(), loaded.warnings.end(), warning) ==
          loaded.warnings.end()) {
        loaded.warnings.push_back(std::move(warning));
      }
    }
  };
  load(options.train, loaded.data.train);
  load(options.dev, loaded.data.dev);
  load(options.test, loaded.data.test);
  experiment::read_prior_labels(options.train_prior, loaded.data.label_set, loaded.data.train);
  return loaded;
}

struct PreparedDemux {
  training::DemuxPlan plan;
  record::RunRequest request;
  record::Provenance provenance;
};

record::Provenance provenance_of(const training::DemuxPlan& plan,
                                 std::map<std::string, std::string> data_files) {
  record::Provenance made;
  made.program = record::program_version();
  made.device = plan.device;
  made.dtype = "float32";
  made.model_fingerprint = plan.contents.at("encoder");
  made.tokenizer_fingerprint = plan.contents.at("tokenizer");
  made.data_files = std::move(data_files);
  return made;
}

PreparedDemux prepare(const GridSetting<DemuxOptions>& given, spdlog::logger& log) {
  DemuxOptions options = given.settings;
  options.demux.encoder = weights::locate(options.encoder);
  LoadedData loaded = load_data(options);
  PreparedDemux prepared;
  prepared.plan = training::plan_demux(std::move(loaded.data), options.demux);
  for (const auto& sentences : {given.idle, loaded.warnings}) {
    for (const std::string& sentence : sentences) log.warn("{}", sentence);
  }
  prepared.request = options.request;
  prepared.request.category = data::task_info(options.task).name;
  prepared.request.layout = record::kPlainLayout;
  prepared.request.params = given.params;
  complete_params(options, prepared.request.params);
  const auto note = [&](const char* name, record::ParamValue value) {
    prepared.request.params.push_back(
        {name, std::move(value), false, {}, record::Bearing::Process});
  };
  note("labels", prepared.plan.data.label_set.names());
  note("program_version", record::program_version());
  note("resolved_device", prepared.plan.device);
  prepared.request.contents = prepared.plan.contents;
  std::set<std::string> ids;
  for (const auto* role : {&prepared.plan.data.dev, &prepared.plan.data.test}) {
    for (const Example& example : *role) ids.insert(example.id());
  }
  prepared.request.n_items = ids.size();
  prepared.provenance = provenance_of(prepared.plan, std::move(loaded.files));
  record::check_names(prepared.request);
  return prepared;
}

void describe_dry_run(const PreparedDemux& prepared) {
  const training::DemuxPlan& plan = prepared.plan;
  const LabelSet& set = plan.data.label_set;
  const auto say = [](const char* name, const std::string& text) {
    std::cout << fmt::format("  {:<9} {}\n", name, text);
  };
  const record::RunPreview preview = record::preview(prepared.request);
  std::cout << plan.data.task << '\n';
  say("labels", fmt::format("{} ({}-label); {} of {} tokens of each sequence",
                            fmt::join(set.names(), ", "), set.is_multilabel() ? "multi" : "single",
                            plan.n_label_tokens, plan.settings.max_length));
  say("examples", fmt::format("{} train, {} dev, {} test", plan.data.train.size(),
                              plan.data.dev.size(), plan.data.test.size()));
  say("training", fmt::format("{} steps of {} examples, {} an epoch, {} of warm-up; float32 on {}",
                              plan.n_steps, plan.settings.train_batch_size, plan.steps_per_epoch,
                              plan.n_warmup_steps, plan.device));
  say("tested", plan.metric.empty() ? std::string("the last weights")
                : plan.settings.stopping == training::DemuxStopping::Best
                    ? fmt::format("the weights of the best dev_{}", plan.metric)
                    : fmt::format("the weights of the best dev_{} if training ends early, else the "
                                  "last",
                                  plan.metric));
  say("log", fmt::format("{}, experiment_{}{}", preview.folder.string(), preview.experiment_index,
                         preview.is_finished ? " (finished)" : ""));
  for (const std::string& sentence : plan.notes) say("note", sentence);
  for (const std::string& sentence : preview.notes) say("note", sentence);
}

void train(const DemuxOptions& options, const PreparedDemux& prepared, spdlog::logger& log) {
  record::RunRequest request = prepared.request;
  request.patience.on_wait = [&](const std::string& sentence) { log.info("{}", sentence); };
  record::TrainingRun run(request);
  if (run.was_finished()) {
    for (const std::string& note : run.notes()) log.info("{}", note);
    log.info("finished before: {}, experiment_{} (--again appends another)", run.folder().string(),
             run.experiment_index());
    std::cout << run.folder().string() << std::endl;
    return;
  }
  add_log_file(log, run.folder() / "log.txt");
  const auto start = Clock::now();
  DemuxDisplay display(log, !options.hides_progress && !options.is_quiet);
  try {
    for (const std::string& note : run.notes()) log.info("{}", note);
    for (const std::string& note : prepared.plan.notes) log.warn("{}", note);
    for (const record::Param& param : request.params) {
      log.debug("option {} = {}", param.name, describe(param.value));
    }
    log.info("log folder {}, experiment_{}", run.folder().string(), run.experiment_index());
    run.add_provenance(prepared.provenance);
    const training::DemuxOutcome outcome = training::train_demux(prepared.plan, run, display);
    display.close();
    log.info("{} steps in {}; tested the weights of step {}: {}", outcome.n_steps_done,
             describe_duration(time_since(start)), outcome.tested_step,
             list_metrics(outcome.log.test_metrics));
  } catch (const std::exception& error) {
    display.close();
    log.debug("error: {}", error.what());  // said on the terminal by those who catch it
    log.sinks().pop_back();
    throw;
  }
  log.sinks().pop_back();
  log.info("next: labelprobe extract-scores {} --experiment-name '{}'", options.task,
           run.folder().lexically_relative(request.log_root / request.category).string());
  std::cout << run.folder().string() << std::endl;
}

int run_demux(std::vector<GridSetting<DemuxOptions>> given) {
  if (given.size() == 1 && given.front().mistake) std::rethrow_exception(given.front().mistake);
  int code = kSuccess;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const DemuxOptions& options = given[i].settings;
    const auto log =
        make_logger(options.is_quiet ? spdlog::level::warn : options.logging_level, options.colour);
    const std::string name =
        given.size() > 1 ? fmt::format("setting {} of {}", i + 1, given.size()) : "";
    if (!name.empty()) std::cerr << name << std::endl;
    try {
      if (given[i].mistake) std::rethrow_exception(given[i].mistake);
      const PreparedDemux prepared = prepare(given[i], *log);
      if (options.is_dry_run) {
        describe_dry_run(prepared);
      } else {
        train(options, prepared, *log);
      }
    } catch (const std::exception& error) {
      const int found = report(error, name);
      code = code == kSuccess ? found : code;
    }
  }
  return code;
}

}  // namespace

Command demux_command() {
  return make_grid_command<DemuxOptions>(
      {CommandGroup::Ask, "demux",
       "Train a BERT classifier that reads the label names, and log what it predicts",
       "labelprobe demux GoEmotions --root-dir data/goemotions --emotion-clustering-json "
       "data/goemotions/emotion_clustering.json --model-name-or-path MODEL"},
      declare_demux, run_demux);
}

}  // namespace labelprobe::app
