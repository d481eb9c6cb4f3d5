// labelprobe make-model: a checkpoint with random weights, for measuring what real ones would cost.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/copy_file.h"
#include "labelprobe/files/gguf.h"
#include "labelprobe/files/text_table.h"
#include "labelprobe/tokenizer/tokenizer.h"
#include "labelprobe/weights/making.h"

#include "app/commands/command.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

struct MakingArguments {
  weights::RandomCheckpointOptions checkpoint;  // all but the progress, and how it is quantised
  std::string format;
  std::string quant;
  std::string tokenizer;
  bool is_dry_run = false;
};

// What tokenizers are read from, here and in transformers.
constexpr const char* kTokenizerFiles[] = {
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
};

// How much is written, on a line that renews itself on a terminal; elsewhere a line now and then.
class WriteProgress {
 public:
  explicit WriteProgress(std::string name) : name_(std::move(name)) {}

  void show(std::int64_t n_written, std::int64_t n_total) {
    const auto now = Clock::now();
    const bool is_last = n_written == n_total;
    const double pause = is_terminal_ ? 0.2 : 10.0;
    if (!is_last && seconds_between(last_, now) < pause) {
      return;
    }
    last_ = now;
    const double pace = static_cast<double>(n_written) / seconds_between(start_, now);
    std::fprintf(stderr, "%s%s: %.2f of %.2f GB written, %.2f GB/s%s%s",
                 is_terminal_ ? "\r\033[K" : "", name_.c_str(),
                 static_cast<double>(n_written) / 1e9, static_cast<double>(n_total) / 1e9,
                 pace / 1e9, is_last ? "" : time_left(now, n_written, n_total).c_str(),
                 is_terminal_ && !is_last ? "" : "\n");
    std::fflush(stderr);
  }

 private:
  using Clock = std::chrono::steady_clock;

  // At the pace of the last while: quantised numbers take less of the disk and more of the
  // processor than the embedding, which comes first.
  std::string time_left(Clock::time_point now, std::int64_t n_written, std::int64_t n_total) {
    constexpr double kWhile = 20.0;
    while (marks_.size() > 1 && seconds_between(marks_[1].first, now) > kWhile) {
      marks_.pop_front();
    }
    const auto [since, n_then] = marks_.empty() ? std::pair(start_, std::int64_t{0}) : marks_[0];
    marks_.emplace_back(now, n_written);
    if (n_written == n_then) {
      return "";
    }
    const double seconds = seconds_between(since, now) * static_cast<double>(n_total - n_written) /
                           static_cast<double>(n_written - n_then);
    return ", " + std::to_string(static_cast<std::int64_t>(seconds) + 1) + " s left";
  }

  static double seconds_between(Clock::time_point from, Clock::time_point to) {
    return std::max(std::chrono::duration<double>(to - from).count(), 1e-3);
  }

  std::string name_;
  bool is_terminal_ = ::isatty(STDERR_FILENO) == 1;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
  std::deque<std::pair<Clock::time_point, std::int64_t>> marks_;  // shown before, and when
};

std::string gigabytes(double n_bytes) {
  return fmt::format("{:.2f}", n_bytes / 1e9);
}

// The weights part by part, the last line all together. Quantised ones in both forms.
void describe_weights(std::vector<weights::WeightPart> parts,
                      const weights::WeightPart& all,
                      const weights::RandomCheckpointOptions& options) {
  files::TextTable table;
  table.columns = {{"weights", files::Align::Left},
                   {"numbers"},
                   {fmt::format("bytes in {}", weights::dtype_name(options.dtype))}};
  const bool is_quantized =
      options.gguf_type || options.quantization != weights::Quantization::None;
  const std::string stored = options.gguf_type
                                 ? files::block_layout(*options.gguf_type)->name
                                 : std::string(weights::quantization_name(options.quantization));
  if (is_quantized) {
    table.columns.push_back({"bits each"});
    table.columns.push_back({fmt::format("bytes in {}", stored)});
  }
  parts.push_back(all);
  for (const weights::WeightPart& part : parts) {
    table.rows.push_back({std::string(part.name), files::grouped(part.n_numbers),
                          files::grouped(static_cast<std::int64_t>(part.unquantized_bytes))});
    if (is_quantized) {
      const double n_bits = 8.0 * static_cast<double>(part.bytes);
      table.rows.back().push_back(
          fmt::format("{:.2f}", n_bits / static_cast<double>(part.n_numbers)));
      table.rows.back().push_back(files::grouped(static_cast<std::int64_t>(part.bytes)));
    }
  }
  files::write_terminal(std::cout, table);
}

