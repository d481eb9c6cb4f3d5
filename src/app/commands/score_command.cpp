// labelprobe score: how probable given continuations of given prompts are.
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/experiment/job.h"
#include "labelprobe/experiment/preparation.h"
#include "labelprobe/experiment/run.h"
#include "labelprobe/model/language_model.h"
#include "labelprobe/model/profile.h"
#include "labelprobe/readout/given_texts.h"
#include "labelprobe/tokenizer/tokenizer.h"
#include "labelprobe/weights/locate.h"

#include "app/commands/command.h"
#include "app/commands/lines_output.h"
#include "app/commands/model_tool.h"
#include "app/commands/score_files.h"
#include "app/options/run_options.h"
#include "app/terminal/interruption.h"
#include "app/terminal/progress.h"

namespace labelprobe::app {

namespace {

struct ScoreArguments {
  experiment::ModelLoading loading;
  std::string requests;
  std::string out;
  std::optional<std::string> pmi_prompt;
  std::string joining;
  std::string profile;
  int batch_size = 0;
  bool scores_prompts = false;
  bool no_special_tokens = false;
  bool no_share_prefixes = false;
  bool disable_tqdm = false;
  bool is_dry_run = false;
};

std::vector<ScoreLine> read_requests(const ScoreArguments& arguments) {
  std::vector<ScoreLine> lines;
  read_lines(arguments.requests, [&](std::istream& file, const std::string& name) {
    lines = read_score_lines(file, name);
  });
  if (lines.empty())
    throw DataError(arguments.requests + ": expected requests as JSON lines, found none");
  for (ScoreLine& line : lines) {
    if (!line.pmi_prompt) line.pmi_prompt = arguments.pmi_prompt;
  }
  return lines;
}

// What a line asks of the model; `failure` is set where its texts cannot be put together.
struct Asked {
  readout::GivenRequest request;
  std::vector<std::size_t> bare;  // of each continuation behind the PMI prompt; empty without one
  std::optional<std::string> failure;
};

// All requests of a file: those of its lines, and the continuations behind PMI prompts, each once.
struct Requests {
  std::vector<Asked> lines;
  std::vector<readout::GivenRequest> bare;
};

class Asking {
 public:
  Asking(const tokenizer::Tokenizer& tokenizer, const ScoreArguments& arguments)
      : tokenizer_(tokenizer),
        special_(arguments.no_special_tokens ? tokenizer::SpecialTokens::Omit
                                             : tokenizer::SpecialTokens::Add),
        joining_(readout::kJoinings.parse(arguments.joining)),
        scores_prompts_(arguments.scores_prompts) {}

  Requests ask(const std::vector<ScoreLine>& lines) {
    Requests requests;
    for (const ScoreLine& line : lines) {
      Asked& asked = requests.lines.emplace_back();
      try {
        add_texts(line, asked, requests.bare);
      } catch (const DataError& error) {
        asked = {};
        asked.failure = error.what();
      }
    }
    return requests;
  }

 private:
  readout::GivenText join(const std::string& prompt, const std::string& continuation) const {
    return readout::join_texts(tokenizer_, prompt, continuation, special_, joining_);
  }

  void add_texts(const ScoreLine& line,
                 Asked& asked,
                 std::vector<readout::GivenRequest>& bare_requests) {
    for (const ScoreLine::Pair& pair : line.pairs) {
      asked.request.texts.push_back(join(pair.prompt, pair.continuation));
      if (!line.pmi_prompt) continue;
      readout::GivenText bare = join(*line.pmi_prompt, pair.continuation);
      const auto [known, is_new] =
          bare_.try_emplace({bare.tokens, bare.first}, bare_requests.size());
      if (is_new) bare_requests.push_back({{std::move(bare)}, {}});
      asked.bare.push_back(known->second);
    }
    if (!scores_prompts_) return;
    TokenIds prompt = tokenizer_.encode(line.pairs.front().prompt, special_);
    if (prompt.empty()) throw DataError("the prompt has no token whose log-probability there is");
    asked.request.prompt = std::move(prompt);
  }

