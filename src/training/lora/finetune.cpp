#include "labelprobe/training/finetune.h"

#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"

#include "training/lora/adapter_folder.h"
#include "training/lora/lora_decoder.h"
#include "training/lora/packing.h"
#include "weights/device/device.h"
#include "weights/device/threads.h"

namespace labelprobe::training {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point then) {
  return std::chrono::duration<double>(Clock::now() - then).count();
}

void check_settings(const FinetuneSettings& settings) {
  const auto expect = [](bool is_right, const char* name, const char* expected, const auto& found) {
    if (!is_right)
      throw ConfigError(fmt::format("{}: expected {}, found {}", name, expected, found));
  };
  expect(settings.lora.r >= 1, "lora_r", "1 or more", settings.lora.r);
  expect(settings.lora.dropout >= 0 && settings.lora.dropout < 1, "lora_dropout",
         "0 or more and below 1", settings.lora.dropout);
  expect(!settings.lora.target_modules.empty(), "target_modules", "at least one", "none");
  expect(settings.dtype != weights::DType::Float16, "model_dtype",
         "float32 or bfloat16 (float16 would need its losses scaled)", "float16");
  expect(settings.block_tokens >= 2, "max_seq_length", "2 or more", settings.block_tokens);
  expect(settings.learning_rate > 0, "learning_rate", "more than 0", settings.learning_rate);
  expect(settings.warmup_ratio >= 0 && settings.warmup_ratio <= 1, "warmup_ratio", "0 to 1",
         settings.warmup_ratio);
  expect(settings.max_grad_norm > 0, "max_grad_norm", "more than 0", settings.max_grad_norm);
}

Packed pack_train(const FinetuneData& data, const FinetuneSettings& settings) {
  Packed packed = pack(data.train, data.end_id, settings.block_tokens);
  if (packed.n_blocks() == 0) {
    throw DataError(
        fmt::format("training texts: expected at least one block of {} tokens, found {} tokens in "
                    "{} texts; give more "
                    "texts or a smaller --max-seq-length",
                    settings.block_tokens, packed.n_tokens, data.train.size()));
  }
  return packed;
}

std::int64_t n_steps_of(std::int64_t n_blocks, const FinetuneSettings& settings) {
  return settings.max_steps > 0 ? settings.max_steps
                                : settings.n_epochs * steps_per_epoch(n_blocks, settings);
}

std::string fingerprint_of(const FinetuneData& data) {
  Fingerprint print;
  for (const auto* items : {&data.train, &data.validation}) {
    print.add(fmt::format("{} items, end token {}", items->size(), data.end_id));
    for (const TrainingItem& item : *items) {
      print.add(item.id);
      print.add(std::as_bytes(std::span(item.tokens)));
    }
  }
  return print.hex();
}

void check_fits(const weights::DecoderConfig& config,
                const FinetuneData& data,
                const FinetuneSettings& settings) {
  check_trainable(config, settings.lora.target_modules);
  if (settings.block_tokens > config.max_position_embeddings) {
    throw ModelError(
        fmt::format("max_seq_length: expected at most the model's {} positions, found {}",
                    config.max_position_embeddings, settings.block_tokens));
  }
  for (const auto* items : {&data.train, &data.validation}) {
    for (const TrainingItem& item : *items) {
      for (const TokenId token : item.tokens) {
        if (token < 0 || token >= config.vocab_size) {
          throw ModelError(
              fmt::format("item {}: expected tokens below the vocabulary of {}, found {}", item.id,
                          config.vocab_size, token));
        }
      }
    }
  }
}

// The items of a pass, for messages.
std::string items_of(const std::vector<std::int64_t>& blocks,
                     const Packed& packed,
                     const FinetuneData& data) {
  std::string listed;
  for (const std::int64_t block : blocks) {
    for (std::size_t i = packed.first_items[block]; i <= packed.last_items[block]; ++i) {
      listed += (listed.empty() ? "" : ", ") + data.train[i].id;
    }
  }
  return listed;
}

