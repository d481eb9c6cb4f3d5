// Cells of the paper's tables, for `table` and `paper`: from command lines to jobs, how far each
// is, and the flags that both commands have.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "labelprobe/experiment/grid.h"
#include "labelprobe/experiment/tables.h"

#include "app/options/option.h"

namespace labelprobe::app {

// The job of a command line, which begins with "run" or "classify". Throws ConfigError if it stands
// for several, and as read_jobs().
experiment::GridJob make_cell_job(const std::string& name,
                                  const std::vector<std::string>& command_line);

// How far a job is, without loading weights.
struct CellState {
  bool is_finished = false;
  bool can_be_run = true;         // or is finished
  std::string text;               // for people: "to run: 200 items"
  std::size_t n_left = 0;         // items
  std::optional<double> seconds;  // that the rest may take; unset: not known
};
CellState state_of(const experiment::GridJob& job, experiment::Workbench& workbench);

// "labelprobe run MFRC ..." as a shell reads it.
std::string shell_line(const std::vector<std::string>& command_line);

// Models stand before the first word that begins with a dash; what follows are flags of `run`,
// which are taken out. Throws ConfigError if there is no model.
std::vector<std::string> take_run_flags(std::vector<std::string>& models);

// The last part of a model's path, as tables and names of files call it.
std::string short_name(const std::string& model);

std::string message_of(const std::exception_ptr& error);

// --data-root and its like, each of which the environment may give.
void declare_roots(OptionList& options, experiment::CellOptions& cells);

// --device and --seed.
void declare_cell_flags(OptionList& options, experiment::CellOptions& cells, std::int64_t& seed);

}  // namespace labelprobe::app
