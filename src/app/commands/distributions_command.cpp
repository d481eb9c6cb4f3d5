// labelprobe distributions: the estimates behind an alignment, item by item, for other programs.
#include <filesystem>
#include <functional>
#include <iostream>

#include <fmt/format.h>

#include "labelprobe/analysis/estimated_rows.h"
#include "labelprobe/analysis/validity.h"
#include "labelprobe/core/error.h"
#include "labelprobe/experiment/alignment.h"
#include "labelprobe/files/output_file.h"

#include "app/commands/command.h"
#include "app/commands/run_flags.h"
#include "app/options/run_options.h"

namespace labelprobe::app {

namespace {

struct DistributionFlags {
  DataSettings data;
  RunFlags runs;
  std::vector<std::string> estimators;
  std::string out_path;
  std::string votes_path;
};

enum class FileFormat { Yaml, JsonLines, Csv };

FileFormat format_of(const std::string& path) {
  const std::string ending = std::filesystem::path(path).extension().string();
  if (ending == ".yml" || ending == ".yaml") {
    return FileFormat::Yaml;
  }
  if (ending == ".jsonl" || path == "-") {
    return FileFormat::JsonLines;
  }
  if (ending == ".csv") {
    return FileFormat::Csv;
  }
  const std::string known[] = {".yml", ".yaml", ".jsonl", ".csv"};
  throw ConfigError("--out: " + path + ": " + unknown_choice("file ending", ending, known));
}

void write_out(const std::string& path, const std::function<void(std::ostream&)>& write) {
  files::OutputFile file(path);
  write(file.stream());
  file.finish();
}

int write_distributions(const DistributionFlags& flags) {
  const FileFormat format = format_of(flags.out_path);
  const std::vector<analysis::AnswerPosition> answers = analysis::parse_answers(flags.runs.answers);
  const std::string& task = flags.runs.task;
  data::DatasetOptions of_test = flags.data.test;
  analysis::VotedSet set;
  if (!flags.votes_path.empty()) {
    set = experiment::load_votes(task, std::move(of_test));
  } else {
    of_test.annotation_mode = data::AnnotationMode::Aggregate;
    set.label_set = data::load(task, of_test).label_set;
  }
  std::vector<std::string> warnings = set.warnings;
  const std::vector<analysis::RunLog> runs = load_runs(
      flags.runs, flags.runs.tuned_folders.empty() ? Search::IfNoneNamed : Search::IfAsked,
      set.label_set);
  const auto rows =
      analysis::estimate_rows(runs, answers, set.label_set, flags.estimators, warnings);
  print_warnings(warnings);
  for (const analysis::RunLog& run : runs) {
    const std::string brief = analysis::describe_briefly(analysis::measure_validity(run.items));
    std::cerr << fmt::format("{}; {}\n", describe(run), brief);
  }
  write_out(flags.out_path, [&](std::ostream& out) {
    if (format == FileFormat::Yaml) {
      analysis::write_distributions_yaml(out, rows, set.label_set, answers.size());
    } else if (format == FileFormat::Csv) {
      analysis::write_distributions_csv(out, rows, set.label_set);
    } else {
      analysis::write_distributions_json_lines(out, rows, set.label_set);
    }
  });
  if (!flags.votes_path.empty()) {
    write_out(flags.votes_path, [&](std::ostream& out) {
      analysis::write_votes_json_lines(out, set.votes, set.label_set);
    });
  }
  return kSuccess;
}

void declare_flags(OptionList& options, DistributionFlags& flags) {
  declare_run_flags(options, flags.runs);
  options.begin_group("Output");
  options.add(
      flags.estimators,
      {.name = "estimator",
       .help = "Only these: baseline, output, unary, binary, binary_outcome, max, "
               "SFT_output, SFT_max, ... (see: labelprobe ls estimators; default: all that the "
               "runs allow)",
       .value = "NAME"});
  options.add(flags.out_path,
              {.name = "out",
               .help = "File to write: .yml (estimator -> id -> label -> probability), .jsonl or "
                       ".csv; - = standard output, JSON lines",
               .is_required = true,
               .shown = Shown::First,
               .value = "FILE"});
  options.add(flags.votes_path, {.name = "votes",
                                 .help = "JSON lines of the annotators' votes as well",
                                 .shown = Shown::First,
                                 .value = "FILE"});
  declare_data(options, flags.data);
}

}  // namespace

Command distributions_command() {
  return make_command<DistributionFlags>(
      {CommandGroup::Analyse, "distributions",
       "Write the label distributions of runs item by item, and the votes",
       "labelprobe distributions GoEmotions RUN_FOLDER --config configs/GoEmotions/pipeline.yaml "
       "--out distributions.yml"},
      declare_flags, write_distributions);
}

}  // namespace labelprobe::app
