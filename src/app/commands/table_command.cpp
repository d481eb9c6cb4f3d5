// labelprobe table: runs what is missing of a table of the paper, for models of one's choice, and
// prints it. Also shows how far its cells are, or the command line of each.
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "labelprobe/analysis/published.h"
#include "labelprobe/core/error.h"
#include "labelprobe/experiment/grid.h"
#include "labelprobe/experiment/tables.h"

#include "app/commands/command.h"
#include "app/commands/jobs.h"
#include "app/commands/run_listener.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

struct TableSettings {
  std::string table;
  std::vector<std::string> models;  // and behind `--` flags of `labelprobe run`
  experiment::CellOptions cells;    // of the model that is at hand
  std::vector<std::string> asked;
  std::int64_t seed = 0;
  std::string paper;
  std::vector<std::string> scores;
  std::vector<std::string> answers;
  int n_resamples = 0;
  bool is_dry_run = false;
  bool shows_commands = false;
};

// A cell of one model, and what became of it.
struct CellRun {
  experiment::Cell cell;
  std::optional<experiment::GridJob> job;  // unset if it cannot be made
  std::string missing;                     // why there is no run; empty if there is one
  experiment::JobResult result;
};

std::vector<std::string> split_at_commas(const std::vector<std::string>& lists) {
  std::vector<std::string> names;
  for (const std::string& list : lists) {
    for (std::size_t start = 0; start <= list.size();) {
      const std::size_t end = std::min(list.find(',', start), list.size());
      names.push_back(list.substr(start, end - start));
      start = end + 1;
    }
  }
  return names;
}

std::string what(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& known) {
    return known.what();
  }
}

// --- Cells ---

experiment::GridJob make_cell_job(const experiment::Cell& cell,
                                  const experiment::CellOptions& options) {
  std::vector<std::string> arguments = experiment::run_arguments(cell, options);
  arguments.erase(arguments.begin());  // "run"
  std::vector<experiment::GridJob> jobs = read_run_jobs(arguments);
  if (jobs.size() != 1) {
    throw ConfigError("expected one value of each flag behind --, found several of some");
  }
  jobs.front().name = cell.name();
  return jobs.front();
}

std::vector<CellRun> make_cells(const TableSettings& table,
                                const std::vector<experiment::Cell>& cells) {
  std::vector<CellRun> made;
  for (const experiment::Cell& cell : cells) {
    CellRun run{cell, std::nullopt, "", {}};
    try {
      run.job = make_cell_job(cell, table.cells);
      run.job->job.is_dry_run = table.is_dry_run;
    } catch (const std::exception& error) {
      run.missing = error.what();
    }
    made.push_back(std::move(run));
  }
  return made;
}

void run_cells(std::vector<CellRun>& cells) {
  std::vector<experiment::GridJob> jobs;
  for (const CellRun& cell : cells) {
    if (cell.job) jobs.push_back(*cell.job);
  }
  RunListener listener({.level = spdlog::level::info});
  experiment::Workbench workbench(show_encoding);
  const auto results = experiment::run_grid(jobs, workbench, listener);
  auto next = results.begin();
  for (CellRun& cell : cells) {
    if (!cell.job) continue;
    cell.result = next->result;
    cell.missing = next->error ? what(next->error) : "";
    ++next;
  }
}

// --- What there is to say without running anything ---

std::string state_of(const CellRun& cell, experiment::Workbench& workbench) {
  if (!cell.job) {
    return "cannot be run: " + cell.missing;
  }
  try {
    if (cell.job->mistake) std::rethrow_exception(cell.job->mistake);
    const experiment::PreparedJob prepared = experiment::prepare(cell.job->job, workbench);
    const record::RunPreview found = record::preview(prepared.job.request);
    const std::string place =
        fmt::format("{}, experiment_{}", found.folder.string(), found.experiment_index);
    const std::size_t n_items = prepared.preparation.questions.queries.size();
    if (found.is_finished) {
      return fmt::format(
          "finished: {}{}", place,
          found.n_failed > 0 ? fmt::format(" ({} items failed)", found.n_failed) : "");
    }
    if (found.n_finished > 0) {
      return fmt::format("{} of {} items are there: {}", found.n_finished, n_items, place);
    }
    return fmt::format("to run: {} items", n_items);
  } catch (const std::exception& error) {
    return std::string("cannot be run: ") + error.what();
  }
}

