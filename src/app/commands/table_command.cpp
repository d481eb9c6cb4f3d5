// labelprobe table: runs what is missing of a table of the paper, for models of one's choice, and
// prints it. Also shows how far its cells are, or the command line of each.
#include <algorithm>
#include <iostream>
#include <set>

#include <fmt/format.h>

#include "labelprobe/analysis/estimated_rows.h"
#include "labelprobe/analysis/published.h"
#include "labelprobe/core/error.h"
#include "labelprobe/experiment/grid.h"
#include "labelprobe/experiment/tables.h"
#include "labelprobe/files/text_table.h"

#include "app/commands/cells.h"
#include "app/commands/command.h"
#include "app/commands/run_listener.h"
#include "app/commands/table_report.h"
#include "app/options/comma_list.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

struct TableSettings {
  std::string table;
  std::vector<std::string> models;  // and behind `--` flags of `labelprobe run`
  experiment::CellOptions cells;    // of the model that is at hand
  std::vector<std::string> asked;
  std::int64_t seed = 0;
  std::vector<std::string> answers;
  ReportOptions report;
  bool is_dry_run = false;
  bool shows_commands = false;
};

// --- Cells ---

std::vector<CellRun> make_cells(const TableSettings& table,
                                const std::vector<experiment::Cell>& cells) {
  std::vector<CellRun> made;
  for (const experiment::Cell& cell : cells) {
    CellRun run{cell, std::nullopt, "", {}};
    try {
      run.job = make_cell_job(cell.name(), experiment::run_arguments(cell, table.cells));
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
  RunListener listener({.level = spdlog::level::info, .kind = "cell"});
  experiment::Workbench workbench(show_encoding);
  const auto results = experiment::run_grid(jobs, workbench, listener);
  auto next = results.begin();
  for (CellRun& cell : cells) {
    if (!cell.job) continue;
    cell.result = next->result;
    cell.missing = next->error ? message_of(next->error) : "";
    ++next;
  }
}

// --- What there is to say without running anything ---

void show_states(const std::string& model, const std::vector<CellRun>& cells) {
  experiment::Workbench workbench(show_encoding);
  files::TextTable table;
  table.columns = {{"", files::Align::Left}, {"", files::Align::Left}};
  for (const CellRun& cell : cells) {
    table.rows.push_back({cell.cell.name(), cell.job ? state_of(*cell.job, workbench).text
                                                     : "cannot be run: " + cell.missing});
  }
  std::cout << model << '\n';
  files::write_terminal(std::cout, table, {.indent = "  ", .has_header = false});
}

// Returns whether all cells have one.
bool show_commands(const TableSettings& table, const std::vector<experiment::Cell>& cells) {
  bool has_all = true;
  for (const experiment::Cell& cell : cells) {
    try {
      std::cout << shell_line(experiment::run_arguments(cell, table.cells)) << '\n';
    } catch (const ConfigError& error) {
      std::cerr << "labelprobe: " << cell.name() << ": " << error.what() << '\n';
      has_all = false;
    }
  }
  return has_all;
}

// --- The command ---

void check(TableSettings& table) {
  table.cells.flags = take_run_flags(table.models);
  if (table.seed < 0 && !table.shows_commands) {
    throw ConfigError("--seed: expected one seed, 0 or more, found " + std::to_string(table.seed));
  }
  table.cells.seed = std::to_string(table.seed);
  table.asked = split_at_commas(table.asked);
  table.report.answers = analysis::parse_answers(split_at_commas(table.answers));
  const experiment::Table& rows = experiment::find_table(table.table);
  if (table.report.paper.empty()) table.report.paper = rows.paper;
  if (!table.report.paper.empty() && table.report.paper != "none") {
    analysis::parse_paper_table(table.report.paper);
  }
  const auto& tasks = rows.tasks;
  for (const std::string& given : table.report.scores) {
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

// Tells people of lists that stand in for the published ones.
void say_lists(const std::vector<experiment::Cell>& cells, const experiment::CellOptions& options) {
  if (options.id_list) return;
  std::set<std::string> said;
  for (const experiment::Cell& cell : cells) {
    if (!said.insert(cell.task).second) continue;
    try {
      const std::string name = experiment::find_id_list(cell.task, options).name;
      if (name == experiment::kUsualLists.front()) continue;
      std::cerr << fmt::format(
          "note: {}: the published list {} is not here, {} stands in for it (scripts/get_ids.sh "
          "gets the published lists)\n",
          cell.task, experiment::kUsualLists.front(), name);
    } catch (const ConfigError&) {
      // The cell says so itself.
    }
  }
}

int run_table(const TableSettings& given) {
  TableSettings table = given;
  check(table);
  const experiment::Table& rows = experiment::find_table(table.table);
  const std::vector<experiment::Cell> cells = experiment::choose_cells(rows, table.asked);
  say_lists(cells, table.cells);
  TableReport report(table.table, table.asked, table.report);
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
    report.add_model(table.cells, rows.tasks, runs);
  }
  if (!report.is_empty()) {
    is_whole = report.is_whole();
    const fs::path file = report.write(table.cells.log_root / "tables");
    std::cout << report.text() << std::flush;
    std::cerr << "written to " << file.string() << '\n';
  }
  return is_whole ? kSuccess : kSomeFailed;
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
  options.add(table.cells.id_list,
              {.name = "id_list",
               .help = "Name of a list of the sets, path of one, or none (default: "
                       "main_test_set where a set has it, else ours_200)",
               .shown = Shown::First,
               .value = "LIST"});
  declare_cell_flags(options, table.cells, table.seed);
  options.add(
      table.is_dry_run,
      {.name = "dry_run", .help = "Show how far each cell is and stop", .shown = Shown::First});
  options.add(table.shows_commands,
              {.name = "commands",
               .help = "Show the command line of each cell's run and stop; runs that were made so, "
                       "say on a cluster, are found"});
  declare_roots(options, table.cells);
  options.begin_group("Alignment");
  options.add(table.report.paper,
              {.name = "paper",
               .help = "Whose published numbers stand beside: table1, table5 or none "
                       "(default: those of the table)",
               .value = "TABLE",
               .choices = {"table1", "table5", "none"}});
  options.add(table.report.scores, {.name = "scores",
                                    .help = "Scores of another method as a row of a set's table",
                                    .value = "SET/NAME=FILE"});
  options.add(table.answers, {.name = "answer",
                              .help = "Where unary and binary answers are read: greedy, first, "
                                      "healed",
                              .fallback = "greedy",
                              .value = "POSITION",
                              .choices = {"greedy", "first", "healed"}});
  options.add(table.report.n_resamples,
              {.name = "bootstrap",
               .help = "Differences between rows, with intervals from N paired "
                       "resamples",
               .least = 1});
}

}  // namespace

Command table_command() {
  return make_command<TableSettings>(
      {CommandGroup::Ask, "table", "Run what is missing of a table of the paper, and print it",
       "labelprobe table table5 MODEL --limit 20 --cells GoEmotions"},
      declare_table, run_table);
}

}  // namespace labelprobe::app
