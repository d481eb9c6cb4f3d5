// labelprobe finetune: LoRA on training texts that end in their labels (SFT in the paper), and how
// well the tuned model answers.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/training_texts.h"
#include "labelprobe/files/output_file.h"
#include "labelprobe/model/open.h"
#include "labelprobe/tokenizer/tokenizer.h"
#include "labelprobe/training/finetune.h"
#include "labelprobe/weights/locate.h"
#include "labelprobe/weights/making.h"

#include "app/commands/command.h"
#include "app/commands/finetune_evaluation.h"
#include "app/options/finetune_options.h"
#include "app/terminal/colour.h"
#include "app/terminal/interruption.h"
#include "app/terminal/progress.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

// Says things on standard error and in training.log; steps that are not logged only on a terminal's
// last line.
class TrainingLog {
 public:
  TrainingLog(const fs::path& folder, bool hides_progress)
      : is_lively_(!hides_progress && has_lively_terminal()) {
    std::error_code error;
    fs::create_directories(folder, error);
    path_ = folder / "training.log";
    file_.open(path_, std::ios::app);
    if (!file_)
      throw ConfigError(path_.string() + ": expected a file that can be written, found none");
  }
  ~TrainingLog() { close_line(); }
  TrainingLog(const TrainingLog&) = delete;
  TrainingLog& operator=(const TrainingLog&) = delete;

  const fs::path& path() const { return path_; }

  void say(const std::string& line) {
    close_line();
    std::cerr << line << '\n';
    file_ << line << '\n' << std::flush;
  }

  [[noreturn]] void stop(const Stop& stop, std::int64_t step) {
    say(
        fmt::format("stopped by {} behind step {}; the same command goes on from the last "
                    "checkpoint",
                    stop.reason, step));
    throw Interrupted{stop.exit_code};
  }

  void show(const training::FinetuneProgress& progress) {
    std::string line =
        fmt::format("step {}/{}, loss {:.4f}", progress.step, progress.n_steps, progress.loss);
    if (progress.validation_loss)
      line += fmt::format(", validation loss {:.4f}", *progress.validation_loss);
    line += fmt::format(", gradient norm {:.3f}, rate {:.3g}, {:.0f} tokens/s, {} left",
                        progress.gradient_norm, progress.learning_rate, progress.tokens_per_second,
                        describe_duration(progress.seconds_left));
    if (progress.is_logged || progress.validation_loss) {
      say(line);
    } else if (is_lively_) {
      std::fputs(("\r\033[K" + line).c_str(), stderr);
      std::fflush(stderr);
      is_line_open_ = true;
    }
  }

 private:
  void close_line() {
    if (is_line_open_) std::fputs("\r\033[K", stderr);
    is_line_open_ = false;
  }

  fs::path path_;
  std::ofstream file_;
  bool is_lively_;
  bool is_line_open_ = false;
};

// The model's name as a part of paths: a hub name as it is, of a path the last part.
fs::path name_in_paths(const std::string& model) {
  if (!fs::exists(model)) return fs::path(model).relative_path();
  const fs::path path = fs::canonical(model);
  return fs::is_directory(path) ? path.filename() : path.stem();
}

std::vector<training::TrainingItem> encode(const std::vector<prompt::TrainingText>& texts,
                                           const tokenizer::Tokenizer& tokenizer) {
  std::vector<training::TrainingItem> items;
  for (const prompt::TrainingText& text : texts) {
    items.push_back({text.item.id(), tokenizer.encode(text.text, tokenizer::SpecialTokens::Add)});
  }
  return items;
}

void write_texts(const std::vector<prompt::TrainingText>& texts, const fs::path& path) {
  if (path.empty()) return;
  files::OutputFile file(path);
  for (const prompt::TrainingText& text : texts) {
    file.stream() << nlohmann::ordered_json{{"id", text.item.id()}, {"text", text.text}}.dump()
                  << '\n';
  }
  file.finish();
}

// What is put behind every text. Blocks are full, so that no token for padding is needed.
TokenId end_token(const tokenizer::Tokenizer& tokenizer,
                  const model::ModelInfo& info,
                  const std::string& model) {
  if (const auto id = tokenizer.eos_id()) return *id;
  if (!info.end_ids.empty()) return info.end_ids.front();
  throw ModelError(model +
                   ": expected a tokenizer with an end token, which goes behind every training "
                   "text, found none");
}

void describe_plan(const training::FinetunePlan& plan,
                   const FinetuneOptions& finetune,
                   const training::FinetuneData& data) {
  const auto say = [](const char* name, const std::string& text) {
    std::cout << fmt::format("  {:<11} {}\n", name, text);
  };
  say("texts", fmt::format("{} to train on, {} to validate with", data.train.size(),
                           data.validation.size()));
  say("tokens", fmt::format("{}, the longest text has {}; {} dropped at the end", plan.n_tokens,
                            plan.longest_item, plan.n_dropped));
  say("blocks", fmt::format("{} of {} tokens, {} texts lie in more than one; {} to validate with",
                            plan.n_blocks, finetune.training.block_tokens, plan.n_split,
                            plan.n_validation_blocks));
  say("steps", fmt::format("{}, {} per epoch", plan.n_steps, plan.steps_per_epoch));
  say("settings", finetune.training.describe());
}

