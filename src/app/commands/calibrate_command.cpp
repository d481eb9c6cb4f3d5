// labelprobe calibrate: fits a map of finished distributions to votes, and applies it to others.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <iostream>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/analysis/calibration.h"
#include "labelprobe/analysis/calibration_file.h"
#include "labelprobe/analysis/chosen_estimates.h"
#include "labelprobe/analysis/estimated_rows.h"
#include "labelprobe/analysis/scores_file.h"
#include "labelprobe/core/error.h"
#include "labelprobe/data/task_file.h"
#include "labelprobe/experiment/alignment.h"
#include "labelprobe/files/output_file.h"
#include "labelprobe/files/text_table.h"

#include "app/commands/command.h"
#include "app/commands/run_flags.h"
#include "app/options/label_numbers.h"
#include "app/options/run_options.h"

namespace labelprobe::app {

namespace {

using analysis::ChosenEstimates;

struct CalibrateFlags {
  std::string action;
  std::string subject;  // fit: the task; apply: the file
  DataSettings data;
  RunFlags runs;
  std::string estimator;
  std::string calibrator;
  std::string content_free;
  std::vector<std::string> rates;
  std::vector<std::string> old_rates;
  std::vector<std::string> label_tokens;
  analysis::CrossFitting cross_fitting;
  double ridge = 0.0;
  std::string out_path;
};

void write_file(const std::string& path, const std::function<void(std::ostream&)>& write) {
  files::OutputFile file(path);
  write(file.stream());
  file.finish();
}

// The runs or the scores file that the flags name.
ChosenEstimates choose(const RunFlags& runs,
                       const std::string& estimator,
                       const LabelSet& label_set) {
  if (runs.folders.size() == 1 && std::filesystem::is_regular_file(runs.folders[0])) {
    if (!estimator.empty() && estimator != "scores") {
      throw ConfigError(
          fmt::format("{}: expected a log folder, of which '{}' is estimated, found a file, whose "
                      "probabilities "
                      "are taken as they are",
                      runs.folders[0], estimator));
    }
    return analysis::choose_scores(runs.folders[0], label_set);
  }
  const auto loaded = load_runs(
      runs, runs.tuned_folders.empty() ? Search::IfNoneNamed : Search::IfAsked, label_set);
  return analysis::choose_estimates(loaded, analysis::parse_answers(runs.answers), label_set,
                                    estimator);
}

// The content-free prompts' estimates, made as `like` was; unset if none are named.
std::optional<ChosenEstimates> choose_content_free(const CalibrateFlags& flags,
                                                   const ChosenEstimates& like,
                                                   const LabelSet& label_set) {
  if (flags.content_free.empty()) return std::nullopt;
  RunFlags runs = flags.runs;
  runs.folders = {flags.content_free};
  runs.tuned_folders.clear();
  runs.id_list.clear();
  runs.model.clear();
  if (std::filesystem::is_regular_file(flags.content_free)) {
    return choose(runs, "", label_set);
  }
  if (like.estimates.estimator == "scores") {
    throw ConfigError(
        fmt::format("--content-free: expected a scores file, as {} is one, found the folder {}",
                    like.place, flags.content_free));
  }
  return choose(runs, like.estimates.estimator, label_set);
}

analysis::CalibrationOptions options_of(const CalibrateFlags& flags, const LabelSet& label_set) {
  analysis::CalibrationOptions options;
  options.new_rates = parse_by_label("--rate", flags.rates, label_set);
  options.old_rates = parse_by_label("--old-rate", flags.old_rates, label_set);
  options.n_tokens = parse_by_label("--label-tokens", flags.label_tokens, label_set);
  options.ridge = flags.ridge;
  return options;
}

// Data sets without annotators have nothing to fit to.
void require_votes(const CalibrateFlags& flags,
                   const analysis::VotedSet& set,
                   const analysis::Calibrator& calibrator,
                   const analysis::CalibrationOptions& options) {
  if (!analysis::reads_votes(calibrator, options) || !set.votes.empty() ||
      data::task_info(flags.runs.task).has_annotators) {
    return;
  }
  throw ConfigError(fmt::format(
      "{}: expected a data set with several annotators per example, whose votes '{}' is fitted to; "
      "found one without (batch, and what needs content-free prompts, reads no votes)",
      flags.runs.task, calibrator.name));
}

// Before and after beside the constant predictor, which does well where labels are rare.
void print_losses(std::ostream& out, const analysis::FittedCalibration& fitted) {
  const std::string& estimator = fitted.source.estimator;
  out << fmt::format("{}: {} of {} fitted on {} examples{}\n", fitted.source.task,
                     fitted.calibrator->title, estimator, fitted.example_ids.size(),
                     fitted.folds.empty()
                         ? ""
                         : fmt::format(", and without each of {} folds", fitted.folds.size()));
  if (!fitted.loss) return;
  files::TextTable table;
  table.columns = {{"predictor", files::Align::Left}, {"examples", files::Align::Left}, {"NLL"}};
  const auto add = [&](const std::string& predictor, const char* examples, double nll) {
    table.rows.push_back({predictor, examples, fmt::format("{:.4f}", nll)});
  };
  const analysis::CalibrationLoss& loss = *fitted.loss;
  const std::string calibrated = fmt::format("{}+{}", estimator, fitted.calibrator->name);
  const char* seen = fitted.has_read_votes ? "fitted on" : "all";
  add(estimator, "all", loss.before);
  add(calibrated, seen, loss.after);
  if (loss.held_out) add(calibrated, "held out", *loss.held_out);
  add("base rate", "fitted on", loss.base_rate);
  if (loss.base_rate_held_out) add("base rate", "held out", *loss.base_rate_held_out);
  files::write_terminal(out, table);
}

void warn_of_other_model(const ChosenEstimates& chosen,
                         const std::string& model,
                         const std::string& place) {
  if (model.empty() || chosen.model.empty() || model == chosen.model) return;
  print_warnings(
      {fmt::format("{} is of the model {}, {} of {}", chosen.place, chosen.model, place, model)});
}

int fit(CalibrateFlags flags) {
  flags.runs.task = data::checked_task(flags.subject);
  if (flags.calibrator.empty()) {
    throw ConfigError("--calibrator is required to fit: labelprobe ls calibrators lists them");
  }
  const analysis::VotedSet set = experiment::load_votes_if_any(flags.runs.task, flags.data.test);
  const LabelSet& labels = set.label_set;
  const analysis::Calibrator& calibrator =
      analysis::find_calibrator(flags.calibrator, labels.kind());
  const analysis::CalibrationOptions options = options_of(flags, labels);
  require_votes(flags, set, calibrator, options);
  const ChosenEstimates chosen = choose(flags.runs, flags.estimator, labels);
  const auto content_free = choose_content_free(flags, chosen, labels);
  print_warnings(set.warnings);
  print_warnings(chosen.warnings);
  if (content_free) {
    print_warnings(content_free->warnings);
    warn_of_other_model(*content_free, chosen.model, chosen.place);
  }
  const analysis::Distributions* texts = content_free ? &content_free->estimates : nullptr;
  analysis::FittedCalibration fitted = analysis::fit_calibration(
      calibrator, {chosen.estimates, set.votes, texts, labels, options}, flags.cross_fitting);
  print_warnings(fitted.warnings);
  fitted.source = {"labelprobe " LABELPROBE_VERSION,
                   data::task_info(flags.runs.task).name,
                   chosen.place,
                   chosen.model,
                   chosen.estimates.estimator,
                   chosen.answer,
                   content_free ? content_free->place : "",
                   flags.data.test.splits};
  write_file(flags.out_path, [&](std::ostream& out) { analysis::write_calibration(out, fitted); });
  print_losses(flags.out_path == "-" ? std::cerr : std::cout, fitted);
  return kSuccess;
}

// Estimates of the kind that the calibration was fitted on.
ChosenEstimates choose_alike(const CalibrateFlags& flags,
                             const analysis::FittedCalibration& fitted) {
  RunFlags runs = flags.runs;
  const std::string& estimator = fitted.source.estimator;
  if (!fitted.source.answer.empty()) runs.answers = {fitted.source.answer};
  if (estimator == "scores" &&
      !(runs.folders.size() == 1 && std::filesystem::is_regular_file(runs.folders[0]))) {
    throw ConfigError(
        fmt::format("{} was fitted on a scores file, {}: expected one to apply it to, behind {}",
                    flags.subject, fitted.source.estimates, flags.subject));
  }
  try {
    return choose(runs, estimator, fitted.label_set);
  } catch (const ConfigError& error) {
    throw ConfigError(fmt::format("{} was fitted on '{}' of {}: {}", flags.subject, estimator,
                                  fitted.source.estimates, error.what()));
  }
}

int apply(CalibrateFlags flags) {
  if (!(flags.calibrator.empty() && flags.estimator.empty() && flags.content_free.empty())) {
    throw ConfigError(
        "apply: --calibrator, --estimator and --content-free are of fit; the file says what was "
        "fitted, and on what");
  }
  const analysis::FittedCalibration fitted = analysis::read_calibration(flags.subject);
  flags.runs.task = fitted.source.task;
  const ChosenEstimates chosen = choose_alike(flags, fitted);
  print_warnings(chosen.warnings);
  warn_of_other_model(chosen, fitted.source.model, flags.subject);
  const analysis::Distributions calibrated =
      analysis::apply_calibration(fitted, chosen.estimates, fitted.label_set, chosen.place);
  write_file(flags.out_path,
             [&](std::ostream& out) { analysis::write_scores(out, calibrated, fitted.label_set); });
  if (!fitted.folds.empty()) {
    const auto n_new =
        std::count_if(calibrated.probs.begin(), calibrated.probs.end(),
                      [&](const auto& entry) { return !fitted.example_ids.contains(entry.first); });
    std::cerr << fmt::format(
        "{} examples by parameters fitted without their fold, {} by those fitted on all\n",
        calibrated.probs.size() - static_cast<std::size_t>(n_new), n_new);
  }
  return kSuccess;
}

int calibrate(const CalibrateFlags& flags) {
  if (flags.action == "fit") return fit(flags);
  if (flags.action == "apply") return apply(flags);
  const std::string known[] = {"fit", "apply"};
  throw ConfigError(unknown_choice("action", flags.action, known));
}

void declare_operands(OptionList& options, CalibrateFlags& flags) {
  options.add(flags.action,
              {.name = "ACTION",
               .help = "fit, which writes a file of parameters, or apply, which reads one",
               .is_required = true,
               .shown = Shown::First,
               .choices = {"fit", "apply"}});
  options.make_operand();
  options.add(flags.subject, {.name = "TASK_OR_FILE",
                              .help = "fit: the data set (see: labelprobe ls datasets) or a task "
                                      "file; apply: the file that fit "
                                      "wrote",
                              .is_required = true,
                              .shown = Shown::First,
                              .value = "FILE"});
  options.make_operand();
  options.add(flags.runs.folders,
              {.name = "RUN_FOLDER",
               .help = "A log folder, or a scores file (id -> label -> probability); none = found "
                       "by --id-list and --model",
               .shown = Shown::First,
               .value = "FOLDER"});
  options.make_operand();
}

void declare_fit(OptionList& options, CalibrateFlags& flags) {
  options.begin_group("Fit");
  options.add(flags.calibrator,
              {.name = "calibrator",
               .help = "fit: what to fit, e.g. platt or isotonic (see: labelprobe ls calibrators)",
               .shown = Shown::First,
               .value = "NAME"});
  options.add(
      flags.estimator,
      {.name = "estimator",
       .help = "fit: the estimate to calibrate (see: labelprobe ls estimators; default: the "
               "only one that the run allows)",
       .shown = Shown::First,
       .value = "NAME"});
  options.add(flags.cross_fitting.n_folds,
              {.name = "folds",
               .help = "fit: also fit K times without one fold, so that the parameters can be "
                       "applied to the same examples; 0 = do not",
               .fallback = "0",
               .shown = Shown::First,
               .value = "K",
               .least = 0});
  options.add(
      flags.cross_fitting.seed,
      {.name = "fold_seed", .help = "fit: seed of the folds", .fallback = "0", .flag = "seed"});
  options.add(flags.content_free,
              {.name = "content_free",
               .help = "fit contextual, domain_context, dc_pmi, ncc: a finished run, or a scores "
                       "file, whose examples are the content-free texts (N/A, nothing, [MASK]), "
                       "random words, or the bare premise; of the same estimator",
               .shown = Shown::First,
               .value = "FOLDER|FILE"});
  options.add(flags.rates, {.name = "rate",
                            .help = "fit prior_shift: the labels' rates to go to, in place of the "
                                    "mean votes",
                            .value = "LABEL=P"});
  options.add(
      flags.old_rates,
      {.name = "old_rate",
       .help = "fit prior_shift: the rates to come from, in place of the mean probabilities",
       .value = "LABEL=P"});
  options.add(flags.label_tokens, {.name = "label_tokens",
                                   .help = "fit ncc: number of tokens of each label's text",
                                   .value = "LABEL=N"});
  options.add(flags.ridge,
              {.name = "ridge",
               .help = "fit affine: X * ((weight - 1)^2 + bias^2) is added to the summed loss",
               .fallback = "0.01"});
  options.begin_group("Output");
  options.add(flags.out_path,
              {.name = "out",
               .help = "File to write: fit, the parameters as JSON; apply, probabilities as YAML, "
                       "which `align --scores` reads; - = standard output",
               .is_required = true,
               .shown = Shown::First,
               .value = "FILE"});
}

void declare_flags(OptionList& options, CalibrateFlags& flags) {
  declare_operands(options, flags);
  declare_run_search(options, flags.runs);
  declare_fit(options, flags);
  declare_data(options, flags.data);
}

}  // namespace

Command calibrate_command() {
  return make_command<CalibrateFlags>(
      {CommandGroup::Analyse, "calibrate",
       "Fit distributions to votes and apply what was fitted: temperature, Platt, isotonic, ...",
       "labelprobe calibrate fit GoEmotions RUN_FOLDER --estimator unary --calibrator platt "
       "--folds "
       "5 --config configs/GoEmotions/pipeline.yaml --out platt.json"},
      declare_flags, calibrate);
}

}  // namespace labelprobe::app
