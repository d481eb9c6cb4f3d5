// labelprobe align: how far a model's label distributions are from what people chose.
#include <fstream>
#include <iostream>
#include <memory>

#include "labelprobe/analysis/scores_file.h"
#include "labelprobe/core/error.h"

#include "app/commands/alignment_builder.h"
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
  int n_resamples = 0;
  std::int64_t seed = 0;
  double level = 0;
  std::string against;
  std::string paper;
  std::string format;
  std::string out_path;
};

struct Scores {
  std::string name;
  std::string path;
};

std::vector<Scores> parse_scores(const std::vector<std::string>& given) {
  std::vector<Scores> scores;
  for (const std::string& text : given) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
      throw ConfigError("--scores: expected NAME=FILE, e.g. BERT=scores.yml, found '" + text + "'");
    }
    scores.push_back({text.substr(0, equals), text.substr(equals + 1)});
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

// Each --platt run belongs to the rows of its kind and model.
bool calibrates(const LoggedRun& fitted, const LoggedRun& run) {
  return fitted.kind == run.kind && !run.is_tuned &&
         (fitted.model.empty() || run.model.empty() || fitted.model == run.model);
}

// The run among `fitted` that calibrates `row`; null if there is none.
const LoggedRun* find_calibration(const std::vector<LoggedRun>& fitted, const EstimatedRow& row) {
  const LoggedRun* found = nullptr;
  for (const LoggedRun& run : fitted) {
    if (row.run && !row.estimates.platt_inputs.empty() && calibrates(run, *row.run)) {
      if (found) {
        throw ConfigError("--platt: expected one run for " + describe(*row.run) + ", found " +
                          describe(*found) + " and " + describe(run));
      }
      found = &run;
    }
  }
  return found;
}

void check_used(const std::vector<LoggedRun>& fitted, const std::vector<EstimatedRow>& rows) {
  for (const LoggedRun& run : fitted) {
    const bool is_used = std::any_of(rows.begin(), rows.end(), [&](const EstimatedRow& row) {
      return row.run && !row.estimates.platt_inputs.empty() && calibrates(run, *row.run);
    });
    if (!is_used) {
      throw ConfigError("--platt: " + describe(run) + ": expected a " +
                        std::string(distribution_name(run.kind)) +
                        " run of the same model among those aligned, of a method with logits "
                        "(baseline or binary, multi-label), found none");
    }
  }
}

// Runs to calibrate on, with the votes of their own splits.
struct Calibration {
  std::vector<LoggedRun> runs;
  analysis::Votes votes;
};

Calibration load_calibration(const AlignFlags& flags) {
  Calibration calibration;
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
  const VotedSet set = load_votes(flags.runs.task, std::move(of_split));
  calibration.votes = set.votes;
  for (const std::string& folder : flags.platt_folders) {
    calibration.runs.push_back(load_run(folder, flags.runs.experiment_index(), ModelState::Plain,
                                        flags.runs.task, set.label_set));
  }
  return calibration;
}

// Mean aggregate labels of the train splits, or, without them, the mean votes on the very examples.
void add_base_rate(AlignmentBuilder& builder, const std::string& task, data::DatasetOptions train) {
  if (train.splits.empty()) {
    builder.add_constant(analysis::mean_shares(builder.votes()),
                         "mean vote shares of the evaluated examples themselves (--train-splits "
                         "takes the train splits' mean labels)");
    return;
  }
  train.annotation_mode = data::AnnotationMode::Aggregate;
  train.debug_ann.reset();
  const data::Dataset dataset = data::load(task, train);
  if (dataset.label_set != builder.label_set()) {
    throw DataError(task + ": the train splits have other labels than the test splits");
  }
  std::vector<double> rates(static_cast<std::size_t>(dataset.label_set.size()));
  for (const Example& example : dataset.examples) {
    for (const LabelIndex label : example.labels) {
      rates[static_cast<std::size_t>(label)] += 1.0;
    }
  }
  for (double& rate : rates) {
    rate /= static_cast<double>(dataset.examples.size());
  }
  std::string splits;
  for (const std::string& split : train.splits) {
    splits += (splits.empty() ? "" : ", ") + split;
  }
  builder.add_constant(rates, "mean aggregate labels of the " +
                                  std::to_string(dataset.examples.size()) + " examples of " +
                                  splits);
}

