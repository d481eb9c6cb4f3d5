#include "app/options/run_options.h"

#include <charconv>
#include <memory>
#include <system_error>

#include <fmt/format.h>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/error.h"
#include "labelprobe/readout/label_tokens.h"

#include "app/options/inside_options.h"
#include "app/options/log_options.h"
#include "app/options/readout_options.h"
#include "app/options/server_options.h"
#include "app/terminal/interruption.h"

namespace labelprobe::app {

namespace {

using enum OptionKind;

// Three options ask for a way to keep the weights; they must not contradict each other.
void declare_quantization(OptionList& options, experiment::ModelLoading& model) {
  const auto asked_by = std::make_shared<std::string>();
  const auto ask = [&model, asked_by](std::string_view name, weights::Quantization mode,
                                      const Given& given) {
    if (!asked_by->empty() && mode != model.options.quantization) {
      throw ConfigError(fmt::format("{} asks for {} weights, but {} for {}; leave one of them out",
                                    name, weights::quantization_name(mode), *asked_by,
                                    weights::quantization_name(model.options.quantization)));
    }
    *asked_by =
        given.place == flag_of(name) ? given.place : fmt::format("{} ({})", name, given.place);
    model.options.quantization = mode;
  };
  const auto add_flag = [&](std::string_view name, weights::Quantization mode, std::string help) {
    options.add_special(Flag, nullptr, {.name = name, .help = std::move(help)},
                        [ask, name, mode](const Given& given) {
                          if (given.values.front() == "true") {
                            ask(name, mode, given);
                          }
                        });
  };
  add_flag("load_in_4bit", weights::Quantization::Fp4,
           "Keep the decoder's linear layers in 4 bits, as the published runs did: same as "
           "--quant fp4");
  add_flag("load_in_8bit", weights::Quantization::Int8,
           "Keep the decoder's linear layers in 8 bits (LLM.int8): same as --quant int8");
  options.add_special(
      Text, &model.options.quantization,
      {.name = "quant",
       .help = "How the decoder's linear layers are kept: none, fp4, nf4, nf4-double or int8, as "
               "bitsandbytes does it (default: as the checkpoint has them)",
       .shown = Shown::First,
       .value = "MODE",
       .choices = {"none", "fp4", "nf4", "nf4-double", "int8"},
       .is_of_environment = true},
      [ask](const Given& given) {
        ask("quant", weights::parse_quantization(given.values.front()), given);
      });
}

// Options of the published programs; nothing reads them.
void accept_compatible(OptionList& options) {
  const auto accept = [&](OptionKind kind, std::string_view name, std::string_view why) {
    options.accept(kind, {.name = name,
                          .help = fmt::format("Accepted for compatibility: {}", why),
                          .is_comparable = false,
                          .bearing = record::Bearing::Process});
  };
  accept(Flag, "accelerate", "the device is chosen by --device");
  accept(Flag, "trust_remote_code", "no code of a model is ever run");
  accept(Text, "model_save_filename", "no model is changed or saved");
  accept(Flag, "save_model", "no model is changed or saved");
  accept(Real, "max_grad_norm", "nothing is trained");
  accept(Integer, "dataloader_num_workers", "data are loaded once, before the run");
  accept(Integer, "eval_batch_size", "--batch-size bounds batches");
  accept(Flag, "disable_intermediate_checkpoints", "nothing is trained");
  accept(Flag, "disable_indexed_logging", "every item is logged");
}

record::Shard parse_shard(const std::string& text) {
  record::Shard shard;
  const char* end = text.data() + text.size();
  const auto [slash, error] = std::from_chars(text.data(), end, shard.index);
  if (error == std::errc() && slash != end && *slash == '/') {
    const auto [rest, error_of_n] = std::from_chars(slash + 1, end, shard.n);
    if (error_of_n == std::errc() && rest == end && shard.index >= 1 && shard.index <= shard.n) {
      return shard;
    }
  }
  throw ConfigError(fmt::format("expected i/n with i from 1 to n, such as 2/4, found '{}'", text));
}

void declare_run_group(OptionList& options, RunSettings& run) {
  options.begin_group("Run");
  options.add(run.is_dry_run, {.name = "dry_run",
                               .help = "Show what would be done and stop",
                               .shown = Shown::First,
                               .is_logged = false});
  declare_again(options, run.request);
  options.add(
      run.request.retries_failed,
      {.name = "retry_failed",
       .help = "Compute items again that are recorded as failed, also of a finished run, whose "
               "log is then replaced",
       .is_logged = false});
  options.afterwards([&] {
    if (run.request.retries_failed && run.request.if_finished == record::IfFinished::Append) {
      throw ConfigError(fmt::format(
          "{}: retry_failed mends the log that is there, and --again writes another; leave one out",
          options.place(run.request.retries_failed)));
    }
  });
  options.add(run.model.copy,
              {.name = "model_copy",
               .help = "Read the model from here, say a disk of the machine's own, where there is "
                       "a copy of it; the log names the model itself",
               .value = "MODEL",
               .is_logged = false});
  options.add_parsed(run.shard,
                     {.name = "shard",
                      .help = "Do only part i of n, such as 2/4, of each setting; parts may run at "
                              "the same time, on machines that share the logs, and the last one "
                              "ends the run (see: labelprobe merge)",
                      .shown = Shown::First,
                      .value = "I/N",
                      .is_logged = false},
                     [](const std::string& text) { return std::optional(parse_shard(text)); });
  options.afterwards([&] {
    if (run.request.retries_failed && run.shard) {
      throw ConfigError(
          fmt::format("{}: retry_failed mends the log of a whole run; expected no --shard with it",
                      options.place(run.request.retries_failed)));
    }
  });
  options.add(run.hides_progress, {.name = "disable_tqdm",
                                   .help = "No progress display",
                                   .is_comparable = false,
                                   .bearing = record::Bearing::Process});
  options.add(run.is_quiet, {.name = "quiet",
                             .help = "Only warnings and errors; the log folder is still named",
                             .is_logged = false});
  options.add(run.is_verbose, {.name = "verbose",
                               .help = "Say more: same as --logging-level debug; with --dry-run, "
                                       "every option",
                               .is_logged = false});
  options.add_parsed(run.colour,
                     {.name = "color",
                      .help = "auto, always or never; auto: on terminals, unless NO_COLOR is set",
                      .fallback = "auto",
                      .value = "WHEN",
                      .choices = {"auto", "always", "never"},
                      .is_logged = false,
                      .is_of_grid = true},
                     parse_colour);
  options.add_parsed(run.seconds,
                     {.name = "time_limit",
                      .help = "Stop in time before it is over, with exit code 124 unless all is "
                              "done; the same command goes on: 45s, 90m, 3h50m",
                      .value = "TIME",
                      .is_logged = false},
                     [](const std::string& text) { return std::optional(parse_duration(text)); });
  options.add(run.profile,
              {.name = "profile",
               .help = "File for a trace of the model's work, for chrome://tracing or Perfetto; "
                       "what took the time is told at the end",
               .value = "FILE",
               .is_logged = false});
  accept_compatible(options);
}

void declare_log_group(OptionList& options, RunSettings& run) {
  options.begin_group("Logs");
  declare_log_folder(options, run.request, "./logs");
  declare_logging_level(options, run.logging_level);
  options.add(run.experiment.logs_precision,
              {.name = "logs_precision",
               .help = "Decimals kept of logged numbers (default: all)",
               .least = 0,
               .is_comparable = false,
               .is_of_grid = true});
  options.afterwards([&] {
    // The smallest float32 is 1.4e-45; beyond that, powers of ten end in infinity.
    constexpr int kMostDecimals = 45;
    if (run.experiment.logs_precision.value_or(0) > kMostDecimals) {
      throw ConfigError(fmt::format("{}: logs_precision: expected at most {} decimals, found {}",
                                    options.place(run.experiment.logs_precision), kMostDecimals,
                                    *run.experiment.logs_precision));
    }
  });
}

}  // namespace

void declare_model_loading(OptionList& options, experiment::ModelLoading& model) {
  options.begin_group("Loading the model");
  options.add_parsed(model.options.dtype,
                     {.name = "model_dtype",
                      .help = "Precision of the computation: float32, bfloat16 or float16 (also: "
                              "fp32, bf16, fp16)",
                      .fallback = "float32",
                      .value = "DTYPE",
                      .choices = {"float32", "bfloat16", "float16"},
                      .is_of_environment = true},
                     weights::parse_dtype);
  declare_splitting(options, model.splitting);
  options.add(model.options.device,
              {.name = "device",
               .help = "auto, cpu, cuda or cuda:N; cuda:0,cuda:1 shares one model's layers; "
                       "dry runs and plans also take a card (see: labelprobe ls cards)",
               .fallback = "auto",
               .value = "DEVICE",
               .choices = {"auto", "cpu", "cuda"},
               .is_of_environment = true});
  options.add(model.options.n_threads, {.name = "threads",
                                        .help = "CPU threads; 0 = one per physical core",
                                        .fallback = "0",
                                        .least = 0,
                                        .is_comparable = false,
                                        .bearing = record::Bearing::Process,
                                        .is_of_environment = true});
  declare_quantization(options, model);
  options.add_parsed(model.options.weights,
                     {.name = "weights",
                      .help = "What a GGUF file holds in blocks of 2 to 8 bits: packed (it stays "
                              "so, on a CPU), unpacked, or auto (packed in float32 on processors "
                              "with AVX512-VNNI, and where unpacked weights would take more than "
                              "half of the memory)",
                      .fallback = "auto",
                      .value = "FORM",
                      .choices = {"auto", "packed", "unpacked"},
                      .is_of_environment = true},
                     weights::parse_weight_form);
  options.add(
      model.options.adapter,
      {.name = "adapter",
       .help =
           "Folder of a LoRA adapter (of labelprobe finetune or peft) that belongs to the model",
       .shown = Shown::First,
       .value = "FOLDER"});
  options.add(model.options.allows_tf32,
              {.name = "tf32", .help = "GPU: float32 products may round their factors to TF32"});
  options.add(model.options.is_fast,
              {.name = "fast",
               .help = "GPU: compute each batch in the way that suits its size; the last bits of "
                       "numbers then depend on --batch-size and the like"});
  options.add(model.packed_copy,
              {.name = "save_quantised",
               .help = "Folder to write the quantised weights to, before they are run from there",
               .value = "FOLDER",
               .is_comparable = false,
               .bearing = record::Bearing::Process,
               .other_name = "save_quantized"});
  options.afterwards([&] {
    model.packed_copy_place = options.place(model.packed_copy);
    model.tf32_place = options.place(model.options.allows_tf32);
    model.fast_place = options.place(model.options.is_fast);
    if (!model.packed_copy.empty() && !model.options.adapter.empty()) {
      throw ConfigError(
          model.packed_copy_place +
          ": save_quantised: expected no --adapter with it, whose updates are not quantised");
    }
    if (!model.packed_copy.empty() && model.options.quantization == weights::Quantization::None) {
      throw ConfigError(model.packed_copy_place +
                        ": save_quantised needs --quant, --load-in-4bit or --load-in-8bit, which "
                        "say how to quantise");
    }
  });
}

void declare_splitting(OptionList& options, std::string& splitting) {
  options.add(splitting,
              {.name = "splitting",
               .help = "How a GGUF file splits texts before it merges, where it does not "
                       "say so or wrongly: llama-bpe, qwen2, smollm, gpt-2 and other "
                       "names of llama.cpp",
               .value = "NAME",
               .choices = {"llama-bpe", "qwen2", "smollm", "gpt-2"}});
}

void declare_repetition_penalty(OptionList& options, std::optional<double>& penalty) {
  options.add(penalty, {.name = "repetition_penalty",
                        .help = "Divides the logits of tokens that are there already; 1 = off "
                                "(default: the model's own)",
                        .value = "NUMBER"});
  options.afterwards([&] {
    if (penalty && !(*penalty > 0)) {
      throw ConfigError(fmt::format("{}: repetition_penalty: expected a number above 0, found {}",
                                    options.place(penalty), *penalty));
    }
  });
}

void declare_answering(OptionList& options, RunSettings& run) {
  experiment::Settings& settings = run.experiment;
  options.begin_group("Model");
  options.add(run.model.name,
              {.name = "model_name_or_path",
               .help = "Model folder, .gguf file, name in the Hugging Face cache, or the address "
                       "of a server with OpenAI's interface (see: Servers)",
               .is_required = true,
               .shown = Shown::First,
               .value = "MODEL",
               .name_priority = 2,
               .usual = "build/models/SmolLM2-135M-Instruct.Q4_1.gguf",
               .is_of_environment = true,
               .other_name = "model"});
  options.add(settings.max_new_tokens, {.name = "max_new_tokens",
                                        .help = "Tokens generated per query at most (default: what "
                                                "the longest answer takes)",
                                        .shown = Shown::First,
                                        .least = 1,
                                        .usual = "18",
                                        .other_name = "generation_max_length"});
  declare_repetition_penalty(options, settings.repetition_penalty);
  options.add(settings.batch_size,
              {.name = "batch_size",
               .help = "Prompts computed together at most; 0 = chosen by the program",
               .fallback = "0",
               .least = 0,
               .is_comparable = false,
               .bearing = record::Bearing::Process});
  const auto add_denial = [&](bool& field, std::string_view name, std::string help) {
    options.add_special(Flag, &field,
                        {.name = name,
                         .help = std::move(help),
                         .is_comparable = false,
                         .bearing = record::Bearing::Process},
                        [&field](const Given& given) { field = given.values.front() == "false"; });
  };
  add_denial(settings.share_prefixes, "no_share_prefixes",
             "Compute every prompt in full: slower, with the same numbers");
  add_denial(settings.drafts_answers, "no_drafts",
             "Generate token by token, without guessing how answers go on: slower, with the "
             "same numbers");
  options.add_parsed(settings.label_variants,
                     {.name = "label_variants",
                      .help = "Count `joy` and ` joy` as the same label (both), or only the "
                              "template's own form (strict)",
                      .fallback = "both",
                      .value = "FORMS",
                      .choices = {"both", "strict"}},
                     readout::parse_label_variants);
  options.add_parsed(
      settings.parser,
      {.name = "parser",
       .help = "How labels are searched for in answers that do not list them: words (whole words "
               "only) or published (anywhere, inside other words too)",
       .fallback = "words",
       .value = "NAME",
       .choices = {"words", "published"}},
      readout::parse_parser);
  options.afterwards([&] {
    if (settings.parser != readout::Parser::Words && !settings.plan->lists_labels) {
      throw ConfigError(fmt::format(
          "{}: parser published is for answers that list labels, which those of {} do not",
          options.place(settings.parser), settings.plan->name));
    }
  });
  options.refuse(Text, {.name = "word_embeddings_model",
                        .help = "Not supported: answers outside the label set are not mapped by "
                                "word vectors",
                        .name_priority = 0});
  options.refuse(Text, {.name = "model_load_filename",
                        .help = "Not supported: --model-name-or-path takes the folder of a tuned "
                                "model"});
}

void declare_run(OptionList& options, RunSettings& run, std::string_view command) {
  const bool has_distribution = command == kRunName;
  if (!has_distribution) {
    run.experiment.plan = &experiment::find_plan(command);
  }
  declare_questions(
      options, run.experiment, run.sentence_encoder,
      {.has_distribution = has_distribution, .has_pairs = run.experiment.plan->shows_labels});
  declare_answering(options, run);
  declare_readouts(options, run.experiment.readouts);
  declare_inside(options, run.experiment);
  declare_model_loading(options, run.model);
  declare_server(options, run);
  declare_run_group(options, run);
  declare_log_group(options, run);
}

}  // namespace labelprobe::app
