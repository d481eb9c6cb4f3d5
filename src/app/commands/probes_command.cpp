// labelprobe probes: linear probes on the hidden states of runs (Table 2).
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/report.h"
#include "labelprobe/files/output_file.h"
#include "labelprobe/files/text_table.h"
#include "labelprobe/training/probes.h"

#include "app/commands/command.h"
#include "app/commands/published_lines.h"
#include "app/terminal/activity_line.h"

namespace labelprobe::app {

namespace {

struct ProbesFlags {
  std::vector<std::string> runs;
  std::vector<std::string> folders;  // the published flag for the same
  std::vector<std::string> eval_folders;
  std::vector<std::string> output_folders;
  std::vector<std::string> states;
  std::vector<std::string> eval_states;
  training::ProbeSettings settings;
  std::string format;
  std::string out_path;
  bool is_dry = false;
  bool has_paper = false;
  bool disable_tqdm = false;
};

// Lists that go with the runs, one element each, or none.
void check_length(const std::string& flag, const std::vector<std::string>& list, std::size_t n) {
  if (list.empty() || list.size() == n) return;
  throw ConfigError(
      fmt::format("{}: expected as many as runs, {}, found {}", flag, n, list.size()));
}

std::vector<training::ProbeRequest> make_requests(const ProbesFlags& flags) {
  if (flags.runs.empty() == flags.folders.empty()) {
    throw ConfigError(flags.runs.empty()
                          ? "RUN_FOLDER: expected log folders with hidden states"
                          : "--folder: expected runs by position or by this flag, found both");
  }
  const std::vector<std::string>& runs = flags.runs.empty() ? flags.folders : flags.runs;
  check_length("--eval-folder", flags.eval_folders, runs.size());
  check_length("--output-folder", flags.output_folders, runs.size());
  check_length("--states", flags.states, runs.size());
  check_length("--eval-states", flags.eval_states, runs.size());
  if (!flags.eval_states.empty() && flags.eval_folders.empty()) {
    throw ConfigError("--eval-states: expected --eval-folder with it, which the scores go to");
  }
  std::vector<training::ProbeRequest> requests;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    training::ProbeRequest request;
    request.run = record::parse_run_name(runs[i]);
    if (!flags.states.empty()) request.states = flags.states[i];
    if (!flags.eval_folders.empty()) request.scored = record::parse_run_name(flags.eval_folders[i]);
    if (!flags.eval_states.empty()) request.scored_states = flags.eval_states[i];
    if (!flags.output_folders.empty()) request.output_folder = flags.output_folders[i];
    requests.push_back(std::move(request));
  }
  return requests;
}

void describe_plan(const training::ProbePlan& plan, const training::ProbeRequest& request) {
  const LabelSet& set = plan.items.label_set;
  std::string labels;
  for (const std::string& name : set.names()) labels += (labels.empty() ? "" : ", ") + name;
  const auto say = [](const char* name, const std::string& text) {
    std::cout << fmt::format("  {:<11} {}\n", name, text);
  };
  std::cout << plan.run << '\n';
  say("labels", fmt::format("{} ({}-label)", labels, set.is_multilabel() ? "multi" : "single"));
  say("items", fmt::format("{} with a state before their first label, {} without",
                           plan.items.gold.size(), plan.items.n_without_state));
  say("divided",
      fmt::format("{} to train on, {} to measure on", plan.train.size(), plan.test.size()));
  say("components",
      fmt::format("{} of {} features", plan.n_components, plan.items.states.n_features));
  if (plan.scored) say("scored", fmt::format("{} items", plan.scored->keys.size()));
  for (const auto& path : training::probe_files(request)) say("writes", path.string());
}

analysis::TableFormat choose_format(const ProbesFlags& flags) {
  if (!flags.format.empty()) return analysis::parse_table_format(flags.format);
  return flags.out_path.empty() || flags.out_path == "-" ? analysis::TableFormat::Terminal
                                                         : analysis::format_of_file(flags.out_path);
}

int probe(const ProbesFlags& flags) {
  const analysis::TableFormat format = choose_format(flags);
  const std::vector<training::ProbeRequest> requests = make_requests(flags);
  std::vector<training::ProbeOutcome> outcomes;
  for (const training::ProbeRequest& request : requests) {
    const training::ProbePlan plan = training::plan_probes(request, flags.settings);
    if (flags.is_dry) {
      describe_plan(plan, request);
      continue;
    }
    ActivityLine line(!flags.disable_tqdm);
    outcomes.push_back(training::train_probes(plan, flags.settings,
                                              [&](const std::string& what) { line.show(what); }));
    training::write_probe_files(request, flags.settings, outcomes.back());
  }
  if (flags.is_dry) return kSuccess;
  files::OutputFile file(flags.out_path.empty() ? "-" : flags.out_path);
  training::write_probe_table(file.stream(), outcomes, format);
  if (flags.has_paper && format == analysis::TableFormat::Terminal) {
    for (const training::ProbeRequest& request : requests) {
      write_published(file.stream(), "table2", experiment::task_of_folder(request.run.folder));
    }
  }
  file.finish();
  return kSuccess;
}

void declare_runs(OptionList& options, ProbesFlags& flags) {
  options.begin_group("Runs");
  options.add(flags.runs,
              {.name = "RUN_FOLDER",
               .help = "Log folders of runs that kept hidden states, on the split to train on; "
                       "FOLDER/experiment_K names one experiment, else experiment 0",
               .shown = Shown::First});
  options.make_operand();
  options.add(
      flags.folders,
      {.name = "folder", .help = "The same, as the published program has it", .value = "FOLDER"});
  options.add(flags.eval_folders,
              {.name = "eval_folder",
               .help = "For each run one whose items get scores, for: labelprobe align --scores",
               .shown = Shown::First,
               .value = "FOLDER"});
  options.add(flags.output_folders,
              {.name = "output_folder",
               .help = "For each run a folder for a copy of the files, which go to "
                       "RUN_FOLDER/linear_probes",
               .shown = Shown::First,
               .value = "FOLDER"});
  options.add(flags.states, {.name = "states",
                             .help = "For each run its hidden states (default: "
                                     "RUN_FOLDER/hidden_states_K.safetensors)",
                             .value = "FILE"});
  options.add(flags.eval_states, {.name = "eval_states",
                                  .help = "For each run of --eval-folder its hidden states",
                                  .value = "FILE"});
}

void declare_probes(OptionList& options, training::ProbeSettings& settings) {
  options.begin_group("Probes");
  options.add(settings.layer,
              {.name = "layer",
               .help = "0 = the embedding, L = behind decoder layer L, -1 = behind the final norm",
               .fallback = "-1",
               .shown = Shown::First});
  options.add(settings.n_components,
              {.name = "components",
               .help = "Singular vectors kept (default: the published max(features / 4, 512))",
               .shown = Shown::First,
               .least = 1});
  options.add_parsed(
      settings.solver,
      {.name = "solver",
       .help = "saga: no penalty, stopped by the published rule; exact: with an L2 penalty",
       .fallback = "saga",
       .shown = Shown::First,
       .choices = training::kProbeSolvers.names()},
      [](const std::string& name) { return training::kProbeSolvers.parse(name); });
  options.add(settings.l2, {.name = "l2",
                            .help = "Penalty of the exact solver: X / 2 times the squared norm of "
                                    "the weights",
                            .fallback = "1",
                            .shown = Shown::First});
  options.add(settings.seed, {.name = "saga_seed",
                              .help = "Seed of the order in which SAGA takes rows",
                              .fallback = "0",
                              .least = 0,
                              .flag = "seed"});
  options.add(
      settings.max_epochs,
      {.name = "max_iter", .help = "Epochs of SAGA at most", .fallback = "1000", .least = 1});
  options.add(settings.tolerance,
              {.name = "tol",
               .help = "SAGA ends where no weight changes by more in an epoch, as a share of the "
                       "largest",
               .fallback = "1e-4"});
  options.afterwards([&options, &settings] {
    if (settings.solver != training::ProbeSolver::Exact && options.is_given(settings.l2)) {
      throw ConfigError(options.place(settings.l2) +
                        ": the published SAGA has no penalty; expected --solver exact with it");
    }
  });
}

void declare_flags(OptionList& options, ProbesFlags& flags) {
  declare_runs(options, flags);
  declare_probes(options, flags.settings);
  options.begin_group("Output");
  options.add(flags.format,
              {.name = "format",
               .help = "terminal, markdown, csv, json or latex (default: by the ending of --out)",
               .shown = Shown::First,
               .value = "FORMAT",
               .choices = {"terminal", "markdown", "csv", "json", "latex"}});
  options.add(flags.out_path, {.name = "out",
                               .help = "File for the table (default: standard output)",
                               .shown = Shown::First,
                               .value = "FILE"});
  declare_published(options, flags.has_paper);
  options.add(flags.is_dry, {.name = "dry_run",
                             .help = "Read and check everything, say what would be done, and stop",
                             .shown = Shown::First});
  options.add(flags.disable_tqdm, {.name = "disable_tqdm", .help = "Show no progress"});
}

}  // namespace

Command probes_command() {
  return make_command<ProbesFlags>(
      {CommandGroup::Analyse, "probes",
       "Train linear probes on hidden states: how well labels can be read off them (Table 2)",
       "labelprobe probes logs/GoEmotions/train_0 --eval-folder logs/GoEmotions/test_0"},
      declare_flags, probe);
}

}  // namespace labelprobe::app