analysis::AlignmentTable make_table(const AlignFlags& flags) {
  const std::vector<Scores> named = parse_scores(flags.scores);
  const std::optional<analysis::PaperTable> paper =
      flags.paper.empty() ? std::nullopt : std::optional(analysis::parse_paper_table(flags.paper));
  const std::vector<analysis::AnswerPosition> answers = parse_answers(flags.runs.answers);
  const std::string& task = flags.runs.task;
  AlignmentBuilder builder(task, load_votes(task, flags.data.test), paper);
  const LabelSet& label_set = builder.label_set();

  const bool has_others = !named.empty() || !flags.runs.tuned_folders.empty();
  const std::vector<LoggedRun> runs =
      load_runs(flags.runs, has_others ? Search::IfAsked : Search::IfNoneNamed, label_set);
  std::vector<std::string> warnings;
  const std::vector<EstimatedRow> rows = estimate_rows(runs, answers, label_set, {}, warnings);
  std::vector<std::pair<std::string, ProbsByExample>> scores;
  for (const Scores& file : named) {
    scores.emplace_back(file.path, analysis::read_scores(file.path, label_set));
  }
  const Calibration calibration = load_calibration(flags);
  check_used(calibration.runs, rows);

  builder.choose_examples(rows, scores);
  const auto add_rows = [&](bool is_tuned) {
    for (const EstimatedRow& row : rows) {
      if (row.info->name.starts_with("SFT_") == is_tuned) {
        builder.add_run(row);
        if (const LoggedRun* run = find_calibration(calibration.runs, row)) {
          builder.add_calibrated(row, *run, calibration.votes);
        }
      }
    }
  };
  add_rows(false);
  for (std::size_t i = 0; i < named.size(); ++i) {
    builder.add_scores(named[i].name, named[i].path, scores[i].second);
  }
  add_rows(true);
  add_base_rate(builder, task, flags.data.train);
  if (flags.n_resamples > 0) {
    builder.add_differences(flags.against, flags.n_resamples, flags.seed, flags.level);
  }
  analysis::AlignmentTable table = builder.finish();
  table.warnings.insert(table.warnings.end(), warnings.begin(), warnings.end());
  return table;
}

int align(const AlignFlags& flags) {
  check(flags);
  const analysis::TableFormat format = choose_format(flags);
  const analysis::AlignmentTable table = make_table(flags);
  print_warnings(table.warnings);
  if (flags.out_path.empty() || flags.out_path == "-") {
    analysis::write_table(std::cout, table, format);
    return kSuccess;
  }
  std::ofstream file(flags.out_path, std::ios::binary);
  analysis::write_table(file, table, format);
  if (!file.flush()) {
    throw ConfigError("--out: " + flags.out_path + " cannot be written");
  }
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
  options.add(flags.format,
              {.name = "format",
               .help = "terminal, markdown, csv, json or latex (default: by the ending of --out)",
               .shown = Shown::First,
               .value = "FORMAT",
               .choices = {"terminal", "markdown", "csv", "json", "latex"}});
  options.add(flags.out_path, {.name = "out",
                               .help = "File to write (default: standard output)",
                               .shown = Shown::First,
                               .value = "FILE"});
  declare_data(options, flags.data);
}

}  // namespace

Command align_command() {
  return make_command<AlignFlags>(
      {"align", "Compare the distributions of runs with what annotators chose: NLL, L1, F1",
       "labelprobe align GoEmotions --config configs/GoEmotions/pipeline.yaml --id-list "
       "main_test_set --model MODEL"},
      declare_flags, align);
}

}  // namespace labelprobe::app
