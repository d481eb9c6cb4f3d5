// labelprobe paper: every table and figure of the paper for models of one's own: runs what is
// missing, then writes numbers, tables, figures and a report.
#include <algorithm>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/grid.h"
#include "labelprobe/experiment/paper.h"
#include "labelprobe/experiment/report.h"
#include "labelprobe/files/disk.h"
#include "labelprobe/files/text_table.h"

#include "app/commands/cells.h"
#include "app/commands/command.h"
#include "app/commands/paper_files.h"
#include "app/commands/paper_flags.h"
#include "app/commands/run_listener.h"
#include "app/terminal/activity_line.h"
#include "app/terminal/progress.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

using experiment::PaperCell;
using experiment::PaperPart;
using experiment::PaperRequest;
using experiment::PaperRun;

// A cell, its job, and what became of it.
struct PaperJob {
  PaperRun run;
  std::optional<experiment::GridJob> job;  // unset if it cannot be made
  std::vector<std::string> command_line;
};

// --- Runs ---

experiment::PaperOptions options_of(const PaperFlags& flags,
                                    const IdLists& lists,
                                    const PaperCell& cell) {
  experiment::PaperOptions options = flags.options;
  options.cells.model = flags.models[cell.model];
  options.cells.seed = std::to_string(flags.seed);
  if (!flags.tuned.empty()) options.tuned = flags.tuned[cell.model];
  for (const std::string& set : {cell.task, std::string()}) {
    const auto found = lists.find(set);
    if (found == lists.end()) continue;
    options.cells.id_list = found->second;
    break;
  }
  return options;
}

std::vector<PaperJob> make_jobs(const PaperFlags& flags,
                                const std::vector<const PaperPart*>& parts) {
  const IdLists lists = parse_id_lists(flags.id_lists);
  std::vector<PaperJob> jobs;
  for (std::size_t model = 0; model < flags.models.size(); ++model) {
    for (const PaperCell& cell : experiment::paper_cells(parts, flags.sets, model)) {
      PaperJob& job = jobs.emplace_back();
      job.run.cell = cell;
      try {
        job.command_line = cell.kind->arguments(cell.task, options_of(flags, lists, cell));
        job.job = make_cell_job(cell.name(), job.command_line);
        if (job.job->mistake) std::rethrow_exception(job.job->mistake);
        job.run.settings = job.job->job.settings;
      } catch (const std::exception& error) {
        job.run.missing = error.what();
        job.job.reset();
      }
    }
  }
  return jobs;
}

void carry_out(const PaperFlags& flags, std::vector<PaperJob>& jobs) {
  std::vector<experiment::GridJob> grid;
  std::vector<PaperJob*> places;
  for (PaperJob& job : jobs) {
    if (!job.job) continue;
    grid.push_back(*job.job);
    places.push_back(&job);
  }
  RunDisplay display = {.level = spdlog::level::info, .kind = "run"};
  if (flags.seconds) {
    display.deadline = std::chrono::steady_clock::now() +
                       std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                           std::chrono::duration<double>(*flags.seconds));
  }
  RunListener listener(display);
  experiment::Workbench workbench(show_encoding);
  const auto results = experiment::run_grid(grid, workbench, listener);
  for (std::size_t i = 0; i < results.size(); ++i) {
    places[i]->run.folder = results[i].result.folder;
    places[i]->run.experiment_index = results[i].result.experiment_index;
    if (results[i].error) places[i]->run.missing = message_of(results[i].error);
  }
}

// --- What there is to say without running anything ---

std::string time_of(const CellState& state) {
  if (!state.can_be_run || state.is_finished) return "";
  return state.seconds ? "about " + describe_duration(*state.seconds) : "time not known";
}

void show_states(const PaperFlags& flags,
                 const std::vector<std::string>& names,
                 const std::vector<PaperJob>& jobs) {
  experiment::Workbench workbench(show_encoding);
  double seconds = 0;
  std::size_t n_unknown = 0;
  for (std::size_t model = 0; model < names.size(); ++model) {
    files::TextTable table;
    table.columns = {{"run", files::Align::Left}, {"time"}, {"state", files::Align::Left}};
    for (const PaperJob& job : jobs) {
      if (job.run.cell.model != model) continue;
      CellState state;
      state.can_be_run = false;
      state.text = "cannot be run: " + job.run.missing;
      if (job.job) {
        experiment::GridJob looked_at = *job.job;
        looked_at.job.is_dry_run = true;
        state = state_of(looked_at, workbench);
      }
      if (state.can_be_run && !state.seconds) ++n_unknown;
      seconds += state.seconds.value_or(0);
      table.rows.push_back({job.run.cell.name(), time_of(state), state.text});
    }
    std::cout << names[model] << '\n';
    files::write_terminal(std::cout, table, {.indent = "  ", .empty = ""});
  }
  std::cout << fmt::format(
      "time of all runs: about {}{}\n", describe_duration(seconds),
      n_unknown == 0 ? ""
                     : fmt::format(", and {} runs whose model was not timed here yet", n_unknown));
  if (flags.seconds) {
    std::cout << fmt::format("--time-limit {}: runs that would not be over by then are left out\n",
                             describe_duration(*flags.seconds));
  }
}