// One training from its state before the first step, or that of a checkpoint, to its end.
class Training {
 public:
  Training(const FinetuneData& data,
           const FinetuneSettings& settings,
           LoraDecoder decoder,
           TrainingIdentity identity,
           fs::path folder)
      : data_(data),
        settings_(settings),
        decoder_(std::move(decoder)),
        identity_(std::move(identity)),
        folder_(std::move(folder)),
        packed_(pack_train(data, settings)),
        validation_(pack(data.validation, data.end_id, settings.block_tokens)),
        n_steps_(n_steps_of(packed_.n_blocks(), settings)),
        n_warmup_(n_warmup_steps(settings.schedule, settings.warmup_ratio, n_steps_)),
        optimizer_(decoder_.parameters(),
                   {settings.beta1, settings.beta2, settings.epsilon, settings.weight_decay}) {
    curve_.title = "Fine-tuning of " + fs::path(identity_.model_name).filename().string();
    curve_.subtitle = fmt::format("LoRA r {}, {} blocks of {} tokens", settings.lora.r,
                                  packed_.n_blocks(), settings.block_tokens);
    curve_.columns = {"loss", "validation loss", "learning rate", "gradient norm",
                      "tokens per second"};
  }

  FinetuneOutcome run(const std::function<void(const FinetuneProgress&)>& on_progress) {
    FinetuneOutcome outcome;
    outcome.adapter = folder_;
    outcome.n_steps = n_steps_;
    const Clock::time_point start = Clock::now();
    outcome.first_step = read_checkpoint(folder_, optimizer_, identity_, curve_).value_or(0);
    for (const NamedParameter& parameter : optimizer_.parameters())
      outcome.n_trained += parameter.tensor.numel();
    for (std::int64_t step = outcome.first_step; step < n_steps_; ++step) {
      FinetuneProgress progress = take_step(step);
      if (is_due(step, settings_.evaluate_every)) progress.validation_loss = validation_loss();
      const double per_step =
          seconds_since(start) / static_cast<double>(step + 1 - outcome.first_step);
      progress.seconds_left = per_step * static_cast<double>(n_steps_ - step - 1);
      progress.is_logged = is_due(step, settings_.log_every);
      add_to_curve(progress);
      if (is_due(step, settings_.save_every)) {
        write_checkpoint(folder_, optimizer_, settings_, identity_, curve_, step + 1);
      }
      on_progress(progress);
    }
    if (!curve_.rows.empty()) {
      outcome.loss = curve_.rows.back().numbers[0];
      if (const double last = curve_.rows.back().numbers[1]; !std::isnan(last))
        outcome.validation_loss = last;
    }
    write_curve(folder_, curve_, {"loss", "validation loss"}, "nats per token");
    write_adapter(folder_, optimizer_.parameters(), settings_, identity_);
    outcome.seconds = seconds_since(start);
    return outcome;
  }

 private:
  // Every so many steps, and behind the last.
  bool is_due(std::int64_t step, std::int64_t every) const {
    return every > 0 && ((step + 1) % every == 0 || step + 1 == n_steps_);
  }

  FinetuneProgress take_step(std::int64_t step) {
    const Clock::time_point start = Clock::now();
    const auto passes = passes_of_step(packed_.n_blocks(), settings_, step);
    std::int64_t n_blocks = 0;
    for (const auto& blocks : passes) n_blocks += static_cast<std::int64_t>(blocks.size());
    const double n_predicted = static_cast<double>(n_blocks * (settings_.block_tokens - 1));
    double sum = 0.0;
    for (std::size_t i = 0; i < passes.size(); ++i) {
      const at::Tensor tokens = packed_.tokens.index_select(0, at::tensor(passes[i]));
      // Any number that differs between passes does.
      const auto seed = static_cast<std::uint64_t>(settings_.seed) * 0x100000001B3U +
                        static_cast<std::uint64_t>(step * settings_.n_accumulated) + i + 1;
      sum +=
          checked(decoder_.add_gradients(tokens, 1.0 / n_predicted, seed), step, passes[i], "loss");
    }
    FinetuneProgress progress;
    progress.step = step + 1;
    progress.n_steps = n_steps_;
    progress.loss = sum / n_predicted;
    progress.gradient_norm =
        checked(clip_gradients(optimizer_.parameters(), settings_.max_grad_norm), step, passes[0],
                "gradient");
    progress.learning_rate =
        settings_.learning_rate * schedule_factor(settings_.schedule, step, n_warmup_, n_steps_);
    optimizer_.step(progress.learning_rate);
    optimizer_.zero_gradients();
    progress.tokens_per_second =
        static_cast<double>(n_blocks * settings_.block_tokens) / seconds_since(start);
    return progress;
  }

