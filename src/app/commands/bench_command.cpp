// labelprobe bench: one hash of all numbers of a fixed run, which a change of the program keeps or
// says why it does not.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/experiment/job.h"
#include "labelprobe/experiment/plan.h"
#include "labelprobe/model/language_model.h"
#include "labelprobe/weights/making.h"

#include "app/commands/command.h"
#include "app/commands/jobs.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

struct BenchArguments {
  bool is_signature = false;
  std::string config;
  int n_threads = 0;
};

// What numbers are computed in, and the flags that ask for it.
struct Mode {
  std::string_view name;
  std::vector<std::string> flags;
};

const std::vector<Mode>& modes() {
  static const std::vector<Mode> all = {
      {"float32", {"--model-dtype", "float32"}},
      {"bfloat16", {"--model-dtype", "bfloat16"}},
      {"float16", {"--model-dtype", "float16"}},
      {"fp4", {"--model-dtype", "float32", "--quant", "fp4"}},
      {"nf4, bfloat16", {"--model-dtype", "bfloat16", "--quant", "nf4"}},
  };
  return all;
}

constexpr int kItems = 3;
constexpr int kTokens = 6;  // of each answer
constexpr int kTopTokens = 5;

// A folder of our own that goes with it.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "labelprobe-bench-XXXXXX").string();
    if (!mkdtemp(name.data())) {
      throw ConfigError(fmt::format("{}: no folder can be made there", name));
    }
    path_ = name;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// How GPT-2's vocabularies write a byte: printable ones as they are, others from U+0100 on.
