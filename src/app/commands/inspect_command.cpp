// labelprobe inspect: where in a model its answers' labels come from.
#include <cmath>
#include <iostream>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/experiment/inspection.h"
#include "labelprobe/experiment/job.h"
#include "labelprobe/files/output_file.h"
#include "labelprobe/files/text_table.h"
#include "labelprobe/model/profile.h"

#include "app/commands/command.h"
#include "app/commands/inspect_lines.h"
#include "app/commands/jobs.h"
#include "app/commands/lines_output.h"
#include "app/commands/model_tool.h"
#include "app/options/run_options.h"
#include "app/terminal/interruption.h"
#include "app/terminal/progress.h"

namespace labelprobe::app {

namespace {

using experiment::Inspection;
using experiment::InspectionSummary;
using Json = nlohmann::ordered_json;

struct InspectArguments {
  RunSettings run;
  std::string out;
  std::string summary_out;
  std::string profile;
  bool no_attention = false;
  bool no_knockouts = false;
  bool lens_vocabulary = false;
};

// --- For people ---

void print_layers(std::ostream& out, const InspectionSummary& summary) {
  files::TextTable table;
  for (const char* name : {"layer", "p written", "p next", "entropy", "rank", "p of all tokens",
                           "rank of all", "attention adds", "MLP adds"}) {
    table.columns.push_back({name});
  }
  const std::vector<InspectionSummary::Layer> layers = summary.layers();
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const InspectionSummary::Layer& layer = layers[l];
    table.rows.push_back(
        {fmt::format("{}", l), fmt::format("{:.3f}", layer.written),
         std::isnan(layer.next) ? "" : fmt::format("{:.3f}", layer.next),
         fmt::format("{:.3f}", layer.entropy), fmt::format("{:.2f}", layer.rank),
         layer.vocabulary_prob ? fmt::format("{:.4f}", *layer.vocabulary_prob) : "",
         layer.vocabulary_rank ? fmt::format("{:g}", *layer.vocabulary_rank) : "",
         l == 0 ? "" : fmt::format("{:+.3f}", layer.attention),
         l == 0 ? "" : fmt::format("{:+.3f}", layer.mlp)});
  }
  drop_empty_columns(table);
  write_terminal(out, table);
}

void print_parts(std::ostream& out,
                 const InspectionSummary& summary,
                 const InspectArguments& arguments) {
  files::TextTable table;
  table.columns.push_back({"without", files::Align::Left});
  for (const char* name : {"steps", "attention", "adds", "change of p", "other label first"}) {
    table.columns.push_back({name});
  }
  for (const InspectionSummary::Part& part : summary.parts()) {
    std::vector<std::string>& row = table.rows.emplace_back();
    row = {part.name, fmt::format("{}", part.n_steps)};
    row.push_back(arguments.no_attention ? "" : fmt::format("{:.3f}", part.attention));
    row.push_back(arguments.no_attention ? "" : fmt::format("{:+.3f}", part.adds));
    row.push_back(arguments.no_knockouts ? "" : fmt::format("{:+.3f}", part.change));
    row.push_back(arguments.no_knockouts ? "" : files::percent(part.flips));
  }
  drop_empty_columns(table);
  if (!table.rows.empty() && table.columns.size() > 2) {
    out << '\n';
    write_terminal(out, table);
  }
}

void print_summary(std::ostream& out,
                   const InspectionSummary& summary,
                   const InspectArguments& arguments) {
  out << fmt::format("means over {} label steps\n\n", summary.n_steps());
  print_layers(out, summary);
  print_parts(out, summary, arguments);
  out << "\n"
         "p written: probability among the labels, of the one that is written at the step, were "
         "the output head to follow the layer (untuned lens)\n"
         "p next: of the label that is written at the next step\n"
         "rank: of the written label, 1 = first; entropy: over the labels, in nats\n";
  if (arguments.lens_vocabulary) {
    out << "p of all tokens: of the written label, among the whole vocabulary; rank of all: the "
           "median of its rank there\n";
  }
  out << "adds: to the written label's logit, less the mean over the labels\n"
         "attention: mean over layers and heads of the weights that the tokens get together\n"
         "change of p: of the written label, with these tokens' weights set to 0 in all layers\n";
}

Json summary_json(const InspectionSummary& summary) {
  Json made = {
      {"n_steps", summary.n_steps()}, {"layers", Json::array()}, {"text_parts", Json::array()}};
  for (const InspectionSummary::Layer& layer : summary.layers()) {
    made["layers"].push_back({{"written", layer.written},
                              {"next", layer.next},
                              {"entropy", layer.entropy},
                              {"rank", layer.rank},
                              {"attention_adds", layer.attention},
                              {"mlp_adds", layer.mlp}});
    if (!layer.vocabulary_prob) continue;
    made["layers"].back()["vocabulary_written"] = *layer.vocabulary_prob;
    made["layers"].back()["vocabulary_rank"] = *layer.vocabulary_rank;
  }
  for (const InspectionSummary::Part& part : summary.parts()) {
    made["text_parts"].push_back({{"name", part.name},
                                  {"n_steps", part.n_steps},
                                  {"attention", part.attention},
                                  {"adds", part.adds},
                                  {"change", part.change},
                                  {"flips", part.flips}});
  }
  return made;
}

// --- The command ---

experiment::PreparedJob prepare(const InspectArguments& arguments,
                                experiment::Workbench& workbench) {
  experiment::Job job;
  job.program_version = LABELPROBE_VERSION;
  job.settings = arguments.run.experiment;
  job.sentence_encoder =
      choose_encoder(arguments.run.sentence_encoder, arguments.run.model.options);
  job.model = arguments.run.model;
  job.request = arguments.run.request;
  return experiment::prepare(std::move(job), workbench);
}

// What decides every line of the output.
std::string fingerprint_of(const experiment::PreparedJob& prepared,
                           const model::ModelInfo& info,
                           const InspectArguments& arguments) {
  Fingerprint all;
  for (const auto& [name, content] : prepared.job.request.contents) {
    all.add(name);
    all.add(content);
  }
  all.add(info.backend);
  all.add(fmt::format("{} {} {}", prepared.job.settings.max_new_tokens, arguments.no_attention,
                      arguments.no_knockouts));
  if (arguments.lens_vocabulary) all.add("lens vocabulary");
  return all.hex();
}

void inspect_all(const InspectArguments& arguments,
                 const experiment::PreparedJob& prepared,
                 model::LanguageModel& language_model,
                 LinesOutput& output) {
  const std::size_t n_items = prepared.preparation.prompts.size();
  const std::size_t n_resumed = output.n_done();
  experiment::InspectionOptions options;
  options.attention = !arguments.no_attention;
  options.knockouts = !arguments.no_knockouts;
  options.lens_vocabulary = arguments.lens_vocabulary;
  options.batch_size = prepared.job.settings.batch_size;
  options.share_prefixes = prepared.job.settings.share_prefixes;
  for (std::size_t i = 0; i < n_items; ++i) options.is_inspected.push_back(output.has(i));
  ProgressLine progress(!arguments.run.hides_progress, "");
  Interruption interruption;
  const std::int64_t n_tokens =
      prepared.preparation.token_counts.n_distinct_tokens +
      static_cast<std::int64_t>(n_items) * prepared.job.settings.max_new_tokens;
  options.on_work = [&](const model::Effort& effort) {
    progress.show({output.n_done(), n_items, n_resumed, effort, n_tokens});
    if (const auto stop = interruption.asked()) {
      progress.close();
      stop_work(*stop, output.describe_kept());
    }
  };
  experiment::inspect_answers(language_model, prepared.job.settings, prepared.preparation, options,
                              [&](std::size_t query, const Inspection& inspection) {
                                output.add(query, inspection_line(inspection));
                              });
  progress.close();
}

int run(const InspectArguments& arguments) {
  std::optional<model::Profile> profile;
  if (!arguments.profile.empty()) profile.emplace(arguments.profile);
  experiment::Workbench workbench;
  const experiment::PreparedJob prepared = prepare(arguments, workbench);
  for (const std::string& warning : prepared.warnings) std::cerr << "warning: " << warning << '\n';
  model::LanguageModel& language_model = open_model(workbench, prepared.job.model, profile);
  const std::size_t n_items = prepared.preparation.prompts.size();
  LinesOutput output(arguments.out, fingerprint_of(prepared, language_model.info(), arguments),
                     n_items);
  if (output.n_done() > 0) {
    std::cerr << output.n_done() << " of " << n_items << " items were inspected before\n";
  }
  inspect_all(arguments, prepared, language_model, output);
  output.finish();
  InspectionSummary summary;
  std::size_t n_failed = 0;
  for (std::size_t i = 0; i < n_items; ++i) {
    const Inspection inspection = read_inspection_line(output.line(i));
    n_failed += inspection.item.failure ? 1 : 0;
    summary.add(inspection);
  }
  if (summary.n_steps() > 0) {
    print_summary(arguments.out == "-" ? std::cerr : std::cout, summary, arguments);
  } else {
    std::cerr << "no answer names a label: there is nothing to look at\n";
  }
  if (!arguments.summary_out.empty()) {
    files::OutputFile file(arguments.summary_out);
    file.stream() << summary_json(summary).dump(1) << '\n';
    file.finish();
  }
  tell_profile(profile);
  if (n_failed == 0) return kSuccess;
  std::cerr << fmt::format("{} of {} items failed; see \"failure\" in {}\n", n_failed, n_items,
                           arguments.out == "-" ? "the output" : arguments.out);
  return kSomeFailed;
}

void declare_arguments(OptionList& options, InspectArguments& arguments) {
  options.begin_group("Output");
  declare_lines_output(options, arguments.out);
  options.add(arguments.summary_out,
              {.name = "summary_out", .help = "JSON file of the means", .value = "FILE"});
  options.begin_group("What is looked at");
  options.add(arguments.no_attention,
              {.name = "no_attention",
               .help = "Not where attention goes, nor what each part of the text adds"});
  options.add(arguments.no_knockouts,
              {.name = "no_knockouts", .help = "Not what the labels would be without each part"});
  options.add(arguments.lens_vocabulary,
              {.name = "lens_vocabulary",
               .help = "Behind each layer also the labels' ranks among all tokens, and the "
                       "log-sum-exp; costs an output head per layer and label step",
               .shown = Shown::First});
  declare_questions(options, arguments.run.experiment, arguments.run.sentence_encoder,
                    {.has_distribution = true, .has_pairs = false});
  declare_answering(options, arguments.run);
  declare_model_loading(options, arguments.run.model);
  options.begin_group("Run");
  options.add(arguments.run.hides_progress,
              {.name = "disable_tqdm", .help = "No progress display"});
  declare_profile(options, arguments.profile);
}

}  // namespace

Command inspect_command() {
  return make_command<InspectArguments>(
      {CommandGroup::Ask, "inspect",
       "Look inside a model at every label it writes: layers, attention, knock-outs",
       "labelprobe inspect GoEmotions --config configs/example/config.yaml --model-name-or-path "
       "MODEL --out looks.jsonl"},
      declare_arguments, run);
}

}  // namespace labelprobe::app
