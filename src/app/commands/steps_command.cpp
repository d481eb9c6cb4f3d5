// labelprobe steps: the last label step against those before it, and what becomes of the label that
// ranks second (Table 4).
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/analysis/named_runs.h"
#include "labelprobe/analysis/step_report.h"
#include "labelprobe/core/error.h"
#include "labelprobe/files/output_file.h"

#include "app/commands/command.h"
#include "app/commands/published_lines.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

struct StepFlags {
  std::vector<std::string> runs;
  std::vector<std::string> names;
  analysis::StepOptions options;
  std::optional<int> n_most;
  std::string format;
  std::string out_path;
  std::string output;
  bool has_paper = false;
};

enum class StepFormat { Terminal, Csv, Json };
constexpr auto kStepFormats = enum_names<StepFormat>("format",
                                                     {{StepFormat::Terminal, "terminal", "txt"},
                                                      {StepFormat::Csv, "csv"},
                                                      {StepFormat::Json, "json"}});

// By the flag, or the ending of the file.
StepFormat choose_format(const StepFlags& flags) {
  if (!flags.format.empty()) return kStepFormats.parse(flags.format);
  const std::string ending = fs::path(flags.out_path).extension().string();
  if (ending.empty()) return StepFormat::Terminal;
  if (const auto found = kStepFormats.find(ending.substr(1))) return *found;
  const std::string known[] = {".txt", ".csv", ".json"};
  throw ConfigError("--out: " + flags.out_path + ": " +
                    unknown_choice("file ending", ending, known));
}

analysis::NamedSteps summarize(const analysis::NamedRuns& named, const StepFlags& flags) {
  analysis::NamedSteps steps;
  steps.name = named.name();
  std::vector<analysis::StepRow> rows;
  for (const record::LoggedRun& run : named.experiments) {
    steps.runs.push_back(describe(run));
    steps.n_items += run.items.size();
    const auto of_run = analysis::measure_steps(run, flags.options);
    rows.insert(rows.end(), of_run.begin(), of_run.end());
  }
  steps.summary = analysis::summarize_steps(rows);
  steps.shown = analysis::shown_steps(steps.summary, analysis::StepRange::All, flags.n_most);
  return steps;
}

void write_file(const fs::path& path, const std::string& text) {
  files::OutputFile file(path);
  file.stream() << text;
  file.finish();
}

// The published files: stats.txt beside each log, <name>_stats.yml in the folder.
void write_stats(const std::vector<analysis::NamedRuns>& runs,
                 const std::vector<analysis::NamedSteps>& all,
                 const fs::path& folder) {
  fs::create_directories(folder);
  for (std::size_t i = 0; i < all.size(); ++i) {
    write_file(runs[i].experiments.front().folder / "stats.txt",
               analysis::stats_text(all[i].summary));
    write_file(folder / (analysis::file_stem(all[i].name) + "_stats.yml"),
               analysis::stats_yaml(all[i].summary));
  }
}

int tell_steps(const StepFlags& flags) {
  const StepFormat format = choose_format(flags);
  const std::vector<analysis::NamedRuns> runs = analysis::read_all_named(flags.runs, flags.names);
  std::vector<analysis::NamedSteps> all;
  for (const analysis::NamedRuns& named : runs) all.push_back(summarize(named, flags));
  files::OutputFile file(flags.out_path.empty() ? "-" : flags.out_path);
  if (format == StepFormat::Csv) {
    analysis::write_steps_csv(file.stream(), all);
  } else if (format == StepFormat::Json) {
    analysis::write_steps_json(file.stream(), all);
  } else {
    analysis::write_steps_terminal(file.stream(), all);
    if (flags.has_paper) {
      for (const analysis::NamedRuns& named : runs) {
        write_published(file.stream(), "table4", named.set);
      }
    }
  }
  file.finish();
  if (!flags.output.empty()) write_stats(runs, all, flags.output);
  return kSuccess;
}

void declare_flags(OptionList& options, StepFlags& flags) {
  options.add(flags.runs,
              {.name = "RUN_FOLDER",
               .help = "Log folders of baseline or classify runs, all experiments of each taken "
                       "together; FOLDER/experiment_K = one of them",
               .is_required = true,
               .shown = Shown::First,
               .value = "FOLDER"});
  options.make_operand();
  options.begin_group("Steps");
  options.add(flags.names, {.name = "name",
                            .help = "What to call each run (default: SET/MODEL)",
                            .shown = Shown::First,
                            .value = "NAME"});
  options.add(flags.options.removes_none,
              {.name = "remove_none",
               .help = "Stop at the first step whose likeliest label is none",
               .shown = Shown::First});
  options.add(flags.n_most,
              {.name = "max_rank", .help = "Show only the first N steps", .least = 1});
  options.begin_group("Output");
  declare_published(options, flags.has_paper);
  options.add(flags.format, {.name = "format",
                             .help = "terminal, csv or json (default: by the ending of --out)",
                             .shown = Shown::First,
                             .value = "FORMAT",
                             .choices = kStepFormats.names()});
  options.add(flags.out_path, {.name = "out",
                               .help = "File to write (default: standard output)",
                               .shown = Shown::First,
                               .value = "FILE"});
  options.add(flags.output,
              {.name = "output",
               .help = "Write the published files as well: NAME_stats.yml into this folder, "
                       "stats.txt into each log folder",
               .value = "FOLDER"});
}

}  // namespace

Command steps_command() {
  return make_command<StepFlags>(
      {CommandGroup::Analyse, "steps",
       "Compare the last label step with those before it; labels that rank second (Table 4)",
       "labelprobe steps logs/GoEmotions/example_0 --out steps.csv"},
      declare_flags, tell_steps);
}

}  // namespace labelprobe::app
