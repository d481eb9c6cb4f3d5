// labelprobe guard: what a content-safety classifier says of conversations, and how sure it is.
#include <algorithm>
#include <iostream>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/experiment/guard.h"
#include "labelprobe/experiment/job.h"
#include "labelprobe/experiment/preparation.h"
#include "labelprobe/experiment/run.h"
#include "labelprobe/files/output_file.h"
#include "labelprobe/model/language_model.h"
#include "labelprobe/model/profile.h"
#include "labelprobe/prompt/guard.h"
#include "labelprobe/readout/readouts.h"
#include "labelprobe/tokenizer/chat_template.h"
#include "labelprobe/tokenizer/tokenizer.h"
#include "labelprobe/weights/locate.h"

#include "app/commands/command.h"
#include "app/commands/guard_files.h"
#include "app/commands/lines_output.h"
#include "app/commands/model_tool.h"
#include "app/options/readout_options.h"
#include "app/options/run_options.h"
#include "app/terminal/interruption.h"
#include "app/terminal/progress.h"

namespace labelprobe::app {

namespace {

struct GuardArguments {
  experiment::ModelLoading loading;
  std::string conversations;
  std::string out;
  std::string guard;
  std::string categories;
  std::string metrics_out;
  std::string profile;
  experiment::ReadoutSettings readouts;
  analysis::ThresholdOptions thresholds;
  std::int64_t seed = 0;
  int max_new_tokens = 0;
  int batch_size = 0;
  bool is_one_by_one = false;
  bool no_special_tokens = false;
  bool no_share_prefixes = false;
  bool disable_tqdm = false;
  bool is_dry_run = false;
};

std::vector<std::string> guard_names() {
  std::vector<std::string> names;
  for (const prompt::GuardInfo& guard : prompt::guards()) names.emplace_back(guard.name);
  return names;
}

void check_arguments(const GuardArguments& arguments) {
  if (arguments.is_one_by_one && !arguments.readouts.names.empty()) {
    throw ConfigError(
        "--readouts: expected none with --one-by-one, where the probability of a category is that "
        "of an unsafe verdict on it alone");
  }
  const double threshold = arguments.thresholds.fixed;
  if (!(threshold >= 0.0 && threshold <= 1.0)) {
    throw ConfigError(
        fmt::format("--threshold: expected a number from 0 to 1, found {}", threshold));
  }
  if (arguments.thresholds.n_folds == 1) {
    throw ConfigError("--folds: expected 0, or 2 or more, found 1");
  }
}

prompt::GuardFormat choose_format(const GuardArguments& arguments) {
  if (!arguments.guard.empty()) return prompt::GuardFormat::named(arguments.guard);
  const auto own = tokenizer::chat_template(arguments.loading.model);
  if (own) return prompt::GuardFormat::recognise(own->text);
  throw ModelError(fmt::format(
      "{}: expected a model with the chat template of a guard, found none; choose one with --guard "
      "({})",
      arguments.loading.name, fmt::join(guard_names(), ", ")));
}

std::vector<GuardLine> read_conversations_file(const GuardArguments& arguments) {
  std::vector<GuardLine> lines;
  read_lines(arguments.conversations, [&](std::istream& file, const std::string& name) {
    lines = read_guard_lines(file, name);
  });
  if (lines.empty()) {
    throw DataError(arguments.conversations + ": expected conversations as JSON lines, found none");
  }
  return lines;
}

experiment::GuardTask prepare(const GuardArguments& arguments,
                              const std::vector<GuardLine>& lines,
                              const tokenizer::Tokenizer& tokens) {
  experiment::GuardSettings settings;
  settings.format = choose_format(arguments);
  settings.categories =
      arguments.categories.empty()
          ? settings.format.categories()
          : read_guard_categories(arguments.categories, settings.format.code_letters());
  settings.is_one_by_one = arguments.is_one_by_one;
  settings.adds_begin_of_text = !arguments.no_special_tokens;
  settings.readouts = arguments.readouts;
  settings.max_new_tokens = arguments.max_new_tokens;
  settings.seed = arguments.seed;
  std::vector<std::vector<prompt::Message>> conversations;
  for (const GuardLine& line : lines) conversations.push_back(line.messages);
  return experiment::prepare_guard(conversations, std::move(settings), tokens);
}

std::vector<std::optional<Labels>> read_gold(const GuardArguments& arguments,
                                             const std::vector<GuardLine>& lines,
                                             std::span<const std::string> codes) {
  std::vector<std::optional<Labels>> gold;
  for (const GuardLine& line : lines) gold.push_back(gold_of(line, codes));
  if (!arguments.metrics_out.empty() &&
      std::none_of(gold.begin(), gold.end(), [](const auto& of) { return of.has_value(); })) {
    throw DataError(arguments.conversations +
                    ": expected conversations with labels, for --metrics-out; found none");
  }
  return gold;
}

int show_plan(const experiment::GuardTask& task, std::size_t n_conversations) {
  const experiment::TokenCounts counts = experiment::count_tokens(task.prompts);
  std::cout << fmt::format(
      "{}, categories {}\n\n{}\n\n{} conversations, {} prompts\n"
      "{} tokens, {} of them distinct: about as many are computed; the longest prompt has {}\n",
      task.settings.format.title(), fmt::join(task.codes, ", "), task.first_text, n_conversations,
      task.prompts.size(), counts.n_prompt_tokens, counts.n_distinct_tokens, counts.longest_prompt);
  return kSuccess;
}

std::string describe(const readout::ReadoutOptions& options) {
  return fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}", options.max_new_tokens,
                     options.max_places, readout::kTokenisations.name_of(options.tokenisation),
                     options.slot_floor, readout::kBoundsFrom.name_of(options.bounds_from),
                     options.include_all_tokens, options.delta, options.max_nodes, options.n_sets,
                     options.n_samples, options.seed, options.n_beams,
                     readout::kWalkStops.name_of(options.walk_stops), options.top_p, options.eps,
                     options.forced_prefix, readout::kLengthUnits.name_of(options.length_unit));
}

