// Many runs in one process: those of the same model one after the other, each as if it were alone.
// One that fails stops no other.
#pragma once

#include <exception>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/experiment/job.h"

namespace labelprobe::experiment {

struct GridJob {
  Job job;
  std::string name;  // what sets it apart from the others, e.g. "shot 5, seed 1"; may be empty
  std::exception_ptr mistake = {};  // why it cannot be made; then the job may be half made
};

class GridListener : public JobListener {
 public:
  // The next job, by its place in the order of work.
  virtual void on_job(std::size_t /*place*/, std::size_t /*n_jobs*/, const GridJob&) {}
  // Asked before a job is carried out: why it is not to be, in a sentence that becomes the job's
  // error; unset = it is.
  virtual std::optional<std::string> refuses(const PreparedJob&) { return std::nullopt; }
  // In place of carrying out a job that is a dry run.
  virtual void on_dry_run(const PreparedJob&) {}
  // Each sentence once.
  virtual void on_warning(const std::string&) {}
  virtual void on_error(std::size_t /*place*/,
                        std::size_t /*n_jobs*/,
                        const GridJob&,
                        const std::exception&) {}
};

struct GridResult {
  JobResult result;          // as made, if there was an error or a dry run
  std::exception_ptr error;  // null if it came to its end
};

// The order of work: jobs of the same model and ways of loading it stand together, in the order of
// their first ones.
std::vector<std::size_t> order_of_work(std::span<const GridJob> jobs);

// Checks all of them, then carries out those that can be. Results are in the order of `jobs`.
std::vector<GridResult> run_grid(std::span<const GridJob> jobs,
                                 Workbench& workbench,
                                 GridListener& listener);

}  // namespace labelprobe::experiment
