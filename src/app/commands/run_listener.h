// What people see while jobs run: messages on the terminal and in log.txt of the run's folder,
// progress, and the folder's name on standard output.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <spdlog/logger.h>

#include "labelprobe/experiment/grid.h"
#include "labelprobe/model/profile.h"

#include "app/terminal/colour.h"
#include "app/terminal/interruption.h"
#include "app/terminal/progress.h"

namespace labelprobe::app {

struct RunDisplay {
  spdlog::level::level_enum level = spdlog::level::info;  // messages below it go to log.txt only
  bool shows_progress = true;
  bool is_verbose = false;  // dry runs show every option
  Colour colour = Colour::Auto;
  std::string kind = "setting";       // what one of several jobs is called
  model::Profile* profile = nullptr;  // watches the model
  // Jobs that would not be over by then are not begun; unset = there is time.
  std::optional<std::chrono::steady_clock::time_point> deadline = {};
  // The run at hand stops by then; the same command goes on. Unset = there is time.
  std::optional<std::chrono::steady_clock::time_point> end = {};
  std::ostream* folders = nullptr;  // gets the name of each run's folder
};

class RunListener final : public experiment::GridListener {
 public:
  explicit RunListener(const RunDisplay& display);

  void on_job(std::size_t place, std::size_t n_jobs, const experiment::GridJob& job) override;
  std::optional<std::string> refuses(const experiment::PreparedJob& prepared) override;
  void on_dry_run(const experiment::PreparedJob& prepared) override;
  void on_warning(const std::string& sentence) override;
  void on_error(std::size_t place,
                std::size_t n_jobs,
                const experiment::GridJob& job,
                const std::exception& error) override;
  void on_wait(const std::string& sentence) override;
  void on_finished_before(const experiment::JobResult& result) override;
  void on_open(const experiment::PreparedJob& prepared, const record::ItemLog& log) override;
  void on_packed_copy(const std::filesystem::path& folder, double seconds) override;
  model::LanguageModel& on_model(model::LanguageModel& model, bool is_new, double seconds) override;
  // Throws Interrupted if the process is asked to end.
  void on_progress(const experiment::Progress& now) override;
  void on_outcome(const experiment::PreparedJob& prepared,
                  const experiment::JobResult& result,
                  const experiment::Outcome& outcome,
                  double seconds) override;
  void on_close() override;
  void on_shard(const experiment::PreparedJob& prepared,
                const experiment::JobResult& result) override;

  // What the shell sees after run_grid(): of errors the first one's code.
  int exit_code(const std::vector<experiment::GridResult>& results) const;

 private:
  void say_profile();
  void name_folder(const std::filesystem::path& folder);

  RunDisplay display_;
  std::string name_;  // of the job, where there are several: "setting 2/3"
  std::shared_ptr<spdlog::logger> log_;
  Interruption interruption_;
  std::unique_ptr<ProgressLine> progress_;  // while a job runs
};

// Says on standard error that texts are encoded, and how long it took.
void show_encoding(const experiment::Workbench::Encoding& encoding);

}  // namespace labelprobe::app
