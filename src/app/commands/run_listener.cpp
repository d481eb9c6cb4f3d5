#include "app/commands/run_listener.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <string>

#include <spdlog/spdlog.h>

#include "labelprobe/core/error.h"

#include "app/commands/command.h"
#include "app/commands/dry_run.h"
#include "app/commands/error_report.h"
#include "app/commands/pace.h"
#include "app/options/option.h"
#include "app/terminal/logger.h"
#include "app/terminal/profile_report.h"

namespace labelprobe::app {

namespace {

// A job's name among others: "setting 2 of 3".
std::string name_of(const std::string& kind, std::size_t place, std::size_t n_jobs) {
  return fmt::format("{} {} of {}", kind, place + 1, n_jobs);
}

void say_efforts(spdlog::logger& log, const experiment::Outcome& outcome, double seconds) {
  const model::Effort& effort = outcome.effort;
  log.info("{} items in {:.1f} s{}; {} of {} prompt tokens computed, {} tokens generated{}",
           outcome.n_items, seconds,
           outcome.n_resumed > 0 ? fmt::format(" ({} of them taken over)", outcome.n_resumed) : "",
           effort.n_prompt_tokens_computed, effort.n_prompt_tokens, effort.n_generated_tokens,
           effort.n_places > 0 ? fmt::format(", {} for readouts", effort.n_places) : "");
  if (effort.n_drafted_tokens > 0) {
    log.debug("{} of {} guessed tokens were right and saved a pass", effort.n_drafted_kept,
              effort.n_drafted_tokens);
  }
  if (effort.n_batches_halved > 0) {
    log.warn("memory ran short {} times; those batches were run again in halves",
             effort.n_batches_halved);
  }
}

void say_answers(spdlog::logger& log, const experiment::Outcome& outcome) {
  if (outcome.n_searched > 0) {
    log.info(
        "{} of {} answers list no labels in the format asked for: the labels that occur in "
        "them count, test_answer_source is searched",
        outcome.n_searched, outcome.n_items);
  }
  if (outcome.n_unread > 0) {
    log.warn(
        "{} of {} answers name nothing that was asked for: the metrics count them, the "
        "answered_ ones do not",
        outcome.n_unread, outcome.n_items);
  }
  if (outcome.n_cut_off > 0) {
    log.warn(
        "{} of {} answers end inside what may be a label: they may need a larger "
        "--max-new-tokens",
        outcome.n_cut_off, outcome.n_items);
  }
}

void say_metrics(spdlog::logger& log, const experiment::Outcome& outcome) {
  for (const char* name : {"accuracy", "f1", "micro_f1", "macro_f1", "jaccard_score"}) {
    if (const auto found = outcome.metrics.find(name); found != outcome.metrics.end()) {
      log.info("{} {:.4f}", name, found->second);
    }
  }
}

void say_failures(spdlog::logger& log, const experiment::Outcome& outcome) {
  if (!outcome.is_unfinished) {
    log.error(
        "{} of {} items failed; each entry says why under test_failure, and the same command with "
        "--retry-failed computes them again",
        outcome.n_failed, outcome.n_items);
    return;
  }
  log.error("{} of {} questions got no answer, the first: {}", outcome.n_failed, outcome.n_items,
            outcome.first_failure);
  log.error(
      "the same command asks them again; with --keep-failed it finishes the log without them");
}

}  // namespace

RunListener::RunListener(const RunDisplay& display)
    : display_(display),
      log_(make_logger(display.level, display.colour)),
      interruption_(display.end) {}

void RunListener::on_job(std::size_t place, std::size_t n_jobs, const experiment::GridJob& job) {
  name_ = n_jobs > 1 ? fmt::format("{} {}/{}", display_.kind, place + 1, n_jobs) : "";
  if (n_jobs > 1) {
    (job.job.is_dry_run ? std::cout : std::cerr)
        << name_of(display_.kind, place, n_jobs) << (job.name.empty() ? "" : ": " + job.name)
        << std::endl;
  }
}

// What is finished takes no time; what nobody has timed is begun.
std::optional<std::string> RunListener::refuses(const experiment::PreparedJob& prepared) {
  if (!display_.deadline || record::preview(prepared.job.request).is_finished) return std::nullopt;
  const double left =
      std::chrono::duration<double>(*display_.deadline - std::chrono::steady_clock::now()).count();
  const double wanted = estimate_seconds(prepared).value_or(0);
  if (wanted < left) return std::nullopt;
  return fmt::format("would take about {}; {} of the time limit is left", describe_duration(wanted),
                     describe_duration(std::max(0.0, left)));
}

void RunListener::on_dry_run(const experiment::PreparedJob& prepared) {
  describe_dry_run(std::cout, prepared, display_.profile, display_.is_verbose);
}

void RunListener::on_warning(const std::string& sentence) {
  log_->warn("{}", sentence);
}

void RunListener::on_error(std::size_t place,
                           std::size_t n_jobs,
                           const experiment::GridJob& job,
                           const std::exception& error) {
  report(error, n_jobs == 1        ? ""
                : job.name.empty() ? name_of(display_.kind, place, n_jobs)
                                   : name_of(display_.kind, place, n_jobs) + " (" + job.name + ")");
}

void RunListener::on_wait(const std::string& sentence) {
  log_->info("{}", sentence);
}

void RunListener::on_finished_before(const experiment::JobResult& result) {
  for (const std::string& note : result.notes) {
    log_->info("{}", note);
  }
  log_->info("finished before: {}, experiment_{} (--again appends another)", result.folder.string(),
             result.experiment_index);
  if (result.n_failed > 0) {
    log_->error(
        "{} of its items failed; each entry says why under test_failure, and --retry-failed "
        "computes "
        "them again",
        result.n_failed);
  }
  name_folder(result.folder);
}

void RunListener::on_open(const experiment::PreparedJob& prepared, const record::ItemLog& log) {
  add_log_file(*log_, log.folder() / "log.txt");
  for (const std::string& note : log.notes()) {
    log_->info("{}", note);
  }
  for (const std::string& warning : prepared.warnings) {
    log_->debug("warning: {}", warning);  // said on the terminal before the log was open
  }
  for (const record::Param& param : prepared.job.request.params) {
    log_->debug("option {} = {}", param.name, describe(param.value));
  }
  for (const auto& [name, value] : prepared.job.request.contents) {
    log_->debug("contents: {} {}", name, value);
  }
  if (const auto& shard = prepared.job.shard) {
    log_->info("shard {} of {}, in {}", shard->index, shard->n, log.folder().string());
  } else {
    log_->info("log folder {}, experiment_{}", log.folder().string(), log.experiment_index());
  }
  log_->info("{}", experiment::generation_in_force(prepared.model_info, prepared.job.settings,
                                                   prepared.preparation)
                       .describe());
  progress_ = std::make_unique<ProgressLine>(display_.shows_progress, name_);
}

void RunListener::on_packed_copy(const std::filesystem::path& folder, double seconds) {
  log_->info("packed copy written to {} in {:.1f} s", folder.string(), seconds);
}

model::LanguageModel& RunListener::on_model(model::LanguageModel& model,
                                            bool is_new,
                                            double seconds) {
  const model::ModelInfo& info = model.info();
  const std::string numerics = experiment::describe_numerics(info.quantization, info.dtype);
  if (info.device == experiment::kServerDevice) {
    log_->info("asking {} at {} ({})", info.architecture, info.device_name, info.backend);
  } else if (is_new) {
    log_->info("{} with {:.0f} M parameters loaded in {:.1f} s: {} on {} ({}; {})",
               info.architecture, static_cast<double>(info.n_parameters) / 1e6, seconds, numerics,
               info.device, info.device_name, info.backend);
    for (const std::string& warning : info.device_warnings) log_->warn("{}", warning);
  } else {
    log_->debug("{} is loaded already: {} on {} ({}; {})", info.architecture, numerics, info.device,
                info.device_name, info.backend);
  }
  return display_.profile ? display_.profile->watch(model) : model;
}

void RunListener::on_progress(const experiment::Progress& now) {
  progress_->show(now);
  const auto stop = interruption_.asked();
  if (!stop || now.n_done == now.n_total) return;
  progress_->close();
  log_->warn("stopped by {}: {} of {} items are on disk; the same command goes on from there",
             stop->reason, now.n_done, now.n_total);
  throw Interrupted{stop->exit_code};
}

void RunListener::on_outcome(const experiment::PreparedJob& prepared,
                             const experiment::JobResult& result,
                             const experiment::Outcome& outcome,
                             double seconds) {
  progress_->close();
  note_pace(prepared, outcome, seconds);
  say_efforts(*log_, outcome, seconds);
  if (outcome.n_without_label > 0) {
    log_->warn("{} of {} answers {}", outcome.n_without_label, outcome.n_items,
               prepared.job.settings.plan->when_missing);
  }
  say_answers(*log_, outcome);
  say_metrics(*log_, outcome);
  if (outcome.n_failed > 0) {
    say_failures(*log_, outcome);
  }
  if (display_.profile) {
    say_profile();
  }
  if (prepared.job.shard && !outcome.is_unfinished) return;  // on_shard() tells how it goes on
  if (name_.empty() && !outcome.is_unfinished) {
    log_->info("next: labelprobe show '{}'", result.folder.lexically_normal().string());
  }
  name_folder(result.folder);
}

void RunListener::on_shard(const experiment::PreparedJob& prepared,
                           const experiment::JobResult& result) {
  const int n_shards = prepared.job.shard->n;
  if (!result.merged) {
    log_->info("shard {} of {} is finished; left: {}", prepared.job.shard->index, n_shards,
               result.shards_left);
  } else {
    for (const std::string& note : result.notes) log_->info("{}", note);
    log_->info("all {} shards are finished and merged: {}, experiment_{}", n_shards,
               result.folder.string(), result.experiment_index);
    say_metrics(*log_, *result.merged);
    if (result.n_failed > 0) say_failures(*log_, *result.merged);
  }
  name_folder(result.folder);
}

void RunListener::say_profile() {
  const auto summary = display_.profile->finish();
  if (!summary) {
    log_->warn("nothing was left to compute, so there is no profile");
    return;
  }
  for (const std::string& line : describe_profile(*summary, display_.profile->trace())) {
    log_->info("{}", line);
  }
}

void RunListener::name_folder(const std::filesystem::path& folder) {
  if (display_.folders) {
    *display_.folders << folder.string() << std::endl;
  }
}

void RunListener::on_close() {
  progress_.reset();
  log_->sinks().pop_back();
}

int RunListener::exit_code(const std::vector<experiment::GridResult>& results) const {
  int code = kSuccess;
  std::size_t n_errors = 0;
  for (const experiment::GridResult& result : results) {
    if (result.error) {
      n_errors += 1;
      code = n_errors == 1 ? exit_code_of(result.error) : code;
    } else if (n_errors == 0 && result.result.n_failed > 0) {
      code = kSomeFailed;
    }
  }
  if (n_errors > 0 && results.size() > 1) {
    log_->error("{} of {} settings failed", n_errors, results.size());
  }
  return code;
}

void show_encoding(const experiment::Workbench::Encoding& encoding) {
  if (encoding.seconds < 0) {
    std::cerr << "encoding " << encoding.n_texts << " texts with " << encoding.encoder.string()
              << std::flush;
    return;
  }
  std::cerr << ": " << std::max<std::int64_t>(1, std::llround(encoding.seconds)) << " s on "
            << encoding.device << std::endl;
}

}  // namespace labelprobe::app
