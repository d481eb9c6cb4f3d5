// labelprobe compare: what another precision, device or order of computation has changed in a run.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <optional>
#include <string>

#include "labelprobe/analysis/comparison_report.h"
#include "labelprobe/core/error.h"
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

bool is_unset(const std::string& text) {
  return text.empty() || text == "null" || text == "false" || text == "0";
}

// Where logs go is no property of a run.
bool is_about_folders(const std::string& name) {
  return name == "log_root" || name == "alternative_experiment_name" || name == "description";
}

std::vector<analysis::SettingDifference> different_settings(const record::LoggedParams& a,
                                                            const record::LoggedParams& b) {
  record::LoggedParams names = a;
  names.insert(b.begin(), b.end());
  std::vector<analysis::SettingDifference> differences;
  for (const auto& [name, first] : names) {
    const auto of_a = a.find(name);
    const auto of_b = b.find(name);
    const std::string value_a = of_a == a.end() ? "" : of_a->second;
    const std::string value_b = of_b == b.end() ? "" : of_b->second;
    const bool is_in_one = of_a == a.end() || of_b == b.end();
    if (value_a != value_b && !is_about_folders(name) &&
        !(is_in_one && is_unset(value_a) && is_unset(value_b))) {
      differences.push_back({name, value_a, value_b});
    }
  }
  return differences;
}

void write_file(const std::string& path, const std::function<void(std::ostream&)>& write) {
  if (path.empty()) {
    return;
  }
  std::ofstream file(path, std::ios::binary);
  write(file);
  if (!file.flush()) {
    throw ConfigError(path + ": cannot be written");
  }
}

std::string counted(std::size_t n_items) {
  return std::to_string(n_items) + (n_items == 1 ? " item" : " items");
}

// Whether all that --max-difference demands holds; says on standard error what does not.
bool is_within(const analysis::RunComparison& comparison, double max_difference) {
  bool do_all_hold = true;
  const auto complain = [&](const std::string& what) {
    std::fprintf(stderr, "error: %s\n", what.c_str());
    do_all_hold = false;
  };
  if (!comparison.worst.empty() && comparison.worst.front().difference > max_difference) {
    const auto n = static_cast<std::size_t>(std::count_if(
        comparison.worst.begin(), comparison.worst.end(),
        [&](const analysis::LargestDifference& w) { return w.difference > max_difference; }));
    char limit[64];
    std::snprintf(limit, sizeof limit, "%g", max_difference);
    complain("probabilities differ by more than " + std::string(limit) + " in " + counted(n) +
             "; most: " + analysis::describe_largest(comparison));
  }
  const auto complain_of = [&](const std::vector<std::string>& keys, const std::string& what) {
    if (!keys.empty()) {
      complain(what + ": " + counted(keys.size()) + ", the first '" + keys.front() + "'");
    }
  };
  complain_of(comparison.only_a, "only in A");
  complain_of(comparison.only_b, "only in B");
  if (comparison.failed_a != comparison.failed_b) {
    complain_of(comparison.failed_a, "failed in A");
    complain_of(comparison.failed_b, "failed in B");
  }
  return do_all_hold;
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
  report.settings = different_settings(a.params, b.params);
  report.comparison = analysis::compare_runs(a, b);
  analysis::write_terminal(std::cout, report, flags.n_top);
  std::cout.flush();
  write_file(flags.csv_path,
             [&](std::ostream& out) { analysis::write_csv(out, report.comparison); });
  write_file(flags.json_path, [&](std::ostream& out) { analysis::write_json(out, report); });
  write_file(flags.plot_path,
             [&](std::ostream& out) { analysis::write_svg(out, analysis::make_plot(report)); });
  const bool is_good = !flags.max_difference || is_within(report.comparison, *flags.max_difference);
  return is_good ? kSuccess : kSomeFailed;
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
               "or failed in one only",
       .shown = Shown::First});
}

}  // namespace

Command compare_command() {
  return make_command<CompareFlags>(
      {"compare",
       "Compare two runs of the same items: probabilities, flips, margins; f32 against FP4",
       "labelprobe compare logs/GoEmotions/example_0/experiment_0 logs/GoEmotions/example_1 --plot "
       "scatter.svg"},
      declare_flags, compare);
}

}  // namespace labelprobe::app