// What is left of the memory of cards in use.
void describe_cards(double weight_bytes, double cache_bytes_per_token) {
  constexpr std::array kGigabytes = {24, 48, 80, 141};
  files::TextTable table;
  table.columns = {{"memory, GB"}, {"beside the weights, GB"}, {"tokens of keys and values in it"}};
  for (const int card : kGigabytes) {
    const double left = card * 1e9 - weight_bytes;
    if (left < 0) {
      table.rows.push_back({fmt::to_string(card), "does not fit"});
      continue;
    }
    const auto n_tokens = static_cast<std::int64_t>(left / cache_bytes_per_token);
    table.rows.push_back({fmt::to_string(card), gigabytes(left), files::grouped(n_tokens)});
  }
  files::write_terminal(std::cout, table, {.empty = ""});
}

void describe_plan(const weights::RandomCheckpointPlan& plan,
                   const weights::RandomCheckpointOptions& options) {
  weights::WeightPart all{"all"};
  for (const weights::WeightPart& part : plan.parts) {
    all.n_numbers += part.n_numbers;
    all.unquantized_bytes += part.unquantized_bytes;
    all.bytes += part.bytes;
  }
  describe_weights(plan.parts, all, options);
  const auto token_bytes = static_cast<double>(plan.cache_bytes_per_token);
  std::cout << fmt::format(
      "\non disk: {} bytes\n"
      "keys and values in {}: {} bytes a token, {} GB for the context of {} tokens\n\n",
      files::grouped(static_cast<std::int64_t>(plan.disk_bytes)),
      weights::dtype_name(options.dtype),
      files::grouped(static_cast<std::int64_t>(plan.cache_bytes_per_token)),
      gigabytes(token_bytes * plan.max_context), files::grouped(std::int64_t{plan.max_context}));
  describe_cards(static_cast<double>(all.bytes), token_bytes);
  std::cout.flush();
}

// Every id of the tokenizer must be one of the model's.
void check_tokenizer(const fs::path& folder, const weights::ModelShape& shape) {
  if (!fs::is_directory(folder)) {
    throw ConfigError("--tokenizer: expected the folder of a tokenizer or model, found '" +
                      folder.string() +
                      (fs::exists(folder) ? "', which is a file" : "', which is not there"));
  }
  const int n_ids = tokenizer::load(folder)->vocab_size();
  if (n_ids > shape.vocab_size) {
    throw ConfigError("--tokenizer: " + folder.string() + " has " + std::to_string(n_ids) +
                      " ids, " + std::string(shape.name) + " has room for " +
                      std::to_string(shape.vocab_size) + "; use a tokenizer of that model family");
  }
}

void copy_tokenizer(const fs::path& from, const fs::path& to) {
  for (const char* name : kTokenizerFiles) {
    if (fs::exists(from / name)) {
      files::copy_file(from / name, to / name);
    }
  }
}

std::vector<std::string> gguf_quants() {
  std::vector<std::string> names;
  for (const weights::GgufTypeToMake& type : weights::gguf_types_to_make()) {
    names.emplace_back(type.name);
  }
  return names;
}

const std::vector<std::string> kFolderQuants = {"none", "fp4", "nf4", "nf4-double", "int8"};

std::vector<std::string> all_quants() {
  std::vector<std::string> names = kFolderQuants;
  for (std::string& name : gguf_quants()) names.push_back(std::move(name));
  return names;
}

// What a GGUF file's matrices are: as asked for, or in full as --dtype says.
files::GgmlType gguf_type(const MakingArguments& arguments) {
  for (const weights::GgufTypeToMake& type : weights::gguf_types_to_make()) {
    if (type.name == arguments.quant) return type.type;
  }
  if (arguments.quant != "none") {
    throw ConfigError(fmt::format("--quant {}: expected none, {} with --format gguf",
                                  arguments.quant, fmt::join(gguf_quants(), ", ")));
  }
  switch (arguments.checkpoint.dtype) {
    case weights::DType::Float32:
      return files::GgmlType::F32;
    case weights::DType::Float16:
      return files::GgmlType::F16;
    default:
      return files::GgmlType::BF16;
  }
}

// How the weights are written, and whose tokenizer comes along.
weights::RandomCheckpointOptions checkpoint_of(const MakingArguments& arguments) {
  weights::RandomCheckpointOptions options = arguments.checkpoint;
  const std::vector<std::string> known = all_quants();
  if (std::find(known.begin(), known.end(), arguments.quant) == known.end()) {
    throw ConfigError("--quant: " + unknown_choice("quantisation", arguments.quant, known));
  }
  if (arguments.format == "gguf") {
    options.gguf_type = gguf_type(arguments);
    options.vocabulary = arguments.tokenizer;
    if (!arguments.tokenizer.empty() && !files::is_gguf(arguments.tokenizer)) {
      throw ConfigError(
          fmt::format("--tokenizer {}: expected a GGUF file with --format gguf, whose tokenizer "
                      "comes along",
                      arguments.tokenizer));
    }
    return options;
  }
  if (std::find(kFolderQuants.begin(), kFolderQuants.end(), arguments.quant) ==
      kFolderQuants.end()) {
    throw ConfigError(fmt::format("--quant {}: expected {}; --format gguf has it", arguments.quant,
                                  fmt::join(kFolderQuants, ", ")));
  }
  options.quantization = weights::parse_quantization(arguments.quant);
  return options;
}