// What decides every line of the output.
std::string fingerprint_of_task(const std::vector<GuardLine>& lines,
                                const experiment::GuardTask& task,
                                const model::ModelInfo& info,
                                const tokenizer::Tokenizer& tokens) {
  Fingerprint all;
  for (const GuardLine& line : lines) all.add(line.id);
  for (const TokenIds& prompt : task.prompts) {
    all.add(std::to_string(prompt.size()));
    all.add(std::as_bytes(std::span(prompt)));
  }
  for (const std::string& code : task.codes) all.add(code);
  all.add(fmt::format("{}", fmt::join(task.settings.readouts.names, " ")));
  for (const std::string& part : {info.fingerprint, tokens.fingerprint(), info.backend, info.device,
                                  experiment::describe_numerics(info.quantization, info.dtype),
                                  describe(task.settings.readouts.options)}) {
    all.add(part);
  }
  return all.hex();
}

struct Counts {
  std::size_t n_failed = 0;
  std::size_t n_noted = 0;
};

// Counts all lines, those of an earlier process included.
Counts count(const LinesOutput& output, std::size_t n_lines) {
  Counts counts;
  for (std::size_t i = 0; i < n_lines; ++i) {
    const nlohmann::json line = nlohmann::json::parse(output.line(i));
    counts.n_failed += line.contains("failure");
    counts.n_noted += line.contains("note");
  }
  return counts;
}

void read_all(const GuardArguments& arguments,
              const std::vector<GuardLine>& lines,
              const experiment::GuardTask& task,
              const tokenizer::Tokenizer& tokens,
              model::LanguageModel& language_model,
              LinesOutput& output) {
  const std::size_t n_resumed = output.n_done();
  experiment::GuardReadingOptions options;
  options.batch_size = arguments.batch_size;
  options.share_prefixes = !arguments.no_share_prefixes;
  for (std::size_t i = 0; i < lines.size(); ++i) options.is_read.push_back(output.has(i));
  ProgressLine progress(!arguments.disable_tqdm, "");
  Interruption interruption;
  const std::int64_t n_tokens =
      experiment::count_tokens(task.prompts).n_distinct_tokens +
      static_cast<std::int64_t>(task.prompts.size()) * arguments.max_new_tokens;
  options.on_work = [&](const model::Effort& effort) {
    progress.show({output.n_done(), lines.size(), n_resumed, effort, n_tokens});
    if (const auto stop = interruption.asked()) {
      progress.close();
      stop_work(*stop, output.describe_kept());
    }
  };
  experiment::read_conversations(language_model, task, tokens, options,
                                 [&](std::size_t item, const experiment::GuardReading& reading) {
                                   output.add(item, guard_line(lines[item].id, task, reading));
                                 });
  progress.close();
}

// Where there are gold labels.
void tell_metrics(const GuardArguments& arguments,
                  const std::vector<GuardLine>& lines,
                  std::span<const std::optional<Labels>> gold,
                  const experiment::GuardTask& task,
                  const LinesOutput& output) {
  std::vector<std::string> ids;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    ids.push_back(lines[i].id);
    texts.push_back(output.line(i));
  }
  const GuardMetrics metrics =
      measure_guard(ids, texts, gold, task.codes, arguments.thresholds, arguments.seed);
  if (metrics.n_items == 0) return;
  write_guard_metrics(arguments.out == "-" ? std::cerr : std::cout, metrics, task.codes,
                      arguments.thresholds);
  if (arguments.metrics_out.empty()) return;
  files::OutputFile file(arguments.metrics_out);
  file.stream() << guard_metrics_json(metrics).dump(1) << '\n';
  file.finish();
}

int finish(const GuardArguments& arguments, const Counts& counts, std::size_t n_lines) {
  const std::string out = arguments.out == "-" ? "the output" : arguments.out;
  if (counts.n_noted > 0) {
    std::cerr << fmt::format("warning: {} of {} conversations have a \"note\" in {}\n",
                             counts.n_noted, n_lines, out);
  }
  if (counts.n_failed == 0) return kSuccess;
  std::cerr << fmt::format("{} of {} conversations failed; see \"failure\" in {}\n",
                           counts.n_failed, n_lines, out);
  return kSomeFailed;
}