void report_metrics(TrainingLog& log,
                    const std::map<std::string, double>& metrics,
                    std::size_t n_items) {
  std::string line = fmt::format("evaluation on {} items:", n_items);
  for (const char* name : {"jaccard_score", "micro_f1", "macro_f1"})
    line += fmt::format(" {} {:.4f}", name, metrics.at(name));
  log.say(line);
  for (const auto& [name, value] : metrics) std::cout << fmt::format("{}: {}\n", name, value);
}

void evaluate(TrainingLog& log,
              const experiment::TrainingTexts& texts,
              const FinetuneOptions& finetune,
              const fs::path& model,
              const fs::path& adapter) {
  if (finetune.skips_evaluation || texts.queries.empty()) return;
  log.say(fmt::format("answering {} test items with the adapter", texts.queries.size()));
  report_metrics(log, evaluate_adapter(texts, finetune, model, adapter), texts.queries.size());
}

training::FinetuneData make_data(const experiment::TrainingTexts& texts,
                                 const tokenizer::Tokenizer& tokenizer,
                                 TokenId end_id) {
  training::FinetuneData data{encode(texts.train, tokenizer), {}, end_id};
  if (!texts.validation.empty()) data.validation = encode(texts.validation, tokenizer);
  return data;
}

int run(const FinetuneOptions& finetune) {
  if (!finetune.merged.empty() && fs::exists(finetune.merged)) {
    throw ConfigError("--merge: expected a folder that is not there, found " +
                      finetune.merged.string());
  }
  const fs::path model = weights::locate(finetune.model);
  const experiment::TrainingTexts texts = experiment::make_training_texts(finetune.texts);
  write_texts(texts.train, finetune.texts_out);
  for (const std::string& warning : texts.warnings) std::cerr << "warning: " << warning << '\n';
  const auto tokens = tokenizer::load(model, finetune.splitting);
  const model::ModelInfo info =
      model::inspect(model, {.dtype = finetune.training.dtype,
                             .quantization = finetune.training.quantization,
                             .weights = weights::WeightForm::Unpacked});
  const training::FinetuneData data =
      make_data(texts, *tokens, end_token(*tokens, info, finetune.model));
  const training::FinetunePlan plan = training::plan_finetune(model, data, finetune.training);
  const std::string n_epochs = std::to_string(finetune.training.n_epochs);
  const fs::path folder = finetune.output_dir / name_in_paths(finetune.model) / n_epochs;
  std::cout << fmt::format("{}: {} on {}\n", finetune.texts.task, info.architecture,
                           finetune.model);
  describe_plan(plan, finetune, data);
  std::cout << fmt::format("  {:<11} {}\n", "writes", folder.string()) << std::flush;
  if (finetune.is_dry_run) return kSuccess;

  TrainingLog log(finetune.log_dir / name_in_paths(finetune.model).filename() / n_epochs,
                  finetune.hides_progress);
  log.say(fmt::format("{}: {} texts of {}: {}", finetune.model, data.train.size(),
                      finetune.texts.task, finetune.training.describe()));
  std::optional<Interruption> interruption(std::in_place);
  const training::FinetuneOutcome outcome =
      training::finetune(model, finetune.model, data, finetune.training, folder,
                         [&](const training::FinetuneProgress& progress) {
                           log.show(progress);
                           if (const auto stop = interruption->asked()) {
                             log.stop(*stop, progress.step);
                           }
                         });
  interruption.reset();
  if (outcome.first_step == outcome.n_steps) {
    log.say(fmt::format("{} is finished already: nothing was trained", folder.string()));
  } else {
    log.say(fmt::format("{} steps from {} on in {}, {} numbers trained, last loss {:.4f}",
                        outcome.n_steps - outcome.first_step, outcome.first_step + 1,
                        describe_duration(outcome.seconds), outcome.n_trained, outcome.loss));
  }
  if (!finetune.merged.empty()) {
    weights::merge_adapter(model, folder, finetune.training.dtype, finetune.training.quantization,
                           finetune.merged);
    log.say("merged model written to " + finetune.merged.string());
  }
  evaluate(log, texts, finetune, model, folder);
  std::cout << folder.string() << '\n';
  return kSuccess;
}

}  // namespace

Command finetune_command() {
  return make_command<FinetuneOptions>(
      {CommandGroup::Analyse, "finetune",
       "Tune a model with LoRA on texts that end in their labels (SFT in the paper)",
       "labelprobe finetune GoEmotions --root-dir data/GoEmotions --train-splits train "
       "--test-splits dev --shot 0 "
       "--model-name-or-path MODEL"},
      declare_finetune, run);
}

}  // namespace labelprobe::app