std::string written_byte(int byte) {
  const auto is_shown = [](int b) {
    return (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
  };
  int code = byte;
  if (!is_shown(byte)) {
    code = 0x100;
    for (int b = 0; b < byte; ++b) {
      code += !is_shown(b);
    }
  }
  if (code < 0x80) {
    return std::string(1, static_cast<char>(code));
  }
  return {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
}

// The tokenizer of the shape "tiny".
void write_byte_tokenizer(const fs::path& folder) {
  nlohmann::ordered_json vocabulary;
  for (int byte = 0; byte < 256; ++byte) {
    vocabulary[written_byte(byte)] = byte;
  }
  nlohmann::ordered_json added;
  for (const auto& [id, text] :
       {std::pair(256, "<s>"), std::pair(257, "</s>"), std::pair(258, "<unused>")}) {
    vocabulary[text] = id;
    added.push_back({{"id", id},
                     {"content", text},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  const nlohmann::ordered_json bytes = {{"type", "ByteLevel"},
                                        {"add_prefix_space", false},
                                        {"trim_offsets", true},
                                        {"use_regex", false}};
  const nlohmann::ordered_json tokenizer = {{"version", "1.0"},
                                            {"added_tokens", added},
                                            {"normalizer", nullptr},
                                            {"pre_tokenizer", bytes},
                                            {"post_processor", nullptr},
                                            {"decoder", bytes},
                                            {"model",
                                             {{"type", "BPE"},
                                              {"unk_token", nullptr},
                                              {"vocab", vocabulary},
                                              {"merges", nlohmann::ordered_json::array()}}}};
  std::ofstream(folder / "tokenizer.json") << tokenizer;
  std::ofstream(folder / "tokenizer_config.json")
      << R"({"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>"})";
}

template <typename Number>
void add_number(Fingerprint& numbers, Number number) {
  numbers.add(std::as_bytes(std::span(&number, 1)));
}

// Every number that is read of a run's answers, step by step.
void add_answers(const experiment::Preparation& preparation,
                 model::LanguageModel& language_model,
                 Fingerprint& numbers) {
  model::GenerateOptions options;
  options.stop.max_new_tokens = kTokens;
  options.watched = preparation.answers.watched;
  options.n_top_tokens = kTopTokens;
  std::vector<model::Generation> answers(preparation.prompts.size());
  language_model.generate(preparation.prompts, options, [&](auto results) {
    for (auto& [i, answer] : results) {
      answers[i] = std::move(answer);
    }
  });
  for (const model::Generation& answer : answers) {
    if (answer.failure) {
      throw ModelError("the fixed run failed: " + *answer.failure);
    }
    for (const TokenId id : answer.token_ids) {
      add_number(numbers, id);
    }
    for (const model::Step& step : answer.steps) {
      add_number(numbers, step.log_sum_exp);
      for (const float logit : step.watched_logits) {
        add_number(numbers, logit);
      }
      for (const model::TopToken& top : step.top_tokens) {
        add_number(numbers, top.id);
        add_number(numbers, top.logit);
      }
    }
  }
}

std::vector<std::string> words_of(const BenchArguments& arguments,
                                  const Mode& mode,
                                  std::string_view plan,
                                  const fs::path& model) {
  std::vector<std::string> words = {std::string(kRunName),
                                    "GoEmotions",
                                    "--config",
                                    arguments.config,
                                    "--model-name-or-path",
                                    model.string(),
                                    "--distribution",
                                    std::string(plan),
                                    "--limit",
                                    std::to_string(kItems),
                                    "--max-new-tokens",  // of which kTokens are generated
                                    "200",
                                    "--threads",
                                    std::to_string(arguments.n_threads),
                                    "--device",
                                    "cpu"};
  words.insert(words.end(), mode.flags.begin(), mode.flags.end());
  return words;
}

int bench(const BenchArguments& arguments) {
  if (!arguments.is_signature) {
    throw ConfigError("bench: expected --signature; speed is measured by scripts/bench.sh");
  }
  const ScratchFolder scratch;
  const fs::path model = scratch.path() / "model";
  weights::RandomCheckpointOptions checkpoint;
  checkpoint.shape = "tiny";
  checkpoint.dtype = weights::DType::Float32;
  checkpoint.folder = model;
  weights::write_random_checkpoint(checkpoint);
  write_byte_tokenizer(model);

  for (const auto& [name, words] : model::describe_platform()) {
    std::cout << fmt::format("{:<14} {}\n", name, words);
  }
  Fingerprint all;
  for (const Mode& mode : modes()) {
    Fingerprint numbers;
    experiment::Workbench workbench;
    std::string backend;
    for (const experiment::Plan* plan : experiment::plans()) {
      if (!plan->is_distribution) {
        continue;
      }
      std::vector<experiment::GridJob> jobs =
          read_jobs(words_of(arguments, mode, plan->name, model));
      const experiment::PreparedJob prepared =
          experiment::prepare(std::move(jobs.front().job), workbench);
      model::LanguageModel& language_model = workbench.open(prepared.job.model).model;
      backend = language_model.info().backend;
      add_answers(prepared.preparation, language_model, numbers);
    }
    all.add(numbers.hex());
    std::cout << fmt::format("{:<14} {}  {}\n", mode.name, numbers.hex(), backend) << std::flush;
  }
  std::cout << fmt::format("{:<14} {}\n", "signature", all.hex());
  return kSuccess;
}

}  // namespace

Command bench_command() {
  return make_command<BenchArguments>(
      {CommandGroup::Tools, "bench",
       "Print one hash of all numbers of a fixed run, to see whether a change moved any",
       "labelprobe bench --signature"},
      [](OptionList& options, BenchArguments& arguments) {
        options.begin_group("What");
        options.add(arguments.is_signature,
                    {.name = "signature",
                     .help = "The hash: a model of random weights is asked in every way about the "
                             "bundled data, in every number type of a CPU",
                     .shown = Shown::First});
        options.add(arguments.config, {.name = "questions",
                                       .help = "Config file of what is asked",
                                       .fallback = "configs/example/config.yaml",
                                       .value = "FILE"});
        options.add(arguments.n_threads, {.name = "threads",
                                          .help = "CPU threads; 0 = one per physical core. They "
                                                  "change nothing but the time",
                                          .fallback = "0",
                                          .least = 0});
      },
      bench);
}

}  // namespace labelprobe::app
