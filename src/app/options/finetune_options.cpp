#include "app/options/finetune_options.h"

#include <limits>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

namespace labelprobe::app {

namespace {

using enum OptionKind;

void declare_model(OptionList& options, FinetuneOptions& finetune) {
  training::FinetuneSettings& settings = finetune.training;
  options.begin_group("Model");
  options.add(finetune.model,
              {.name = "model_name_or_path",
               .help = "Model folder, .gguf file, or name in the Hugging Face cache",
               .is_required = true,
               .shown = Shown::First,
               .value = "MODEL",
               .other_name = "model"});
  options.add_parsed(
      settings.quantization,
      {.name = "quant",
       .help = "How the frozen linear layers are kept: none, fp4, nf4, nf4-double or int8",
       .fallback = "nf4-double",
       .shown = Shown::First,
       .value = "MODE",
       .choices = {"none", "fp4", "nf4", "nf4-double", "int8"}},
      weights::parse_quantization);
  options.add_parsed(settings.dtype,
                     {.name = "model_dtype",
                      .help = "Precision of the computation: bfloat16 or float32",
                      .fallback = "bfloat16",
                      .shown = Shown::First,
                      .value = "DTYPE",
                      .choices = {"bfloat16", "float32"}},
                     weights::parse_dtype);
  options.add(settings.device, {.name = "device",
                                .help = "auto, cpu, cuda or cuda:N",
                                .fallback = "auto",
                                .value = "DEVICE",
                                .choices = {"auto", "cpu", "cuda"}});
  options.add(settings.n_threads, {.name = "threads",
                                   .help = "CPU threads; 0 = one per physical core",
                                   .fallback = "0",
                                   .least = 0});
  declare_splitting(options, finetune.splitting);
  options.accept(
      Text, {.name = "cache_dir",
             .help = "Accepted for compatibility: HF_HUB_CACHE says where models are looked for"});
}

// Flags of the published program, or of the runs that it shares them with, which decide nothing
// here.
void accept_compatible_training(OptionList& options) {
  const auto accept = [&](OptionKind kind, std::string_view name, std::string_view why) {
    options.accept(kind,
                   {.name = name, .help = fmt::format("Accepted for compatibility: {}", why)});
  };
  accept(Flag, "accelerate", "the device is chosen by --device");
  accept(Flag, "trust_remote_code", "no code of a model is ever run");
  accept(Flag, "load_in_4bit", "--quant says how weights are kept, NF4 by default");
  accept(Integer, "dataloader_num_workers", "data are loaded once, before the training");
  accept(Integer, "eval_batch_size", "batches are chosen by the program");
  accept(Text, "logging_level", "everything is said");
  accept(Text, "description", "folders are named by model and epochs");
  accept(Text, "alternative_experiment_name", "folders are named by model and epochs");
}

void declare_lora(OptionList& options, training::LoraSettings& lora) {
  options.begin_group("LoRA");
  options.add(
      lora.r,
      {.name = "lora_r", .help = "Rank", .fallback = "64", .shown = Shown::First, .least = 1});
  options.add(lora.alpha,
              {.name = "lora_alpha",
               .help = "The update is alpha / rank times the product of the two matrices",
               .fallback = "16",
               .shown = Shown::First});
  options.add(lora.dropout, {.name = "lora_dropout",
                             .help = "Dropout of what goes into the matrices",
                             .fallback = "0.1"});
  options.add(lora.target_modules,
              {.name = "target_modules",
               .help = "Linear layers that get matrices: q_proj, k_proj, v_proj, o_proj, "
                       "gate_proj, up_proj, down_proj; Phi-3 has qkv_proj and gate_up_proj instead "
                       "(default: q_proj v_proj)",
               .value = "NAME"});
}

void declare_schedule(OptionList& options, training::FinetuneSettings& settings) {
  options.begin_group("Training");
  options.add(settings.n_epochs, {.name = "num_train_epochs",
                                  .help = "Times that every block is seen",
                                  .fallback = "3",
                                  .shown = Shown::First,
                                  .least = 1});
  options.add(settings.max_steps, {.name = "max_steps",
                                   .help = "Steps, whatever the epochs say; 0 = as those say",
                                   .fallback = "0",
                                   .least = 0});
  options.add(settings.learning_rate, {.name = "learning_rate",
                                       .help = "At its highest",
                                       .fallback = "2e-4",
                                       .shown = Shown::First});
  options.add_parsed(
      settings.schedule,
      {.name = "lr_scheduler_type",
       .help = "constant (without warm-up, as published), constant_with_warmup, linear or cosine",
       .fallback = "constant",
       .value = "NAME",
       .choices = training::kSchedules.names()},
      [](const std::string& name) { return training::kSchedules.parse(name); });
  options.add(settings.warmup_ratio, {.name = "warmup_ratio",
                                      .help = "Share of the steps in which the rate rises from 0",
                                      .fallback = "0.03"});
  options.add(settings.batch_size, {.name = "per_device_train_batch_size",
                                    .help = "Blocks computed together",
                                    .fallback = "8",
                                    .shown = Shown::First,
                                    .least = 1});
  options.add(settings.n_accumulated, {.name = "gradient_accumulation_steps",
                                       .help = "Batches per step",
                                       .fallback = "2",
                                       .least = 1});
  options.add(settings.block_tokens, {.name = "max_seq_length",
                                      .help = "Tokens of a block that texts are packed into",
                                      .fallback = "256",
                                      .least = 2});
  options.add(settings.max_grad_norm, {.name = "max_grad_norm",
                                       .help = "Gradients are scaled down to this norm; 0 = never",
                                       .fallback = "0.3"});
  options.add(settings.weight_decay, {.name = "weight_decay", .help = "Of AdamW", .fallback = "0"});
  options.add(settings.beta1, {.name = "adam_beta1", .help = "Of AdamW", .fallback = "0.9"});
  options.add(settings.beta2, {.name = "adam_beta2", .help = "Of AdamW", .fallback = "0.999"});
  options.add(settings.epsilon, {.name = "adam_epsilon", .help = "Of AdamW", .fallback = "1e-8"});
  options.add_boolean(settings.checkpoints_gradients,
                      {.name = "gradient_checkpointing",
                       .help = "Compute each layer twice and keep only what goes into it: less "
                               "memory, the same numbers",
                       .fallback = "true"});
}

void declare_outputs(OptionList& options, FinetuneOptions& finetune) {
  training::FinetuneSettings& settings = finetune.training;
  options.begin_group("Output");
  options.add(finetune.output_dir,
              {.name = "output_dir",
               .help = "The adapter, the curve and checkpoints go to FOLDER/MODEL/EPOCHS",
               .fallback = "./results",
               .shown = Shown::First,
               .value = "FOLDER"});
  options.add(finetune.log_dir,
              {.name = "log_dir",
               .help = "What is said goes to FOLDER/MODEL/EPOCHS/training.log too",
               .fallback = "./logs/finetuning",
               .shown = Shown::First,
               .value = "FOLDER"});
  options.add(
      finetune.merged,
      {.name = "merge",
       .help = "Write the model with the adapter's updates in its weights to this new folder",
       .shown = Shown::First,
       .value = "FOLDER"});
  options.add(finetune.texts_out,
              {.name = "texts_out",
               .help = "JSON lines of the training texts, to look at them; - = standard output",
               .value = "FILE"});
  options.add(settings.log_every, {.name = "logging_steps",
                                   .help = "Steps between lines of the log",
                                   .fallback = "10",
                                   .least = 1});
  options.add(settings.evaluate_every, {.name = "eval_steps",
                                        .help = "Steps between losses on the test role; 0 = none",
                                        .fallback = "50",
                                        .least = 0});
  options.add(settings.save_every, {.name = "save_steps",
                                    .help = "Steps between checkpoints; 0 = none",
                                    .fallback = "10",
                                    .least = 0});
  options.add(
      settings.n_kept,
      {.name = "save_total_limit", .help = "Checkpoints kept", .fallback = "2", .least = 1});
  options.add(finetune.max_new_tokens, {.name = "max_new_tokens",
                                        .help = "Tokens generated per test item at most",
                                        .fallback = "30",
                                        .least = 1});
  options.add(finetune.skips_evaluation,
              {.name = "no_evaluation", .help = "Do not answer the test items afterwards"});
  options.add(finetune.is_dry_run,
              {.name = "dry_run",
               .help = "Read and check everything, say what would be done, and stop",
               .shown = Shown::First});
  options.add(finetune.hides_progress, {.name = "disable_tqdm", .help = "No progress display"});
  accept_compatible_training(options);
}

}  // namespace

void declare_finetune(OptionList& options, FinetuneOptions& finetune) {
  declare_questions(options, finetune.texts, finetune.encoder, {});
  declare_model(options, finetune);
  declare_lora(options, finetune.training.lora);
  declare_schedule(options, finetune.training);
  declare_outputs(options, finetune);
  options.afterwards([&options, &finetune] {
    training::FinetuneSettings& settings = finetune.training;
    if (settings.lora.target_modules.empty()) settings.lora.target_modules = {"q_proj", "v_proj"};
    if (settings.max_grad_norm < 0) {
      throw ConfigError(fmt::format("{}: expected 0 or more, found {}",
                                    options.place(settings.max_grad_norm), settings.max_grad_norm));
    }
    if (settings.max_grad_norm == 0)
      settings.max_grad_norm = std::numeric_limits<double>::infinity();
    settings.seed = finetune.texts.seed;
  });
}

}  // namespace labelprobe::app
