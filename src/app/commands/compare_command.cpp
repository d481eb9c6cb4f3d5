// labelprobe compare: what another precision, device or order of computation has changed in a run.
#include <functional>
#include <iostream>
#include <optional>
#include <string>

#include "labelprobe/analysis/comparison_report.h"
#include "labelprobe/core/error.h"
#include "labelprobe/files/output_file.h"
#include "labelprobe/record/logged_run.h"

#include "app/commands/command.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

struct CompareFlags {
  std::string run_a;
  std::string run_b;
  std::string csv_path;
  std::string json_path;
  std::string plot_path;
  std::size_t n_top = 0;
  std::optional<double> max_difference;
};

record::LoggedRun read_run(const std::string& given) {
  const record::RunName named = record::parse_run_name(given);
  return record::read_run(named.folder, named.index, record::Annotators::All);
}

void write_if_asked(const std::string& path, const std::function<void(std::ostream&)>& write) {
  if (path.empty()) {
    return;
  }
  files::OutputFile file(path);
  write(file.stream());
  file.finish();
}

int compare(const CompareFlags& flags) {
  if (flags.max_difference && !(*flags.max_difference >= 0.0)) {
    throw ConfigError("--max-difference: expected a number, at least 0");
  }
  const record::LoggedRun a = read_run(flags.run_a);
  const record::LoggedRun b = read_run(flags.run_b);
  analysis::ComparisonReport report;
  report.run_a = describe(a);
  report.run_b = describe(b);
  if (report.run_a == report.run_b) {
    throw ConfigError("expected two runs, found twice " + report.run_a +
                      "; name another of the folder's experiments, e.g. " +
                      (a.folder / "experiment_0").string());
  }
  report.settings = analysis::compare_settings(a.params, b.params);
  report.comparison = analysis::compare_runs(a, b);
  analysis::write_terminal(std::cout, report, flags.n_top);
  std::cout.flush();
  write_if_asked(flags.csv_path,
                 [&](std::ostream& out) { analysis::write_csv(out, report.comparison); });
  write_if_asked(flags.json_path, [&](std::ostream& out) { analysis::write_json(out, report); });
  write_if_asked(flags.plot_path,
                 [&](std::ostream& out) { analysis::write_svg(out, analysis::make_plot(report)); });
  std::vector<std::string> excesses;
  if (flags.max_difference) {
    excesses = analysis::describe_excesses(report.comparison, *flags.max_difference);
  }
  for (const std::string& excess : excesses) {
    std::cerr << "error: " << excess << '\n';
  }
  return excesses.empty() ? kSuccess : kSomeFailed;
}

void declare_flags(OptionList& options, CompareFlags& flags) {
  options.add(flags.run_a,
              {.name = "RUN_A",
               .help = "Log folder of a run, its last experiment, or FOLDER/experiment_K",
               .is_required = true,
               .shown = Shown::First,
               .value = "FOLDER"});
  options.make_operand();
  options.add(flags.run_b, {.name = "RUN_B",
                            .help = "The run to compare with it",
                            .is_required = true,
                            .shown = Shown::First,
                            .value = "FOLDER"});
  options.make_operand();
  options.begin_group("Comparison");
  options.add(flags.n_top,
              {.name = "top",
               .help = "How many flips and how many of the largest differences to list",
               .fallback = "10",
               .shown = Shown::First,
               .least = 0});
  options.add(flags.csv_path, {.name = "csv",
                               .help = "Write both probabilities of every item, step and label",
                               .shown = Shown::First,
                               .value = "FILE"});
  options.add(flags.json_path, {.name = "json",
                                .help = "Write every number of the comparison",
                                .shown = Shown::First,
                                .value = "FILE"});
  options.add(flags.plot_path, {.name = "plot",
                                .help = "Draw A's probabilities against B's",
                                .shown = Shown::First,
                                .value = "FILE.svg"});
  options.add(
      flags.max_difference,
      {.name = "max_difference",
       .help = "End with 1 if a probability differs by more, or an item is missing in a run "
               "or failed in one only, or a number is stated in one only",
       .shown = Shown::First});
}

}  // namespace

Command compare_command() {
  return make_command<CompareFlags>(
      {CommandGroup::Analyse, "compare",
       "Compare two runs of the same items: probabilities, flips, margins; f32 against FP4",
       "labelprobe compare logs/GoEmotions/example_0/experiment_0 logs/GoEmotions/example_1 --plot "
       "scatter.svg"},
      declare_flags, compare);
}

}  // namespace labelprobe::app
