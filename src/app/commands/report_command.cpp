// labelprobe report: runs as one HTML file, for people to look through and to pass on.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/analysis/inspections.h"
#include "labelprobe/core/error.h"
#include "labelprobe/core/example.h"
#include "labelprobe/data/dataset.h"
#include "labelprobe/data/task_file.h"
#include "labelprobe/experiment/report.h"
#include "labelprobe/files/output_file.h"
#include "labelprobe/files/text_file.h"
#include "labelprobe/files/text_table.h"

#include "app/commands/command.h"
#include "app/options/logged_settings.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

struct ReportFlags {
  std::vector<std::string> runs;
  std::string out;
  std::string title;
  std::string task;
  std::vector<std::string> replaced;
  std::vector<std::string> figures;
  std::vector<std::string> inspections;
  bool is_dry = false;
  bool hides_prompts = false;
  std::optional<std::int64_t> limit;
};

// Options that the logs' own give way to.
record::OptionValues parse_replaced(const std::vector<std::string>& given) {
  record::OptionValues values;
  for (const std::string& text : given) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw ConfigError("--setting: expected NAME=VALUE, e.g. root_dir=data/GoEmotions, found '" +
                        text + "'");
    }
    std::string name = text.substr(0, equals);
    std::replace(name.begin(), name.end(), '-', '_');
    values[name].push_back(text.substr(equals + 1));
  }
  return values;
}

experiment::AskedRun ask(const std::string& given,
                         const std::string& known_task,
                         const record::OptionValues& replaced) {
  const record::RunName named = record::parse_run_name(given);
  experiment::AskedRun run;
  run.log = record::read_run(named.folder, named.index, record::Annotators::All);
  const auto others = std::stable_partition(
      run.log.items.begin(), run.log.items.end(),
      [](const record::ItemRecord& item) { return item.annotator.starts_with(kAggregate); });
  run.annotator_items.assign(std::move_iterator(others), std::move_iterator(run.log.items.end()));
  run.log.items.erase(others, run.log.items.end());
  run.origin = record::read_origin(run.log);
  std::string task = known_task.empty() ? experiment::task_of_folder(named.folder) : known_task;
  if (const auto file = run.origin.options.find("task_file");
      task.empty() && file != run.origin.options.end() && !file->second.empty()) {
    task = file->second.front();
  }
  record::OptionValues options = run.origin.options;
  for (const auto& [name, values] : replaced) options[name] = values;
  try {
    if (task.empty()) {
      throw ConfigError("the log's folder does not name its data set; --task does");
    }
    run.settings = logged_settings(task, run.log.plan, options);
  } catch (const ConfigError& error) {
    run.why_no_settings = fmt::format("{}.", error.what());
  }
  return run;
}

std::vector<experiment::AskedRun> ask_all(const ReportFlags& flags) {
  const record::OptionValues replaced = parse_replaced(flags.replaced);
  std::vector<experiment::AskedRun> runs;
  for (const std::string& given : flags.runs) {
    runs.push_back(ask(given, flags.task, replaced));
    const std::string name = record::describe(runs.back().log);
    for (std::size_t i = 0; i + 1 < runs.size(); ++i) {
      if (record::describe(runs[i].log) == name) {
        throw ConfigError("expected each run once, found twice " + name);
      }
    }
  }
  return runs;
}

// The SVG files of folders, by name, and single ones.
std::vector<analysis::ReportFigure> read_figures(const std::vector<std::string>& given) {
  std::vector<analysis::ReportFigure> figures;
  for (const std::string& path : given) {
    std::vector<fs::path> files;
    if (fs::is_directory(path)) {
      for (const auto& entry : fs::directory_iterator(path)) {
        if (entry.path().extension() == ".svg") files.push_back(entry.path());
      }
      std::sort(files.begin(), files.end());
      if (files.empty()) throw ConfigError("--figures: " + path + ": no .svg file is in it");
    } else {
      files.emplace_back(path);
    }
    for (const fs::path& file : files) {
      figures.push_back(
          {file.stem().string(), std::string(files::open_file(file, "an SVG picture").text())});
    }
  }
  return figures;
}

std::string usual_title(const analysis::ReportPage& page) {
  std::set<std::string> tasks;
  for (const analysis::ReportedRun& run : page.runs) {
    if (!run.task.empty()) tasks.insert(run.task);
  }
  return tasks.empty() ? "Label probabilities"
                       : fmt::format("Label probabilities, {}", fmt::join(tasks, " and "));
}

std::string size_of(const std::string& path) {
  std::error_code error;
  const auto n_bytes = fs::file_size(path, error);
  return error ? "" : fmt::format(": {:.1f} MB", static_cast<double>(n_bytes) / 1e6);
}

std::vector<experiment::InspectionFile> read_inspections(const std::vector<std::string>& paths) {
  std::vector<experiment::InspectionFile> files;
  for (const std::string& path : paths) files.push_back({path, analysis::read_inspections(path)});
  return files;
}

analysis::ReportPage make_page(const ReportFlags& flags, std::vector<experiment::AskedRun> runs) {
  std::vector<analysis::ReportFigure> figures = read_figures(flags.figures);
  analysis::ReportPage page = experiment::make_report(std::move(runs), !flags.hides_prompts,
                                                      read_inspections(flags.inspections));
  page.title = flags.title.empty() ? usual_title(page) : flags.title;
  page.figures = std::move(figures);
  if (flags.limit) page.limit = static_cast<std::size_t>(*flags.limit);
  return page;
}