// "baseline of GoEmotions, MFRC; unary of GoEmotions"
std::string made_of(const PaperPart& part, const PaperFlags& flags) {
  std::vector<std::pair<std::string_view, std::vector<std::string>>> kinds;
  for (const PaperCell& cell : experiment::paper_cells(std::vector{&part}, flags.sets, 0)) {
    if (kinds.empty() || kinds.back().first != cell.kind->name) {
      kinds.push_back({cell.kind->name, {}});
    }
    kinds.back().second.push_back(cell.task);
  }
  std::vector<std::string> texts;
  for (const auto& [kind, sets] : kinds) {
    texts.push_back(fmt::format("{} of {}", kind, fmt::join(sets, ", ")));
  }
  return texts.empty() ? "prompts" : fmt::format("{}", fmt::join(texts, "; "));
}

void show_parts(const PaperFlags& flags,
                const std::vector<const PaperPart*>& parts,
                std::size_t n_models) {
  std::cout << "\nkinds of run\n";
  files::TextTable kinds;
  kinds.columns = {{"", files::Align::Left}, {"", files::Align::Left}};
  for (const experiment::PaperRunKind& kind : experiment::paper_run_kinds()) {
    kinds.rows.push_back({std::string(kind.name), std::string(kind.summary)});
  }
  files::write_terminal(std::cout, kinds, {.indent = "  ", .has_header = false});
  std::cout << "parts, and what they are made of\n";
  files::TextTable table;
  table.columns = kinds.columns;
  for (const PaperPart* part : parts) {
    std::string text = made_of(*part, flags);
    if (part->name == "figure11" && n_models < 2) text += "; of two models, base and chat";
    table.rows.push_back({std::string(part->title), text});
  }
  files::write_terminal(std::cout, table, {.indent = "  ", .has_header = false});
}

bool show_commands(const std::vector<PaperJob>& jobs) {
  bool has_all = true;
  for (const PaperJob& job : jobs) {
    if (job.job) {
      std::cout << shell_line(job.command_line) << '\n';
    } else {
      std::cerr << "labelprobe: " << job.run.cell.name() << ": " << job.run.missing << '\n';
      has_all = false;
    }
  }
  return has_all;
}

// --- The report ---

// The first prompt of each kind, of the first set that has them all.
std::vector<PaperPrompt> example_prompts(const PaperFlags& flags) {
  const IdLists lists = parse_id_lists(flags.id_lists);
  experiment::Workbench workbench(show_encoding);
  for (const PaperCell& cell : experiment::paper_cells(
           experiment::choose_paper_parts(std::vector<std::string>{"figure7"}), flags.sets, 0)) {
    std::vector<PaperPrompt> prompts;
    try {
      for (const char* kind : {"baseline", "unary", "binary"}) {
        auto job = make_cell_job(kind, experiment::run_arguments(
                                           {cell.task, kind}, options_of(flags, lists, cell).cells))
                       .job;
        job.settings.limit = 1;
        job.is_dry_run = true;
        const experiment::PreparedJob prepared = experiment::prepare(job, workbench);
        const prompt::Query& query = prepared.preparation.questions.queries.at(0);
        prompts.emplace_back(fmt::format("{}, {}: {}", cell.task, kind, query.item.id()),
                             query.text);
      }
      return prompts;
    } catch (const Error&) {
      // Its cells say what is missing.
    }
  }
  return {};
}

// Items are shown of runs that ask which labels; of others where there are none.
std::vector<experiment::AskedRun> shown_runs(const std::vector<PaperJob>& jobs) {
  std::vector<experiment::AskedRun> runs;
  for (const char* kind : {"baseline", "steps", "unary"}) {
    for (const PaperJob& job : jobs) {
      if (job.run.cell.kind->name != kind || !job.run.missing.empty()) continue;
      experiment::AskedRun& run = runs.emplace_back();
      run.log = record::read_run(job.run.folder, job.run.experiment_index);
      run.origin = record::read_origin(run.log);
      run.settings = job.run.settings;
    }
    if (!runs.empty()) break;
  }
  return runs;
}

