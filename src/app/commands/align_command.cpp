// labelprobe align: how far a model's label distributions are from what people chose.
#include <iostream>
#include <utility>

#include "labelprobe/analysis/estimated_rows.h"
#include "labelprobe/core/error.h"
#include "labelprobe/experiment/alignment.h"
#include "labelprobe/files/output_file.h"

#include "app/commands/command.h"
#include "app/commands/run_flags.h"
#include "app/options/run_options.h"

namespace labelprobe::app {

namespace {

struct AlignFlags {
  DataSettings data;
  RunFlags runs;
  std::vector<std::string> scores;
  std::vector<std::string> platt_folders;
  std::vector<std::string> platt_splits;
  std::vector<std::string> platt_ids_filenames;
  std::vector<std::string> calibrators;
  int n_resamples = 0;
  std::int64_t seed = 0;
  double level = 0;
  std::string against;
  std::string paper;
  bool has_labels = false;
  std::string format;
  std::string out_path;
};

std::vector<analysis::NamedScores> parse_named_scores(const std::vector<std::string>& given) {
  std::vector<analysis::NamedScores> scores;
  for (const std::string& text : given) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
      throw ConfigError("--scores: expected NAME=FILE, e.g. BERT=scores.yml, found '" + text + "'");
    }
    scores.push_back({text.substr(0, equals), text.substr(equals + 1), {}});
  }
  return scores;
}

void check(const AlignFlags& flags) {
  if (flags.n_resamples == 0 && !flags.against.empty()) {
    throw ConfigError("--against: expected --bootstrap N with it; differences have intervals");
  }
  if (!(flags.level > 0.0 && flags.level < 1.0)) {
    throw ConfigError("--level: expected a share above 0 and below 1, such as 0.95");
  }
  if (flags.platt_folders.empty() &&
      !(flags.platt_splits.empty() && flags.platt_ids_filenames.empty())) {
    throw ConfigError("--platt-splits: expected --platt FOLDER, the runs to calibrate on");
  }
}

analysis::TableFormat choose_format(const AlignFlags& flags) {
  if (!flags.format.empty()) {
    return analysis::parse_table_format(flags.format);
  }
  return flags.out_path.empty() || flags.out_path == "-" ? analysis::TableFormat::Terminal
                                                         : analysis::format_of_file(flags.out_path);
}

// Runs to calibrate on, with the votes of their own splits.
analysis::Calibration load_calibration(const AlignFlags& flags) {
  analysis::Calibration calibration;
  if (flags.platt_folders.empty()) {
    return calibration;
  }
  data::DatasetOptions of_split = flags.data.test;
  if (!flags.platt_splits.empty()) {
    of_split.splits = flags.platt_splits;
    of_split.ids_filenames.clear();
  }
  if (!flags.platt_ids_filenames.empty()) {
    of_split.ids_filenames = flags.platt_ids_filenames;
  }
  const analysis::VotedSet set = experiment::load_votes(flags.runs.task, std::move(of_split));
  calibration.votes = set.votes;
  for (const std::string& folder : flags.platt_folders) {
    calibration.runs.push_back(
        load_run(flags.runs, folder, analysis::ModelState::Plain, set.label_set));
  }
  return calibration;
}

analysis::AlignmentTable make_table(const AlignFlags& flags) {
  const std::string& task = flags.runs.task;
  experiment::AlignmentRequest request;
  request.task = task;
  request.train = flags.data.train;
  request.scores = parse_named_scores(flags.scores);
  if (!flags.paper.empty()) request.options.paper = analysis::parse_paper_table(flags.paper);
  request.options.has_labels = flags.has_labels;
  request.calibrators = flags.calibrators;
  request.answers = analysis::parse_answers(flags.runs.answers);
  analysis::VotedSet votes = experiment::load_votes(task, flags.data.test);
  const bool has_others = !request.scores.empty() || !flags.runs.tuned_folders.empty();
  request.runs =
      load_runs(flags.runs, has_others ? Search::IfAsked : Search::IfNoneNamed, votes.label_set);
  request.calibration = load_calibration(flags);
  if (flags.n_resamples > 0) {
    request.bootstrap = {flags.n_resamples, flags.seed, flags.level};
    request.against = flags.against;
  }
  return experiment::align_runs(std::move(request), std::move(votes));
}

int align(const AlignFlags& flags) {
  check(flags);
  const analysis::TableFormat format = choose_format(flags);
  const analysis::AlignmentTable table = make_table(flags);
  print_warnings(table.warnings);
  files::OutputFile file(flags.out_path.empty() ? "-" : flags.out_path);
  analysis::write_table(file.stream(), table, format);
  file.finish();
  return kSuccess;
}

void declare_flags(OptionList& options, AlignFlags& flags) {
  declare_run_flags(options, flags.runs);
  options.begin_group("Table");
  options.add(flags.scores,
              {.name = "scores",
               .help = "Probabilities of other programs as rows: scores.yml, eval_scores.yml",
               .value = "NAME=FILE"});
  options.add(
      flags.platt_folders,
      {.name = "platt",
       .help = "Runs of the same kind on another split: adds rows with Platt scaling fitted "
               "there",
       .value = "FOLDER"});
  options.add(flags.platt_splits, {.name = "platt_splits",
                                   .help = "Splits of the --platt runs (default: the test splits)",
                                   .value = "SPLIT"});
  options.add(flags.platt_ids_filenames, {.name = "platt_ids_filename",
                                          .help = "Id lists of the --platt runs, one per split",
                                          .value = "FILE"});
  options.add(flags.calibrators,
              {.name = "calibrate",
               .help = "Behind each row the same calibrated, each example by parameters fitted "
                       "without its fold (5 folds; platt:10 = 10); see: labelprobe ls calibrators",
               .value = "NAME[:FOLDS]"});
  options.add(flags.n_resamples,
              {.name = "bootstrap",
               .help = "Differences between rows, with intervals from N paired resamples",
               .least = 0});
  options.add(flags.against,
              {.name = "against",
               .help = "Row that the others are compared with: its name or number (default: the "
                       "first)",
               .value = "ROW"});
  options.add(
      flags.seed,
      {.name = "bootstrap_seed", .help = "Seed of the resamples", .fallback = "0", .flag = "seed"});
  options.add(
      flags.level,
      {.name = "level", .help = "Share of the resamples an interval holds", .fallback = "0.95"});
  options.add(
      flags.paper,
      {.name = "paper",
       .help = "Print the published cell beside each: table1 (Llama3 70B) or table5 (Llama3 "
               "8B)",
       .value = "TABLE",
       .choices = {"table1", "table5"}});
  options.add(flags.has_labels,
              {.name = "per_label",
               .help = "Below each row one per label: prevalence, mean vote, metrics, AUC"});
  options.add(flags.format,
              {.name = "format",
               .help = "terminal, markdown, csv, json, latex or html (default: by the ending of "
                       "--out)",
               .shown = Shown::First,
               .value = "FORMAT",
               .choices = {"terminal", "markdown", "csv", "json", "latex", "html"}});
  options.add(flags.out_path, {.name = "out",
                               .help = "File to write (default: standard output)",
                               .shown = Shown::First,
                               .value = "FILE"});
  declare_data(options, flags.data);
}

}  // namespace

Command align_command() {
  return make_command<AlignFlags>(
      {CommandGroup::Analyse, "align",
       "Compare the distributions of runs with what annotators chose: NLL, L1, F1, Brier",
       "labelprobe align GoEmotions --config configs/GoEmotions/pipeline.yaml --id-list "
       "main_test_set --model MODEL"},
      declare_flags, align);
}

}  // namespace labelprobe::app
