// Fine-tuning a decoder with LoRA on texts that end in their labels: "SFT" in the paper. Packs
// token ids into blocks, trains, keeps checkpoints and the curve, writes an adapter that peft
// loads. Knows nothing of data sets, prompts and answers: who calls makes the items, and evaluates.
//
// Packing is the published trainer's (ConstantLengthDataset of TRL): all items one behind the
// other, an end token behind each, cut into blocks of equal length; what is left at the end is
// dropped. Attention sees the whole block, over the borders of items, and the loss counts every
// token behind the first of a block, those of prompts too.
//
// What the published trainer leaves to chance is drawn from the seed here: the order of blocks in
// each epoch, the first LoRA matrices, dropout. On a CPU the same settings give the same bits, in
// one go or resumed at any checkpoint.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/training/schedule.h"
#include "labelprobe/weights/precision.h"

namespace labelprobe::training {

struct LoraSettings {
  int r = 64;
  double alpha = 16;  // the update is alpha / r times B A
  double dropout = 0.1;
  std::vector<std::string> target_modules = {"q_proj",
                                             "v_proj"};  // by the last part of their names
};

struct FinetuneSettings {
  LoraSettings lora;
  weights::DType dtype = weights::DType::BFloat16;  // Float32 or BFloat16: of the products
  weights::Quantization quantization = weights::Quantization::Nf4Double;
  std::string device = "cpu";
  int n_threads = 0;  // 0 = one per physical core
  std::int64_t block_tokens = 256;
  int batch_size = 8;     // blocks per pass
  int n_accumulated = 2;  // passes per step
  double learning_rate = 2e-4;
  Schedule schedule = Schedule::Constant;
  double warmup_ratio = 0.03;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.0;
  double max_grad_norm = 0.3;  // infinity = no clipping
  int n_epochs = 3;
  std::int64_t max_steps = 0;  // 0 = as the epochs say
  std::int64_t seed = 0;
  bool checkpoints_gradients = true;  // computes each layer twice and keeps only what goes into it
  std::int64_t log_every = 10;        // steps; 0 = never, here and below
  std::int64_t evaluate_every = 50;
  std::int64_t save_every = 10;
  int n_kept = 2;  // checkpoints

  // All that decides the numbers, as text: a checkpoint goes on under equal ones only.
  std::string describe() const;
};

// One training text, tokenized, without the end token behind it.
struct TrainingItem {
  std::string id;
  TokenIds tokens;
};

// What a training amounts to, before anything is loaded.
struct FinetunePlan {
  std::int64_t n_tokens = 0;  // of all items, end tokens included
  std::int64_t n_dropped = 0;
  std::int64_t n_blocks = 0;
  std::int64_t n_validation_blocks = 0;
  std::int64_t steps_per_epoch = 0;
  std::int64_t n_steps = 0;
  std::int64_t longest_item = 0;
  std::int64_t n_split = 0;  // items that lie in two blocks or more
};

struct FinetuneData {
  std::vector<TrainingItem> train;
  std::vector<TrainingItem> validation;  // none = no validation loss
  TokenId end_id = 0;
};

// Reads the headers of the model's files. Throws ConfigError for settings without sense and for
// target modules that the model does not have, DataError where the items do not fill one block,
// ModelError for blocks and tokens that do not fit the model.
FinetunePlan plan_finetune(const std::filesystem::path& model,
                           const FinetuneData& data,
                           const FinetuneSettings& settings);

struct FinetuneProgress {
  std::int64_t step = 0;  // done, from 1 on
  std::int64_t n_steps = 0;
  double loss = 0.0;  // of this step: nats per token
  std::optional<double> validation_loss;
  double learning_rate = 0.0;
  double gradient_norm = 0.0;  // before clipping
  double tokens_per_second = 0.0;
  double seconds_left = 0.0;
  bool is_logged = false;  // whether log_every asks for it
};

struct FinetuneOutcome {
  std::filesystem::path adapter;  // the folder
  std::int64_t n_steps = 0;
  std::int64_t first_step =
      0;              // steps that a checkpoint had done before; n_steps where all was done
  double loss = 0.0;  // of the last step
  std::optional<double> validation_loss;
  std::int64_t n_trained = 0;  // numbers in the LoRA matrices
  double seconds = 0.0;
};

// Trains the model at the place that weights::locate() found, into `folder`: adapter_config.json,
// adapter_model.safetensors, labelprobe_adapter.json, curve.csv, curve.svg and checkpoint-<step>/.
// Goes on from the newest checkpoint there; a finished folder is left as it is.
//   model_name  for adapter_config.json
// Throws ConfigError where the folder was made with other settings, data or weights; ModelError for
// a model that does not fit, and where a loss is no number, naming the step and its items: the last
// checkpoint is kept then, as it is when a disk is full.
FinetuneOutcome finetune(const std::filesystem::path& model,
                         const std::string& model_name,
                         const FinetuneData& data,
                         const FinetuneSettings& settings,
                         const std::filesystem::path& folder,
                         const std::function<void(const FinetuneProgress&)>& on_progress);

}  // namespace labelprobe::training