  const tokenizer::Tokenizer& tokenizer_;
  tokenizer::SpecialTokens special_;
  readout::Joining joining_;
  bool scores_prompts_;
  std::map<std::pair<TokenIds, std::size_t>, std::size_t> bare_;
};

std::vector<readout::GivenRequest> askable(const Requests& requests) {
  std::vector<readout::GivenRequest> askable;
  for (const Asked& asked : requests.lines) {
    if (!asked.failure) askable.push_back(asked.request);
  }
  askable.insert(askable.end(), requests.bare.begin(), requests.bare.end());
  return askable;
}

int show_plan(const std::vector<ScoreLine>& lines, const Requests& requests) {
  std::size_t n_continuations = 0;
  std::size_t n_failed = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    n_continuations += lines[i].pairs.size();
    if (!requests.lines[i].failure) continue;
    ++n_failed;
    std::cout << lines[i].place << ": " << *requests.lines[i].failure << '\n';
  }
  std::vector<TokenIds> texts;
  for (const readout::GivenRequest& request : askable(requests)) {
    for (const readout::GivenText& text : request.texts) texts.push_back(text.tokens);
    if (request.prompt) texts.push_back(*request.prompt);
  }
  const experiment::TokenCounts counts = experiment::count_tokens(texts);
  std::cout << fmt::format(
      "{} requests, {} continuations; {} of them behind PMI prompts\n"
      "{} tokens, {} of them distinct: about as many are computed; the longest text has {}\n",
      lines.size(), n_continuations, requests.bare.size(), counts.n_prompt_tokens,
      counts.n_distinct_tokens, counts.longest_prompt);
  return n_failed == 0 ? kSuccess : kSomeFailed;
}

// What decides every line of the output.
std::string fingerprint_of_task(const ScoreArguments& arguments,
                                const std::vector<ScoreLine>& lines,
                                const model::ModelInfo& info,
                                const tokenizer::Tokenizer& tokenizer) {
  Fingerprint all;
  for (const ScoreLine& line : lines) {
    all.add(line.id);
    all.add(line.pmi_prompt ? "1" + *line.pmi_prompt : "0");
    for (const ScoreLine::Pair& pair : line.pairs) {
      all.add(pair.prompt);
      all.add(pair.continuation);
    }
    all.add("end");
  }
  for (const std::string& part :
       {info.fingerprint, tokenizer.fingerprint(), info.backend, info.device,
        experiment::describe_numerics(info.quantization, info.dtype), arguments.joining,
        fmt::format("{} {}", arguments.scores_prompts, arguments.no_special_tokens)}) {
    all.add(part);
  }
  return all.hex();
}

class Scoring {
 public:
  Scoring(const ScoreArguments& arguments,
          const std::vector<ScoreLine>& lines,
          const Requests& requests,
          LinesOutput& output)
      : arguments_(arguments), lines_(lines), requests_(requests), output_(output) {}

  // Returns how many requests failed.
  std::size_t run(model::LanguageModel& language_model) {
    const std::size_t n_resumed = output_.n_done();
    readout::ScoringOptions options;
    options.batch_size = arguments_.batch_size;
    options.share_prefixes = !arguments_.no_share_prefixes;
    score_bare(language_model, options);
    std::vector<std::size_t> line_of;  // by request
    std::vector<readout::GivenRequest> requests;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      const Asked& asked = requests_.lines[i];
      if (asked.failure) {
        if (!output_.has(i)) add(i, {{}, {}, asked.failure});
        continue;
      }
      line_of.push_back(i);
      requests.push_back(asked.request);
      options.is_scored.push_back(output_.has(i));
    }
    ProgressLine progress(!arguments_.disable_tqdm, "");
    Interruption interruption;
    const std::int64_t n_tokens = readout::n_tokens_at_most(requests);
    options.on_work = [&](const model::Effort& effort) {
      progress.show({output_.n_done(), lines_.size(), n_resumed, effort, n_tokens});
      if (const auto stop = interruption.asked()) {
        progress.close();
        stop_work(*stop, output_.describe_kept());
      }
    };
    readout::score_texts(language_model, requests, options,
                         [&](std::size_t request, readout::RequestScore score) {
                           add(line_of[request], std::move(score));
                         });
    progress.close();
    return n_failed_;
  }

 private:
  void score_bare(model::LanguageModel& language_model, const readout::ScoringOptions& options) {
    bare_.resize(requests_.bare.size());
    if (bare_.empty()) return;
    readout::score_texts(language_model, requests_.bare, options,
                         [&](std::size_t request, readout::RequestScore score) {
                           bare_[request] = std::move(score);
                         });
  }