std::size_t written_bytes(const analysis::ReportPage& page) {
  std::ostringstream out;
  analysis::write_report(out, page);
  return out.view().size();
}

// The page's bytes, from those of a page that lists a few items of each run.
double expected_bytes(analysis::ReportPage& page) {
  constexpr std::size_t kFew = 100;
  const std::optional<std::size_t> limit = page.limit;
  const auto n_listed = [&](std::size_t most) {
    std::size_t n = 0;
    for (const analysis::ReportedRun& run : page.runs) n += std::min(run.log.items.size(), most);
    return static_cast<double>(n);
  };
  const auto all = n_listed(limit.value_or(SIZE_MAX));
  const auto bytes_at = [&](std::size_t most) {
    page.limit = std::min(most, limit.value_or(SIZE_MAX));
    return static_cast<double>(written_bytes(page));
  };
  const double few = n_listed(std::min(kFew, limit.value_or(SIZE_MAX)));
  const double some = n_listed(std::min(kFew / 2, limit.value_or(SIZE_MAX)));
  const double bytes = bytes_at(kFew);
  const double per_item = few > some ? (bytes - bytes_at(kFew / 2)) / (few - some) : 0.0;
  page.limit = limit;
  return bytes + per_item * (all - few);
}

void tell_plan(analysis::ReportPage& page) {
  files::TextTable table;
  table.columns = {{"run", files::Align::Left},
                   {"plan", files::Align::Left},
                   {"items"},
                   {"of annotators"},
                   {"prompts"},
                   {"seen inside"}};
  for (const analysis::ReportedRun& run : page.runs) {
    const auto count = [](std::size_t n) { return n == 0 ? std::string() : std::to_string(n); };
    table.rows.push_back({record::describe(run.log), run.log.plan, count(run.log.items.size()),
                          count(run.annotator_items.size()), count(run.prompts.size()),
                          count(run.inside.size())});
  }
  drop_empty_columns(table);
  write_terminal(std::cout, table);
  std::cout << fmt::format("{} tables against votes, {} pictures; about {:.1f} MB\n",
                           page.tables.size(), page.figures.size(), expected_bytes(page) / 1e6);
}

int report(const ReportFlags& flags) {
  if (!flags.is_dry && flags.out.empty()) {
    throw ConfigError("--out is required: HTML file to write (--dry-run writes none)");
  }
  analysis::ReportPage page = make_page(flags, ask_all(flags));
  for (const analysis::ReportedRun& run : page.runs) {
    for (const std::string& note : run.notes) {
      std::cerr << fmt::format("note: {}: {}\n", record::describe(run.log), note);
    }
  }
  if (flags.is_dry) {
    tell_plan(page);
    return kSuccess;
  }
  files::OutputFile file(flags.out);
  analysis::write_report(file.stream(), page);
  file.finish();
  if (!file.is_standard_output()) std::cerr << flags.out << size_of(flags.out) << '\n';
  return kSuccess;
}

void declare_flags(OptionList& options, ReportFlags& flags) {
  options.add(flags.runs,
              {.name = "RUN_FOLDER",
               .help = "Log folders of finished runs; FOLDER/experiment_K names one experiment, "
                       "else the last",
               .is_required = true,
               .shown = Shown::First,
               .value = "FOLDER"});
  options.make_operand();
  options.begin_group("Report");
  options.add(flags.out, {.name = "out",
                          .help = "HTML file to write; - = standard output",
                          .shown = Shown::First,
                          .value = "FILE.html",
                          .usual = "report.html"});
  options.add(flags.title, {.name = "title",
                            .help = "Title of the page (default: names the data sets)",
                            .shown = Shown::First,
                            .value = "TEXT"});
  options.add(flags.figures, {.name = "figures",
                              .help = "Pictures to show too: .svg files, or folders of them",
                              .shown = Shown::First,
                              .value = "FILE"});
  options.add(flags.inspections,
              {.name = "inspection",
               .help = "What 'labelprobe inspect' has written of these runs, to be shown with "
                       "their items",
               .shown = Shown::First,
               .value = "FILE.jsonl"});
  options.add(flags.limit, {.name = "limit",
                            .help = "List only the first N items of each run; tables are of all",
                            .shown = Shown::First,
                            .least = 1});
  options.add(flags.hides_prompts, {.name = "no_prompts",
                                    .help = "Leave the prompts out, which are most of the text",
                                    .shown = Shown::First});
  options.add(flags.is_dry, {.name = "dry_run",
                             .help = "Read everything and say what the page would show and about "
                                     "how large it would be",
                             .shown = Shown::First});
  options.begin_group("Data");
  options.add_parsed(flags.task,
                     {.name = "task",
                      .help = "Data set of the runs, where their folders do not name it",
                      .value = "TASK"},
                     data::checked_task);
  options.add(flags.replaced,
              {.name = "setting",
               .help = "Value for a setting in place of the log's, where data have moved: "
                       "root_dir=data/GoEmotions",
               .shown = Shown::First,
               .value = "NAME=VALUE"});
}

}  // namespace

Command report_command() {
  return make_command<ReportFlags>(
      {CommandGroup::Analyse, "report",
       "Write runs as one HTML page: settings, tables, figures and every item, to filter and sort",
       "labelprobe report logs/GoEmotions/baseline_0 logs/GoEmotions/unary_0 --out report.html"},
      declare_flags, report);
}

}  // namespace labelprobe::app