void show_states(const std::string& model, const std::vector<CellRun>& cells) {
  experiment::Workbench workbench(show_encoding);
  std::cout << model << '\n';
  for (const CellRun& cell : cells) {
    std::cout << fmt::format("  {:<24} {}\n", cell.cell.name(), state_of(cell, workbench));
  }
}

std::string quoted(const std::string& argument) {
  const bool is_plain =
      !argument.empty() && std::all_of(argument.begin(), argument.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || std::string_view("-_./:=,+@%").find(c) != std::string::npos;
      });
  if (is_plain) {
    return argument;
  }
  std::string text = "'";
  for (const char c : argument) {
    text += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return text + "'";
}

// Returns whether all cells have one.
bool show_commands(const TableSettings& table, const std::vector<experiment::Cell>& cells) {
  bool has_all = true;
  for (const experiment::Cell& cell : cells) {
    try {
      std::string line = "labelprobe";
      for (const std::string& argument : experiment::run_arguments(cell, table.cells)) {
        line += ' ' + quoted(argument);
      }
      std::cout << line << '\n';
    } catch (const ConfigError& error) {
      std::cerr << "labelprobe: " << cell.name() << ": " << error.what() << '\n';
      has_all = false;
    }
  }
  return has_all;
}

// --- The report ---

class Report {
 public:
  Report(const TableSettings& table, const experiment::Table& rows) : table_(table), rows_(rows) {
    const std::string list = experiment::id_list_name(table.cells);
    const auto& limit = table.cells.limit;
    const fs::path folder = table.cells.log_root / "tables";
    fs::create_directories(folder);
    std::string name =
        fmt::format("{}-{}{}", table.table, list, limit ? "-" + std::to_string(*limit) : "");
    // The cells are in the name, so that some of them do not overwrite the whole table.
    for (const std::string& cell : table.asked) {
      name += '-' + cell;
    }
    std::replace(name.begin(), name.end(), '/', '-');
    path_ = folder / (name + ".md");
    text_ = fmt::format("# Distribution alignment: {}{}\n", list,
                        limit ? fmt::format(", first {} examples", *limit) : "");
  }

  void add_model(const std::vector<CellRun>& cells) {
    text_ += fmt::format("\n## {}\n", table_.cells.model);
    std::vector<std::string> notes;
    for (const CellRun& cell : cells) {
      if (!cell.missing.empty()) {
        notes.push_back(cell.cell.name() + ": " + cell.missing);
      } else if (cell.result.n_failed > 0) {
        notes.push_back(
            fmt::format("{}: {} items failed; each entry of {} says why under "
                        "test_failure",
                        cell.cell.name(), cell.result.n_failed,
                        (cell.result.folder / "indexed_metrics.yml").string()));
      }
    }
    for (const std::string_view task : rows_.tasks) {
      add_set(std::string(task), cells, notes);
    }
    if (!notes.empty()) {
      is_whole_ = false;
      text_ += "\n### Missing\n\n";
      for (const std::string& note : notes) {
        text_ += "- " + note + '\n';
      }
    }
  }

  // Whether nothing was missing.
  bool finish() const {
    std::ofstream file(path_, std::ios::binary);
    file << text_;
    if (!file.flush()) {
      throw ConfigError(path_.string() + ": cannot be written");
    }
    std::cout << text_ << std::flush;
    std::cerr << "written to " << path_.string() << '\n';
    return is_whole_;
  }

