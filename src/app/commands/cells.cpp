#include "app/commands/cells.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "app/commands/jobs.h"
#include "app/commands/pace.h"
#include "app/options/installed_files.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

std::string quoted(const std::string& argument) {
  const bool is_plain =
      !argument.empty() && std::all_of(argument.begin(), argument.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || std::string_view("-_./:=,+@%").find(c) != std::string::npos;
      });
  if (is_plain) return argument;
  std::string text = "'";
  for (const char c : argument) {
    text += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return text + "'";
}

CellState look_at(const experiment::PreparedJob& prepared) {
  const record::RunPreview found = record::preview(prepared.job.request);
  const std::string place =
      fmt::format("{}, experiment_{}", found.folder.string(), found.experiment_index);
  const std::size_t n_items = prepared.preparation.questions.queries.size();
  CellState state;
  if (found.is_finished) {
    state.is_finished = true;
    state.seconds = 0;
    state.text =
        fmt::format("finished: {}{}", place,
                    found.n_failed > 0 ? fmt::format(" ({} items failed)", found.n_failed) : "");
    return state;
  }
  state.n_left = n_items - std::min(n_items, found.n_finished);
  state.text = found.n_finished > 0
                   ? fmt::format("{} of {} items are there: {}", found.n_finished, n_items, place)
                   : fmt::format("to run: {} items", n_items);
  if (const auto seconds = estimate_seconds(prepared)) {
    state.seconds = *seconds * static_cast<double>(state.n_left) /
                    static_cast<double>(std::max<std::size_t>(1, n_items));
  }
  return state;
}

fs::path from_environment(const char* variable, const fs::path& otherwise) {
  const char* given = std::getenv(variable);
  return given && *given != '\0' ? fs::path(given) : otherwise;
}

}  // namespace

experiment::GridJob make_cell_job(const std::string& name,
                                  const std::vector<std::string>& command_line) {
  std::vector<experiment::GridJob> jobs = read_jobs(command_line);
  if (jobs.size() != 1) {
    throw ConfigError("expected one value of each flag behind --, found several of some");
  }
  jobs.front().name = name;
  return jobs.front();
}

CellState state_of(const experiment::GridJob& job, experiment::Workbench& workbench) {
  try {
    if (job.mistake) std::rethrow_exception(job.mistake);
    return look_at(experiment::prepare(job.job, workbench));
  } catch (const std::exception& error) {
    CellState state;
    state.can_be_run = false;
    state.text = std::string("cannot be run: ") + error.what();
    return state;
  }
}

std::string shell_line(const std::vector<std::string>& command_line) {
  std::string line = "labelprobe";
  for (const std::string& argument : command_line) line += ' ' + quoted(argument);
  return line;
}

std::vector<std::string> take_run_flags(std::vector<std::string>& models) {
  const auto first = std::find_if(models.begin(), models.end(),
                                  [](const std::string& word) { return word.starts_with("-"); });
  std::vector<std::string> flags(first, models.end());
  models.erase(first, models.end());
  if (models.empty()) {
    throw ConfigError(
        "expected at least one MODEL: a folder, .gguf file, or name in the Hugging "
        "Face cache");
  }
  return flags;
}

std::string short_name(const std::string& model) {
  fs::path path = fs::path(model).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return path.filename().string();
}

std::string message_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& known) {
    return known.what();
  }
}

void declare_roots(OptionList& options, experiment::CellOptions& cells) {
  const auto add = [&](fs::path& field, const char* variable, OptionInfo info) {
    field = InstalledFiles().find(from_environment(variable, field).string());
    info.help += fmt::format(" (default: {}; in the environment: {})", field.string(), variable);
    info.value = "FOLDER";
    options.add(field, std::move(info));
  };
  add(cells.data_root, "DATA_ROOT",
      {.name = "data_root", .help = "Holds the data sets' folders", .shown = Shown::First});
  add(cells.log_root, "LOG_ROOT",
      {.name = "log_root", .help = "Folder that all logs go below", .shown = Shown::First});
  add(cells.id_root, "ID_ROOT", {.name = "id_root", .help = "Holds SET/LIST.txt"});
  add(cells.config_root, "CONFIG_ROOT", {.name = "config_root", .help = "Holds SET/pipeline.yaml"});
}

void declare_cell_flags(OptionList& options, experiment::CellOptions& cells, std::int64_t& seed) {
  options.add(cells.device, {.name = "device",
                             .help = "auto, cpu, cuda or cuda:N",
                             .fallback = "auto",
                             .shown = Shown::First,
                             .value = "DEVICE",
                             .choices = {"auto", "cpu", "cuda"}});
  options.add(seed,
              {.name = "seed", .help = "Seed of the demonstrations", .fallback = "0", .least = -1});
}

}  // namespace labelprobe::app