  void add(std::size_t i, readout::RequestScore score) {
    std::vector<double> bare_logprobs;
    for (const std::size_t b : requests_.lines[i].bare) {
      if (bare_[b].failure && !score.failure) {
        score = {};
        score.failure = "behind the PMI prompt: " + *bare_[b].failure;
      }
      if (!score.failure) bare_logprobs.push_back(bare_[b].texts.front().logprob);
    }
    n_failed_ += score.failure.has_value();
    output_.add(i, score_line(lines_[i], requests_.lines[i].request, score, bare_logprobs));
  }

  const ScoreArguments& arguments_;
  const std::vector<ScoreLine>& lines_;
  const Requests& requests_;
  LinesOutput& output_;
  std::vector<readout::RequestScore> bare_;
  std::size_t n_failed_ = 0;
};

int run(const ScoreArguments& arguments) {
  experiment::ModelLoading loading = arguments.loading;
  loading.model = weights::locate(loading.name);
  const std::vector<ScoreLine> lines = read_requests(arguments);
  const auto tokens = tokenizer::load(loading.model, loading.splitting);
  const Requests requests = Asking(*tokens, arguments).ask(lines);
  if (arguments.is_dry_run) return show_plan(lines, requests);
  std::optional<model::Profile> profile;
  if (!arguments.profile.empty()) profile.emplace(arguments.profile);
  experiment::Workbench workbench;
  model::LanguageModel& language_model = open_model(workbench, loading, profile);
  LinesOutput output(arguments.out,
                     fingerprint_of_task(arguments, lines, language_model.info(), *tokens),
                     lines.size());
  if (output.n_done() > 0) {
    std::cerr << output.n_done() << " of " << lines.size() << " requests were scored before\n";
  }
  const std::size_t n_failed = Scoring(arguments, lines, requests, output).run(language_model);
  output.finish();
  const model::Effort effort = language_model.effort();
  std::cerr << lines.size() << " requests; " << effort.n_prompt_tokens_computed
            << " tokens of prompts and " << effort.n_places << " of continuations computed\n";
  tell_profile(profile);
  if (n_failed == 0) return kSuccess;
  std::cerr << n_failed << " of " << lines.size() << " requests failed; see \"failure\" in "
            << (arguments.out == "-" ? "the output" : arguments.out) << '\n';
  return kSomeFailed;
}

void declare_arguments(OptionList& options, ScoreArguments& arguments) {
  options.begin_group("Scoring");
  declare_model_name(options, arguments.loading.name);
  options.add(arguments.requests,
              {.name = "requests",
               .help = "JSON lines of id, prompt and continuations, or the samples that lm-eval "
                       "logs; - = standard input",
               .is_required = true,
               .shown = Shown::First,
               .value = "FILE"});
  declare_lines_output(options, arguments.out);
  options.add(arguments.scores_prompts,
              {.name = "prompt_logprobs",
               .help = "The log-probabilities of the prompts' own tokens too",
               .shown = Shown::First});
  options.add(arguments.pmi_prompt,
              {.name = "pmi_prompt",
               .help = "Prompt without the question, such as 'Emotion:': pmi is how much more "
                       "probable a continuation is behind its own prompt",
               .shown = Shown::First,
               .value = "TEXT"});
  options.add(arguments.joining,
              {.name = "joining",
               .help = "text = prompt and continuation are tokenized as one; lm-eval = as there, "
                       "which differs where a token would span both",
               .fallback = "text",
               .choices = readout::kJoinings.names()});
  options.add(arguments.no_special_tokens,
              {.name = "no_special_tokens",
               .help = "No begin-of-text token before the texts, as lm-eval has it by default",
               .shown = Shown::First});
  options.add(arguments.is_dry_run,
              {.name = "dry_run", .help = "Count the tokens, run nothing", .shown = Shown::First});
  options.add(arguments.disable_tqdm, {.name = "disable_tqdm", .help = "Show no progress"});
  declare_profile(options, arguments.profile);
  declare_batches(options, arguments.batch_size, arguments.no_share_prefixes, "Requests");
  declare_model_loading(options, arguments.loading);
}

}  // namespace

Command score_command() {
  return make_command<ScoreArguments>(
      {CommandGroup::Tools, "score",
       "Tell how probable given continuations of prompts are, token by token",
       "labelprobe score --model-name-or-path MODEL --requests requests.jsonl --out scores.jsonl"},
      declare_arguments, run);
}

}  // namespace labelprobe::app