int make_model(const MakingArguments& arguments) {
  weights::RandomCheckpointOptions options = checkpoint_of(arguments);
  const weights::ModelShape& shape = weights::model_shape(options.shape);
  const bool is_folder = !options.gguf_type;
  if (is_folder && !arguments.tokenizer.empty()) {
    check_tokenizer(arguments.tokenizer, shape);
  }
  if (arguments.is_dry_run) {
    describe_plan(weights::plan_random_checkpoint(options), options);
    return kSuccess;
  }
  if (options.folder.empty()) {
    throw ConfigError("--out: expected the folder to write; --dry-run does without");
  }
  WriteProgress progress(options.shape);
  options.on_progress = [&](std::int64_t n_written, std::int64_t n_total) {
    progress.show(n_written, n_total);
  };
  weights::write_random_checkpoint(options);
  if (is_folder && !arguments.tokenizer.empty()) {
    copy_tokenizer(arguments.tokenizer, options.folder);
  } else if (arguments.tokenizer.empty()) {
    std::cerr << "no tokenizer: `generate` takes prompts of token ids; for texts make the model "
                 "with --tokenizer FOLDER, or copy a tokenizer.json with at most "
              << shape.vocab_size << " ids into the folder\n";
  }
  std::cout << options.folder.string() << std::endl;
  return kSuccess;
}

std::vector<std::string> shape_names() {
  std::vector<std::string> names;
  for (const weights::ModelShape& shape : weights::model_shapes()) {
    names.emplace_back(shape.name);
  }
  return names;
}

void declare_arguments(OptionList& options, MakingArguments& arguments) {
  weights::RandomCheckpointOptions& checkpoint = arguments.checkpoint;
  options.begin_group("Checkpoint");
  options.add(checkpoint.shape, {.name = "shape",
                                 .help = "Which model's shape (see: labelprobe ls shapes)",
                                 .is_required = true,
                                 .shown = Shown::First,
                                 .value = "NAME",
                                 .choices = shape_names()});
  options.add(checkpoint.folder, {.name = "out",
                                  .help = "Folder to write, or the file of --format gguf; must "
                                          "not exist",
                                  .shown = Shown::First,
                                  .value = "FOLDER"});
  options.add(
      arguments.format,
      {.name = "format",
       .help = "What is written: safetensors, a folder as transformers has it; or gguf, one "
               "file as llama.cpp has it",
       .fallback = "safetensors",
       .shown = Shown::First,
       .value = "FORMAT",
       .choices = {"safetensors", "gguf"}});
  options.add_parsed(checkpoint.dtype,
                     {.name = "dtype",
                      .help = "Of the weights: bfloat16, float16 or float32",
                      .fallback = "bfloat16",
                      .shown = Shown::First,
                      .value = "DTYPE",
                      .choices = {"bfloat16", "float16", "float32"}},
                     weights::parse_dtype);
  options.add(arguments.quant,
              {.name = "quant",
               .help = "How the decoder's linear layers are written: none, fp4, nf4, nf4-double or "
                       "int8, in the bytes of --save-quantised; in gguf all matrices: none, q4_k, "
                       "q4_0 or q8_0, quantised plainly. The unquantised model is never held or "
                       "written",
               .fallback = "none",
               .shown = Shown::First,
               .value = "MODE",
               .choices = all_quants()});
  options.add(checkpoint.seed, {.name = "weights_seed",
                                .help = "Seed of the weights",
                                .fallback = "0",
                                .shown = Shown::First,
                                .least = 0,
                                .flag = "seed"});
  options.add(checkpoint.n_layers,
              {.name = "layers",
               .help = "Only the first N decoder layers (default: as many as the shape has)",
               .shown = Shown::First,
               .least = 1});
  options.add(arguments.tokenizer,
              {.name = "tokenizer",
               .help = "Folder of a tokenizer whose files come along, so that `run` and `generate` "
                       "take texts; for gguf a GGUF file",
               .shown = Shown::First,
               .value = "FOLDER"});
  options.add(arguments.is_dry_run,
              {.name = "dry_run",
               .help = "Only say what the weights take on disk and in memory, part by part",
               .shown = Shown::First});
}

}  // namespace

Command make_model_command() {
  return make_command<MakingArguments>(
      {CommandGroup::Tools, "make-model",
       "Write a checkpoint with random weights in the shape of a known model",
       "labelprobe make-model --shape llama-3.1-8b --out models/random-8b --tokenizer "
       "models/tokenizer"},
      declare_arguments, make_model);
}

}  // namespace labelprobe::app