 private:
  void add_set(const std::string& task,
               const std::vector<CellRun>& cells,
               std::vector<std::string>& notes) {
    std::vector<const experiment::JobResult*> runs;
    for (const CellRun& cell : cells) {
      if (cell.cell.task == task && cell.missing.empty()) runs.push_back(&cell.result);
    }
    if (runs.empty()) {
      return;
    }
    text_ += fmt::format("\n### {}\n\n", task);
    try {
      text_ += align(task, runs);
    } catch (const std::exception& error) {
      notes.push_back(fmt::format("{}: no table: {}", task, error.what()));
      text_ += "No table; see below.\n";
    }
  }

  // The set's table in Markdown, as `labelprobe align` writes it.
  std::string align(const std::string& task,
                    const std::vector<const experiment::JobResult*>& runs) const {
    std::vector<std::string> arguments = {task};
    const auto add = [&](const std::vector<std::string>& more) {
      arguments.insert(arguments.end(), more.begin(), more.end());
    };
    for (const experiment::JobResult* run : runs) {
      if (run->experiment_index != runs.front()->experiment_index) {
        throw ConfigError("its runs have different places in their folders");
      }
      add({run->folder.string()});
    }
    add(experiment::data_arguments(task, table_.cells));
    add({"--experiment", std::to_string(runs.front()->experiment_index)});
    if (const std::string paper = table_.paper.empty() ? std::string(rows_.paper) : table_.paper;
        !paper.empty() && paper != "none") {
      add({"--paper", paper});
    }
    if (table_.n_resamples > 0) add({"--bootstrap", std::to_string(table_.n_resamples)});
    add({"--answer"});
    add(table_.answers);
    for (const std::string& given : table_.scores) {
      if (given.starts_with(task + "/")) add({"--scores", given.substr(task.size() + 1)});
    }
    const fs::path part = path_.string() + ".part";
    add({"--format", "markdown", "--out", part.string()});
    execute(find_command("align"), arguments);
    std::ifstream file(part, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    fs::remove(part);
    return text;
  }

  const TableSettings& table_;
  const experiment::Table& rows_;
  fs::path path_;
  std::string text_;
  bool is_whole_ = true;
};

// --- The command ---

// Models stand before the first word that begins with a dash; what follows are flags of `run`.
void take_run_flags(TableSettings& table) {
  const auto first = std::find_if(table.models.begin(), table.models.end(),
                                  [](const std::string& word) { return word.starts_with("-"); });
  table.cells.flags.assign(first, table.models.end());
  table.models.erase(first, table.models.end());
}

void check(TableSettings& table) {
  take_run_flags(table);
  if (table.models.empty()) {
    throw ConfigError(
        "expected at least one MODEL: a folder, .gguf file, or name in the Hugging "
        "Face cache");
  }
  if (table.seed < 0 && !table.shows_commands) {
    throw ConfigError("--seed: expected one seed, 0 or more, found " + std::to_string(table.seed));
  }
  table.cells.seed = std::to_string(table.seed);
  table.asked = split_at_commas(table.asked);
  table.answers = split_at_commas(table.answers);
  if (!table.paper.empty() && table.paper != "none") {
    analysis::parse_paper_table(table.paper);
  }
  const auto& tasks = experiment::find_table(table.table).tasks;
  for (const std::string& given : table.scores) {
    const std::size_t slash = given.find('/');
    const std::size_t equals = given.find('=');
    const bool is_of_set =
        std::find(tasks.begin(), tasks.end(), given.substr(0, slash)) != tasks.end();
    if (!is_of_set || equals == std::string::npos || equals < slash + 2 ||
        equals + 1 == given.size()) {
      throw ConfigError("--scores: expected SET/NAME=FILE with a set of the table, found '" +
                        given + "'");
    }
  }
}

int run_table(const TableSettings& given) {
  TableSettings table = given;
  check(table);
  const experiment::Table& rows = experiment::find_table(table.table);
  const std::vector<experiment::Cell> cells = experiment::choose_cells(rows, table.asked);
  std::optional<Report> report;
  bool is_whole = true;
  for (const std::string& model : table.models) {
    table.cells.model = model;
    if (table.shows_commands) {
      is_whole = show_commands(table, cells) && is_whole;
      continue;
    }
    std::vector<CellRun> runs = make_cells(table, cells);
    if (table.is_dry_run) {
      show_states(model, runs);
      continue;
    }
    run_cells(runs);
    if (!report) report.emplace(table, rows);
    report->add_model(runs);
  }
  if (report) {
    is_whole = report->finish();
  }
  return is_whole ? kSuccess : kSomeFailed;
}

fs::path from_environment(const char* variable, const fs::path& otherwise) {
  const char* given = std::getenv(variable);
  return given && *given != '\0' ? fs::path(given) : otherwise;
}

void declare_roots(OptionList& options, experiment::CellOptions& cells) {
  const auto add = [&](fs::path& field, const char* variable, OptionInfo info) {
    field = from_environment(variable, field);
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

void declare_table(OptionList& options, TableSettings& table) {
  std::vector<std::string> names;
  for (const experiment::Table& one : experiment::tables()) {
    names.emplace_back(one.name);
  }
  options.begin_group("Table");
  options.add(table.table,
              {.name = "TABLE",
               .help = "table1 (Llama3 70B), table5 (Llama3 8B) or pipelines (all runs "
                       "of the published pipelines)",
               .is_required = true,
               .shown = Shown::First,
               .choices = names});
  options.make_operand();
  options.add(table.models, {.name = "MODEL",
                             .help = "Folders, .gguf files or names in the Hugging Face cache; "
                                     "behind -- flags of labelprobe run",
                             .shown = Shown::First});
  options.make_operand();
  options.add(table.cells.limit, {.name = "limit",
                                  .help = "Only the first N examples of the list",
                                  .shown = Shown::First,
                                  .least = 1});
  options.add(table.asked, {.name = "cells",
                            .help = "Some cells only: sets (MFRC), distributions (unary) or both "
                                    "(MFRC/unary)",
                            .shown = Shown::First,
                            .value = "CELL"});
  options.add(table.cells.id_list, {.name = "id_list",
                                    .help = "Name of a list of the sets, or path of one",
                                    .fallback = "main_test_set",
                                    .shown = Shown::First,
                                    .value = "LIST"});
  options.add(table.cells.device, {.name = "device",
                                   .help = "auto, cpu, cuda or cuda:N",
                                   .fallback = "auto",
                                   .shown = Shown::First,
                                   .value = "DEVICE",
                                   .choices = {"auto", "cpu", "cuda"}});
  options.add(table.seed,
              {.name = "seed", .help = "Seed of the demonstrations", .fallback = "0", .least = -1});
  options.add(
      table.is_dry_run,
      {.name = "dry_run", .help = "Show how far each cell is and stop", .shown = Shown::First});
  options.add(table.shows_commands,
              {.name = "commands",
               .help = "Show the command line of each cell's run and stop; runs that were made so, "
                       "say on a cluster, are found"});
  declare_roots(options, table.cells);
  options.begin_group("Alignment");
  options.add(table.paper, {.name = "paper",
                            .help = "Whose published numbers stand beside: table1, table5 or none "
                                    "(default: those of the table)",
                            .value = "TABLE",
                            .choices = {"table1", "table5", "none"}});
  options.add(table.scores, {.name = "scores",
                             .help = "Scores of another method as a row of a set's table",
                             .value = "SET/NAME=FILE"});
  options.add(table.answers, {.name = "answer",
                              .help = "Where unary and binary answers are read: greedy, first, "
                                      "healed",
                              .fallback = "greedy",
                              .value = "POSITION",
                              .choices = {"greedy", "first", "healed"}});
  options.add(table.n_resamples, {.name = "bootstrap",
                                  .help = "Differences between rows, with intervals from N paired "
                                          "resamples",
                                  .least = 1});
}

}  // namespace

Command table_command() {
  return make_command<TableSettings>(
      {"table", "Run what is missing of a table of the paper, and print it",
       "labelprobe table table5 MODEL --limit 20 --cells GoEmotions"},
      declare_table, run_table);
}

}  // namespace labelprobe::app
