// labelprobe generate: greedy continuations of given prompts, and on request all their logits.
#include <fstream>
#include <iostream>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/run.h"
#include "labelprobe/files/output_file.h"
#include "labelprobe/model/language_model.h"
#include "labelprobe/model/profile.h"
#include "labelprobe/tokenizer/tokenizer.h"
#include "labelprobe/weights/locate.h"

#include "app/commands/command.h"
#include "app/commands/generate_files.h"
#include "app/commands/model_tool.h"
#include "app/options/run_options.h"

namespace labelprobe::app {

namespace {

struct GenerateArguments {
  experiment::ModelLoading loading;
  std::string prompts;
  std::string out;
  std::string logits_out;
  std::string profile;
  int max_new_tokens = 0;
  int batch_size = 0;
  std::optional<double> repetition_penalty;  // unset = the model's own
  bool ignore_eos = false;
  bool no_share_prefixes = false;
  std::vector<std::string> stop_strings;
};

std::vector<PromptLine> read_prompts(const std::string& name) {
  std::vector<PromptLine> lines;
  read_lines(name, [&](std::istream& file, const std::string& shown) {
    lines = read_prompt_lines(file, shown);
  });
  if (lines.empty()) throw DataError(name + ": expected prompts as JSON lines, found none");
  for (const PromptLine& line : lines) {
    if (line.id == "__metadata__") {
      throw DataError(name + ": the id '__metadata__' is reserved in safetensors files");
    }
  }
  return lines;
}

// The model's tokenizer; null if it has none that we can read and nothing needs it.
std::unique_ptr<const tokenizer::Tokenizer> load_tokenizer(const std::filesystem::path& model,
                                                           const std::vector<PromptLine>& lines,
                                                           const GenerateArguments& arguments) {
  bool is_needed = !arguments.stop_strings.empty();
  for (const PromptLine& line : lines) is_needed |= line.text.has_value();
  try {
    return tokenizer::load(model, arguments.loading.splitting);
  } catch (const ModelError&) {
    if (is_needed) throw;
    return nullptr;
  }
}

model::GenerateOptions make_generate_options(const GenerateArguments& arguments,
                                             const model::ModelInfo& info,
                                             const tokenizer::Tokenizer* tokens) {
  model::GenerateOptions options;
  options.stop.max_new_tokens = arguments.max_new_tokens;
  if (!arguments.ignore_eos) options.stop.end_ids = info.end_ids;
  if (!arguments.stop_strings.empty()) {
    options.stop.is_complete = [&arguments, tokens](std::span<const TokenId> generated) {
      const std::string text = tokens->decode(generated);
      for (const std::string& stop : arguments.stop_strings) {
        if (text.find(stop) != std::string::npos) return true;
      }
      return false;
    };
  }
  options.batch_size = arguments.batch_size;
  options.share_prefixes = !arguments.no_share_prefixes;
  options.keep_logits = !arguments.logits_out.empty();
  options.rules = info.rules;
  options.rules.repetition_penalty =
      arguments.repetition_penalty.value_or(info.rules.repetition_penalty);
  return options;
}

// Returns how many prompts failed.
int write_answers(std::ostream& out,
                  const std::vector<PromptLine>& lines,
                  const std::vector<TokenIds>& prompts,
                  const std::vector<model::Generation>& answers,
                  const tokenizer::Tokenizer* tokens) {
  int n_failed = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    nlohmann::ordered_json line = {{"id", lines[i].id},
                                   {"n_prompt_tokens", prompts[i].size()},
                                   {"token_ids", answers[i].token_ids},
                                   {"text", nullptr}};
    if (tokens) line["text"] = tokens->decode(answers[i].token_ids);
    if (answers[i].failure) {
      line["failure"] = *answers[i].failure;
      ++n_failed;
    }
    out << line.dump() << '\n';
  }
  return n_failed;
}

int run(const GenerateArguments& arguments) {
  for (const std::string& stop : arguments.stop_strings) {
    if (stop.empty()) throw ConfigError("--stop: expected a text, found an empty one");
  }
  experiment::ModelLoading loading = arguments.loading;
  loading.model = weights::locate(loading.name);
  const std::vector<PromptLine> lines = read_prompts(arguments.prompts);
  files::OutputFile file(arguments.out);
  std::optional<model::Profile> profile;
  if (!arguments.profile.empty()) profile.emplace(arguments.profile);

  const auto tokens = load_tokenizer(loading.model, lines, arguments);
  std::vector<TokenIds> prompts;
  for (const PromptLine& line : lines) {
    prompts.push_back(line.token_ids ? *line.token_ids
                                     : tokens->encode(*line.text, tokenizer::SpecialTokens::Add));
  }
  experiment::Workbench workbench;
  model::LanguageModel& language_model = open_model(workbench, loading, profile);
  const model::ModelInfo& info = language_model.info();

  std::vector<model::Generation> answers(prompts.size());
  std::vector<NamedRows> logits(prompts.size());
  const auto options = make_generate_options(arguments, info, tokens.get());
  std::cerr << experiment::GenerationInForce{options.stop.end_ids, options.rules}.describe()
            << '\n';
  language_model.generate(prompts, options, [&](auto batch) {
    for (auto& [i, answer] : batch) {
      logits[i] = {lines[i].id, std::move(answer.logits)};
      answers[i] = std::move(answer);
    }
  });
  const int n_failed = write_answers(file.stream(), lines, prompts, answers, tokens.get());
  file.finish();
  if (!arguments.logits_out.empty()) {
    write_logits(arguments.logits_out, logits, static_cast<std::size_t>(info.vocab_size));
  }
  const model::Effort effort = language_model.effort();
  std::cerr << prompts.size() << " prompts of " << effort.n_prompt_tokens << " tokens, "
            << effort.n_prompt_tokens_computed << " computed; " << effort.n_generated_tokens
            << " tokens generated\n";
  if (effort.n_batches_halved > 0) {
    std::cerr << "memory ran short " << effort.n_batches_halved
              << " times; those batches were run again in halves\n";
  }
  tell_profile(profile);
  if (n_failed == 0) return kSuccess;
  std::cerr << n_failed << " of " << prompts.size() << " prompts failed; see \"failure\" in "
            << (arguments.out == "-" ? "the output" : arguments.out) << '\n';
  return kSomeFailed;
}

void declare_arguments(OptionList& options, GenerateArguments& arguments) {
  options.begin_group("Generation");
  declare_model_name(options, arguments.loading.name);
  options.add(arguments.prompts,
              {.name = "prompts",
               .help = "JSON lines of id and text or token_ids; - = standard input",
               .is_required = true,
               .shown = Shown::First,
               .value = "FILE"});
  options.add(arguments.max_new_tokens, {.name = "max_new_tokens",
                                         .help = "Tokens to generate at most",
                                         .is_required = true,
                                         .shown = Shown::First,
                                         .least = 1});
  options.add(arguments.out, {.name = "out",
                              .help = "File to write; - = standard output",
                              .fallback = "-",
                              .shown = Shown::First,
                              .value = "FILE"});
  options.add(arguments.logits_out, {.name = "logits_out",
                                     .help = "safetensors file of all logits of every step",
                                     .shown = Shown::First,
                                     .value = "FILE"});
  declare_profile(options, arguments.profile);
  options.add(
      arguments.ignore_eos,
      {.name = "ignore_eos", .help = "Go on after an end-of-text token", .shown = Shown::First});
  options.add(
      arguments.stop_strings,
      {.name = "stop", .help = "End an answer that contains one of these", .shown = Shown::First});
  declare_repetition_penalty(options, arguments.repetition_penalty);
  declare_batches(options, arguments.batch_size, arguments.no_share_prefixes, "Prompts");
  declare_model_loading(options, arguments.loading);
}

}  // namespace

Command generate_command() {
  return make_command<GenerateArguments>(
      {CommandGroup::Tools, "generate",
       "Continue prompts greedily and write tokens, text and logits",
       "labelprobe generate --model-name-or-path MODEL --prompts prompts.jsonl --max-new-tokens 18 "
       "--out -"},
      declare_arguments, run);
}

}  // namespace labelprobe::app