  double checked(double number,
                 std::int64_t step,
                 const std::vector<std::int64_t>& blocks,
                 const char* what) const {
    if (std::isfinite(number)) return number;
    throw ModelError(
        fmt::format("step {}: expected a finite {}, found {}; the items of the batch: {}; a "
                    "smaller --learning-rate "
                    "may help; the last checkpoint in {} is as it was",
                    step + 1, what, number, items_of(blocks, packed_, data_), folder_.string()));
  }

  std::optional<double> validation_loss() const {
    const std::int64_t n_blocks = validation_.n_blocks();
    if (n_blocks == 0) return std::nullopt;
    double sum = 0.0;
    for (std::int64_t first = 0; first < n_blocks; first += settings_.batch_size) {
      sum += decoder_.loss(validation_.tokens.slice(
          0, first, std::min<std::int64_t>(n_blocks, first + settings_.batch_size)));
    }
    return sum / static_cast<double>(n_blocks * (settings_.block_tokens - 1));
  }

  void add_to_curve(const FinetuneProgress& progress) {
    curve_.rows.push_back(
        {progress.step,
         {progress.loss,
          progress.validation_loss.value_or(std::numeric_limits<double>::quiet_NaN()),
          progress.learning_rate, progress.gradient_norm, std::round(progress.tokens_per_second)}});
  }

  const FinetuneData& data_;
  const FinetuneSettings& settings_;
  LoraDecoder decoder_;
  TrainingIdentity identity_;
  fs::path folder_;
  Packed packed_;
  Packed validation_;
  std::int64_t n_steps_;
  std::int64_t n_warmup_;
  AdamW optimizer_;
  Curve curve_;
};

}  // namespace

std::string FinetuneSettings::describe() const {
  return fmt::format(
      "lora r {} alpha {} dropout {} on {}; {} weights {}; blocks of {}, {} x {}; lr {} {} warm-up "
      "{}; betas {} {} epsilon {} decay "
      "{}; clipped at {}; {} epochs, {} steps; seed {}",
      lora.r, lora.alpha, lora.dropout, fmt::join(lora.target_modules, " "),
      weights::dtype_name(dtype), weights::quantization_name(quantization), block_tokens,
      batch_size, n_accumulated, learning_rate, kSchedules.name_of(schedule), warmup_ratio, beta1,
      beta2, epsilon, weight_decay, max_grad_norm, n_epochs, max_steps, seed);
}

FinetunePlan plan_finetune(const fs::path& model,
                           const FinetuneData& data,
                           const FinetuneSettings& settings) {
  check_settings(settings);
  check_fits(weights::Checkpoint::open(model).config(), data, settings);
  const Packed train = pack_train(data, settings);
  FinetunePlan plan;
  plan.n_tokens = train.n_tokens;
  plan.n_blocks = train.n_blocks();
  plan.n_dropped = train.n_tokens - train.n_blocks() * settings.block_tokens;
  plan.n_validation_blocks = pack(data.validation, data.end_id, settings.block_tokens).n_blocks();
  plan.steps_per_epoch = steps_per_epoch(plan.n_blocks, settings);
  plan.n_steps = n_steps_of(plan.n_blocks, settings);
  plan.longest_item = train.longest_item;
  plan.n_split = train.n_split;
  return plan;
}

FinetuneOutcome finetune(const fs::path& model,
                         const std::string& model_name,
                         const FinetuneData& data,
                         const FinetuneSettings& settings,
                         const fs::path& folder,
                         const std::function<void(const FinetuneProgress&)>& on_progress) {
  check_settings(settings);
  at::set_num_threads(weights::n_threads_of(settings.n_threads));
  const c10::Device device = weights::open_device(settings.device);
  weights::Checkpoint checkpoint = weights::Checkpoint::open(model);
  check_fits(checkpoint.config(), data, settings);
  TrainingIdentity identity{model_name, checkpoint.fingerprint(),
                            fmt::format("{}; data {}", settings.describe(), fingerprint_of(data))};
  if (is_finished(folder, identity)) {
    const std::int64_t n_steps = n_steps_of(pack_train(data, settings).n_blocks(), settings);
    FinetuneOutcome outcome;
    outcome.adapter = folder;
    outcome.n_steps = outcome.first_step = n_steps;
    return outcome;
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw ConfigError(fmt::format("{}: expected a folder that can be made: {}", folder.string(),
                                  error.message()));
  return Training(data, settings, LoraDecoder(checkpoint, settings, device), std::move(identity),
                  folder)
      .run(on_progress);
}

}  // namespace labelprobe::training