int run(const GuardArguments& given) {
  check_arguments(given);
  GuardArguments arguments = given;
  arguments.loading.model = weights::locate(arguments.loading.name);
  const std::vector<GuardLine> lines = read_conversations_file(arguments);
  const auto tokens = tokenizer::load(arguments.loading.model, arguments.loading.splitting);
  const experiment::GuardTask task = prepare(arguments, lines, *tokens);
  const std::vector<std::optional<Labels>> gold = read_gold(arguments, lines, task.codes);
  if (arguments.is_dry_run) return show_plan(task, lines.size());
  std::optional<model::Profile> profile;
  if (!arguments.profile.empty()) profile.emplace(arguments.profile);
  experiment::Workbench workbench;
  model::LanguageModel& language_model = open_model(workbench, arguments.loading, profile);
  std::cerr << task.settings.format.title() << ", " << task.codes.size() << " categories\n";
  for (const std::string& warning : task.warnings) std::cerr << "warning: " << warning << '\n';
  LinesOutput output(arguments.out,
                     fingerprint_of_task(lines, task, language_model.info(), *tokens),
                     lines.size());
  if (output.n_done() > 0) {
    std::cerr << output.n_done() << " of " << lines.size() << " conversations were read before\n";
  }
  read_all(arguments, lines, task, *tokens, language_model, output);
  output.finish();
  const model::Effort effort = language_model.effort();
  std::cerr << lines.size() << " conversations; " << effort.n_prompt_tokens_computed
            << " tokens of prompts and " << effort.n_places << " of answers computed\n";
  tell_metrics(arguments, lines, gold, task, output);
  tell_profile(profile);
  return finish(arguments, count(output, lines.size()), lines.size());
}

void declare_asking(OptionList& options, GuardArguments& arguments) {
  options.add(arguments.guard,
              {.name = "guard",
               .help = "Whose prompts to write; otherwise those of the model's own chat template",
               .shown = Shown::First,
               .value = "NAME",
               .choices = guard_names()});
  options.add(arguments.categories,
              {.name = "categories",
               .help = "JSON list of {\"name\", \"code\", \"description\"} in place of the guard's "
                       "own; the name alone is needed",
               .shown = Shown::First,
               .value = "FILE"});
  options.add(arguments.is_one_by_one,
              {.name = "one_by_one",
               .help = "A prompt for every category, as the publisher advises for one's own",
               .shown = Shown::First});
  options.add(arguments.max_new_tokens, {.name = "max_new_tokens",
                                         .help = "Tokens of an answer at most",
                                         .fallback = "20",
                                         .least = 1});
  options.add(
      arguments.no_special_tokens,
      {.name = "no_special_tokens",
       .help = "No begin-of-text token before prompts of guards whose template writes none, "
               "as transformers' apply_chat_template has it"});
}

void declare_metrics(OptionList& options, GuardArguments& arguments) {
  options.begin_group("Metrics");
  options.add(arguments.metrics_out,
              {.name = "metrics_out",
               .help = "JSON file of the metrics that are told where gold labels are there",
               .shown = Shown::First,
               .value = "FILE"});
  options.add(arguments.thresholds.fixed,
              {.name = "threshold",
               .help = "A category counts as violated from this probability on",
               .fallback = "0.5",
               .shown = Shown::First,
               .value = "P"});
  options.add(
      arguments.thresholds.n_folds,
      {.name = "folds",
       .help = "Thresholds are also fitted, on all folds but the one that they are measured "
               "on; 0 = no",
       .fallback = "5",
       .least = 0});
  options.add(arguments.seed,
              {.name = "seed", .help = "Of folds and drawn answers", .fallback = "0"});
}

void declare_arguments(OptionList& options, GuardArguments& arguments) {
  options.begin_group("Conversations");
  declare_model_name(options, arguments.loading.name);
  options.add(arguments.conversations,
              {.name = "conversations",
               .help = "JSON lines of id and messages, or of id, prompt and response; with labels "
                       "where they are known; - = standard input",
               .is_required = true,
               .shown = Shown::First,
               .value = "FILE"});
  declare_lines_output(options, arguments.out);
  declare_asking(options, arguments);
  options.add(
      arguments.is_dry_run,
      {.name = "dry_run", .help = "Show the first prompt, run nothing", .shown = Shown::First});
  options.add(arguments.disable_tqdm, {.name = "disable_tqdm", .help = "Show no progress"});
  declare_profile(options, arguments.profile);
  declare_batches(options, arguments.batch_size, arguments.no_share_prefixes, "Prompts");
  declare_metrics(options, arguments);
  declare_readouts(options, arguments.readouts);
  declare_model_loading(options, arguments.loading);
}

}  // namespace

Command guard_command() {
  return make_command<GuardArguments>(
      {CommandGroup::Ask, "guard",
       "Ask Llama Guard about conversations, with the probability of every category",
       "labelprobe guard --model-name-or-path MODEL --conversations chats.jsonl --out "
       "readings.jsonl"},
      declare_arguments, run);
}

}  // namespace labelprobe::app
