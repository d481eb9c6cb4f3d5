// labelprobe make-model: a checkpoint with random weights, for measuring what real ones would cost.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>

#include <unistd.h>

#include "labelprobe/core/error.h"
#include "labelprobe/model/random_checkpoint.h"
#include "labelprobe/tokenizer/tokenizer.h"

#include "command.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string shape;
  std::string out;
  std::string dtype = "bfloat16";
  std::uint64_t seed = 0;
  int n_layers = 0;
  std::string tokenizer;
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
    if (!is_last && std::chrono::duration<double>(now - last_).count() < pause) {
      return;
    }
    last_ = now;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    std::fprintf(stderr, "%s%s: %.2f of %.2f GB written, %.2f GB/s%s",
                 is_terminal_ ? "\r\033[K" : "", name_.c_str(),
                 static_cast<double>(n_written) / 1e9, static_cast<double>(n_total) / 1e9,
                 static_cast<double>(n_written) / 1e9 / std::max(seconds, 1e-3),
                 is_terminal_ && !is_last ? "" : "\n");
    std::fflush(stderr);
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::string name_;
  bool is_terminal_ = ::isatty(STDERR_FILENO) == 1;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
};

// Every id of the tokenizer must be one of the model's.
void check_tokenizer(const fs::path& folder, const model::ModelShape& shape) {
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
      fs::copy_file(from / name, to / name);
    }
  }
}

int make_model(const Arguments& arguments) {
  const model::ModelShape& shape = model::model_shape(arguments.shape);
  model::RandomCheckpointOptions options;
  options.shape = arguments.shape;
  options.dtype = model::parse_dtype(arguments.dtype);
  options.seed = arguments.seed;
  options.n_layers = arguments.n_layers;
  options.folder = arguments.out;
  if (!arguments.tokenizer.empty()) {
    check_tokenizer(arguments.tokenizer, shape);
  }
  WriteProgress progress(arguments.shape);
  options.on_progress = [&](std::int64_t n_written, std::int64_t n_total) {
    progress.show(n_written, n_total);
  };
  model::write_random_checkpoint(options);
  if (!arguments.tokenizer.empty()) {
    copy_tokenizer(arguments.tokenizer, arguments.out);
  } else {
    std::cerr << "no tokenizer: `generate` takes prompts of token ids; for texts make the model "
                 "with --tokenizer FOLDER, or copy a tokenizer.json with at most "
              << shape.vocab_size << " ids into the folder\n";
  }
  std::cout << arguments.out << std::endl;
  return kSuccess;
}

std::string shape_names() {
  std::string names;
  for (const model::ModelShape& shape : model::model_shapes()) {
    names += (names.empty() ? "" : ", ") + std::string(shape.name);
  }
  return names;
}

}  // namespace

CommandBody declare_make_model(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  app.add_option("--shape", arguments->shape, "Which model's shape: " + shape_names())
      ->required()
      ->type_name("NAME");
  app.add_option("--out", arguments->out, "Folder to write; must not exist")
      ->required()
      ->type_name("FOLDER");
  app.add_option("--dtype", arguments->dtype, "Of the weights: bfloat16, float16 or float32")
      ->capture_default_str()
      ->type_name("DTYPE");
  app.add_option("--seed", arguments->seed, "Seed of the weights")
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--layers", arguments->n_layers,
                 "Only the first N decoder layers (default: as many as the shape has)")
      ->check([](const std::string& text) {
        return text.starts_with('-') || text == "0" ? "expected 1 or more, found " + text : "";
      })
      ->type_name("N");
  app.add_option("--tokenizer", arguments->tokenizer,
                 "Folder of a tokenizer whose files come along, so that `run` and `generate` take "
                 "texts")
      ->type_name("FOLDER");
  return [arguments] { return make_model(*arguments); };
}

}  // namespace labelprobe::app