void write_report(const PaperFlags& flags,
                  const std::vector<PaperJob>& jobs,
                  const experiment::Paper& paper,
                  const PaperFiles& files,
                  std::vector<analysis::ReportSection> sections) {
  std::vector<experiment::AskedRun> runs = shown_runs(jobs);
  if (runs.empty()) {
    std::cerr << "there is no report, as no run is finished\n";
    return;
  }
  analysis::ReportPage page = experiment::make_report(std::move(runs), true);
  page.title = "Large language models and several labels: the paper's tables and figures";
  if (flags.n_report_items) page.limit = static_cast<std::size_t>(*flags.n_report_items);
  if (!paper.warnings.empty()) {
    analysis::ReportSection& warnings = sections.emplace_back();
    warnings.id = "paper-warnings";
    warnings.title = "Warnings";
    warnings.paragraphs = paper.warnings;
  }
  std::cout << write_paper_report(files, std::move(page), std::move(sections)).string() << '\n';
}

// --- The command ---

int make(const PaperFlags& flags,
         const std::vector<std::string>& names,
         const std::vector<const PaperPart*>& parts,
         std::vector<PaperJob>& jobs) {
  carry_out(flags, jobs);
  PaperRequest request;
  request.models = names;
  request.parts = parts;
  request.sets = flags.sets;
  for (const PaperJob& job : jobs) request.runs.push_back(job.run);
  request.scores = parse_scores(flags.scores);
  add_demux_scores(flags.options.cells.log_root, request.scores);
  request.answer = analysis::parse_answer_position(flags.answer);
  request.n_components = flags.n_components;
  if (flags.is_union) request.figures.range = analysis::StepRange::All;
  request.folder = flags.out;
  std::vector<std::string> not_drawn;
  experiment::Paper paper;
  {
    ActivityLine line(true);
    const auto progress = [&](const std::string& what) { line.show(what); };
    paper = experiment::make_paper(request, progress);
    const PaperFiles files = {flags.out, flags.python, flags.is_data_only, progress};
    write_paper_runs(files, request);
    const bool has_prompts = std::any_of(
        parts.begin(), parts.end(), [](const PaperPart* part) { return part->name == "table3"; });
    auto sections = write_paper_parts(
        files, parts, paper, has_prompts ? example_prompts(flags) : std::vector<PaperPrompt>(),
        not_drawn);
    write_report(flags, jobs, paper, files, std::move(sections));
  }
  if (!flags.is_data_only) {
    for (const std::string& sentence : not_drawn) std::cerr << sentence << '\n';
  }
  std::size_t n_missing = 0;
  for (const PaperJob& job : jobs) n_missing += job.run.missing.empty() ? 0 : 1;
  const bool is_whole = paper.is_whole() && (flags.is_data_only || not_drawn.empty());
  std::cerr << fmt::format(
      "{} of {} runs are there; {}: {}\n", jobs.size() - n_missing, jobs.size(),
      is_whole ? "nothing is missing" : "what is missing is said in the tables", flags.out);
  return is_whole ? kSuccess : kSomeFailed;
}

int paper(const PaperFlags& given) {
  PaperFlags flags = given;
  flags.options.cells.flags = take_run_flags(flags.models);
  check_lengths(flags);
  if (flags.seed < 0) {
    throw ConfigError("--seed: expected one seed, 0 or more, found " + std::to_string(flags.seed));
  }
  parse_scores(flags.scores);
  analysis::parse_answer_position(flags.answer);
  const std::vector<std::string> names = name_models(flags);
  const std::vector<const PaperPart*> parts = experiment::choose_paper_parts(flags.parts);
  std::vector<PaperJob> jobs = make_jobs(flags, parts);
  if (flags.shows_commands) return show_commands(jobs) ? kSuccess : kSomeFailed;
  if (flags.is_dry_run) {
    show_states(flags, names, jobs);
    show_parts(flags, parts, names.size());
    return kSuccess;
  }
  if (flags.out.empty()) throw ConfigError("--out: expected a folder for what is made");
  files::Disk().make_folders(flags.out);
  return make(flags, names, parts, jobs);
}

}  // namespace

Command paper_command() {
  return make_command<PaperFlags>(
      {CommandGroup::Ask, "paper",
       "Run what is missing of the whole paper; write its tables, figures and a report",
       "labelprobe paper MODEL --out paper --limit 20 --split-limit 700 --dry-run"},
      declare_paper, paper);
}

}  // namespace labelprobe::app
