// labelprobe generate: greedy continuations of given prompts, and on request all their logits.
#include <array>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/model/language_model.h"
#include "labelprobe/model/profile.h"
#include "labelprobe/tokenizer/tokenizer.h"

#include "app/commands/command.h"
#include "app/commands/generate_files.h"
#include "app/commands/model_loading.h"
#include "app/commands/workbench.h"
#include "app/options/option_reader.h"
#include "app/terminal/profile_report.h"

namespace labelprobe::app {

namespace {

struct Arguments {
  std::string model;
  std::string prompts;
  std::string out = "-";
  std::string logits_out;
  std::string profile;
  int max_new_tokens = 0;
  int batch_size = 0;
  bool ignore_eos = false;
  bool no_share_prefixes = false;
  std::vector<std::string> stop_strings;
  OptionReader loading;
};

std::vector<PromptLine> read_prompts(const std::string& name) {
  std::vector<PromptLine> lines;
  if (name == "-") {
    lines = read_prompt_lines(std::cin, "standard input");
  } else {
    std::ifstream file(name, std::ios::binary);
    if (!file) throw DataError(name + ": cannot be read; expected a file of JSON lines");
    lines = read_prompt_lines(file, name);
  }
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
                                                           const Arguments& arguments) {
  bool is_needed = !arguments.stop_strings.empty();
  for (const PromptLine& line : lines) is_needed |= line.text.has_value();
  try {
    return tokenizer::load(model);
  } catch (const ModelError&) {
    if (is_needed) throw;
    return nullptr;
  }
}

model::GenerateOptions make_generate_options(const Arguments& arguments,
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
  options.repetition_penalty = info.repetition_penalty;
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
  out.flush();
  return n_failed;
}

ModelLoading read_loading(const Arguments& arguments) {
  const std::vector<Options> all = arguments.loading.read();
  if (all.size() != 1) {
    throw ConfigError("generate: expected one value of each option, found several of some");
  }
  return make_model_loading(all.front(), arguments.model);
}

void check_numbers(const Arguments& arguments) {
  const auto check = [](const char* flag, int value, int least) {
    if (value < least) {
      throw ConfigError(std::string(flag) + ": expected " + std::to_string(least) +
                        " or more, found " + std::to_string(value));
    }
  };
  check("--max-new-tokens", arguments.max_new_tokens, 1);
  check("--batch-size", arguments.batch_size, 0);
  for (const std::string& stop : arguments.stop_strings) {
    if (stop.empty()) throw ConfigError("--stop: expected a text, found an empty one");
  }
}

int run(const Arguments& arguments) {
  check_numbers(arguments);
  const ModelLoading loading = read_loading(arguments);
  const std::vector<PromptLine> lines = read_prompts(arguments.prompts);
  std::ofstream file;
  if (arguments.out != "-") {
    file.open(arguments.out, std::ios::binary);
    if (!file) throw ConfigError(arguments.out + ": cannot be written");
  }
  std::ostream& out = arguments.out == "-" ? std::cout : file;

  std::optional<model::Profile> profile;
  if (!arguments.profile.empty()) profile.emplace(arguments.profile);

  const auto tokens = load_tokenizer(loading.model, lines, arguments);
  std::vector<TokenIds> prompts;
  for (const PromptLine& line : lines) {
    prompts.push_back(line.token_ids ? *line.token_ids
                                     : tokens->encode(*line.text, tokenizer::SpecialTokens::Add));
  }
  Workbench workbench;
  workbench.plan_packed_copy(loading);
  if (workbench.write_packed_copy(loading)) {
    std::cerr << "packed copy written to " << loading.packed_copy.string() << '\n';
  }
  model::LanguageModel& opened = workbench.open(loading).model;
  model::LanguageModel& language_model = profile ? profile->watch(opened) : opened;
  const model::ModelInfo& info = language_model.info();
  std::cerr << info.architecture << ", " << describe_numerics(info.quantization, info.dtype) << ", "
            << info.device << " (" << info.device_name << "), " << info.backend << '\n';
  const std::string idle_tf32 = warn_of_idle_tf32(loading, info.device);
  if (!idle_tf32.empty()) std::cerr << "warning: " << idle_tf32 << '\n';

  std::vector<model::Generation> answers(prompts.size());
  std::vector<NamedRows> logits(prompts.size());
  const auto options = make_generate_options(arguments, info, tokens.get());
  language_model.generate(prompts, options, [&](auto batch) {
    for (auto& [i, answer] : batch) {
      logits[i] = {lines[i].id, std::move(answer.logits)};
      answers[i] = std::move(answer);
    }
  });
  const int n_failed = write_answers(out, lines, prompts, answers, tokens.get());
  if (!out) throw ConfigError(arguments.out + ": cannot be written");
  if (!arguments.logits_out.empty()) {
    write_safetensors(arguments.logits_out, logits, static_cast<std::size_t>(info.vocab_size));
  }
  const model::Effort effort = language_model.effort();
  std::cerr << prompts.size() << " prompts of " << effort.n_prompt_tokens << " tokens, "
            << effort.n_prompt_tokens_computed << " computed; " << effort.n_generated_tokens
            << " tokens generated\n";
  if (effort.n_batches_halved > 0) {
    std::cerr << "memory ran short " << effort.n_batches_halved
              << " times; those batches were run again in halves\n";
  }
  if (const auto summary = profile ? profile->finish() : std::nullopt) {
    for (const std::string& line : describe_profile(*summary, profile->trace())) {
      std::cerr << line << '\n';
    }
  }
  if (n_failed == 0) return kSuccess;
  std::cerr << n_failed << " of " << prompts.size() << " prompts failed; see \"failure\" in "
            << (arguments.out == "-" ? "the output" : arguments.out) << '\n';
  return kSomeFailed;
}

}  // namespace

CommandBody declare_generate(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  Arguments& a = *arguments;
  app.add_option("--model-name-or-path", a.model, "Folder, .gguf file or hub name")->required();
  app.add_option("--prompts", a.prompts,
                 "JSON lines of id and text or token_ids; - = standard input")
      ->required();
  app.add_option("--max-new-tokens", a.max_new_tokens, "Tokens to generate at most")->required();
  app.add_option("--out", a.out, "File to write; - = standard output")->capture_default_str();
  app.add_option("--logits-out", a.logits_out, "safetensors file of all logits of every step");
  app.add_option("--profile", a.profile,
                 "File for a trace of the model's work, for chrome://tracing or Perfetto; what "
                 "took the time is told at the end");
  app.add_flag("--ignore-eos", a.ignore_eos, "Go on after an end-of-text token");
  app.add_option("--stop", a.stop_strings, "End an answer that contains one of these");
  app.add_option("--batch-size", a.batch_size, "Prompts computed together; 0 = from free memory")
      ->capture_default_str();
  app.add_flag("--no-share-prefixes", a.no_share_prefixes, "Compute every prompt alone, in full");
  a.loading.declare(app, std::array{kLoadingGroup});
  return [arguments] { return run(*arguments); };
}

}  // namespace labelprobe::app
