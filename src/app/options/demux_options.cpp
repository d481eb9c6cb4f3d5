#include "app/options/demux_options.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "app/options/data_options.h"
#include "app/options/log_options.h"
#include "app/options/run_options.h"

namespace labelprobe::app {

namespace {

using enum OptionKind;
using training::DemuxSettings;

constexpr const char* kByDataSet =
    " (default: as published for the data set, see "
    "src/training/demux/README.md)";

void declare_model(OptionList& options, DemuxOptions& demux) {
  DemuxSettings& settings = demux.demux;
  options.begin_group("Model");
  options.add(demux.encoder,
              {.name = "model_name_or_path",
               .help = "Folder of a BERT encoder (config.json, safetensors, tokenizer.json or "
                       "vocab.txt), or name in the Hugging Face cache",
               .is_required = true,
               .shown = Shown::First,
               .value = "MODEL",
               .usual = "build/models/all-MiniLM-L6-v2",
               .is_of_environment = true,
               .other_name = "model"});
  options.add(
      settings.max_length,
      {.name = "max_length",
       .help = fmt::format("Tokens of a sequence, label names included; longer texts are cut{}",
                           kByDataSet),
       .least = 1});
  options.add(settings.dropout, {.name = "dropout_prob",
                                 .help = "Dropout in the encoder, its attention and the head",
                                 .fallback = "0.1"});
  options.add(settings.intra_loss_coef,
              {.name = "intra_loss_coef",
               .help = "Weight of the intra loss, which draws labels of one kind together; "
                       "multi-label sets only; the published runs have 0 and 0.2",
               .fallback = "0",
               .shown = Shown::First});
  options.add(settings.filters_predictions,
              {.name = "filter_predictions",
               .help = "With --train-pred-log-dir: labels on which prior and gold differ do not "
                       "count in the loss"});
  options.add(settings.device, {.name = "device",
                                .help = "auto, cpu, cuda or cuda:N",
                                .fallback = "auto",
                                .value = "DEVICE",
                                .choices = {"auto", "cpu", "cuda"},
                                .is_of_environment = true});
  options.add(settings.n_threads,
              {.name = "threads",
               .help = "CPU threads; 0 = one per physical core; their number moves the last bits",
               .fallback = "0",
               .least = 0,
               .is_comparable = false,
               .bearing = record::Bearing::Process,
               .is_of_environment = true});
}

void declare_training(OptionList& options, DemuxSettings& settings) {
  options.begin_group("Training");
  options.add(settings.n_epochs, {.name = "num_train_epochs",
                                  .help = fmt::format("Epochs at most{}", kByDataSet),
                                  .shown = Shown::First,
                                  .least = 1});
  options.add(settings.max_steps,
              {.name = "max_steps", .help = "Steps at most, in place of epochs", .least = 1});
  options.add(
      settings.train_batch_size,
      {.name = "train_batch_size", .help = "Examples of a step", .fallback = "128", .least = 1});
  options.add(settings.eval_batch_size, {.name = "eval_batch_size",
                                         .help = "Examples predicted together",
                                         .fallback = "256",
                                         .least = 1,
                                         .is_comparable = false,
                                         .bearing = record::Bearing::Process});
  options.add(settings.learning_rate,
              {.name = "lr",
               .help = "Learning rate behind the warm-up; from there it falls to 0 linearly",
               .fallback = "2e-5",
               .shown = Shown::First});
  options.add(settings.beta1, {.name = "adam_beta1", .help = "AdamW", .fallback = "0.9"});
  options.add(settings.beta2, {.name = "adam_beta2", .help = "AdamW", .fallback = "0.999"});
  options.add(settings.epsilon, {.name = "adam_epsilon", .help = "AdamW", .fallback = "1e-8"});
  options.add(settings.weight_decay, {.name = "weight_decay", .help = "AdamW", .fallback = "0"});
  options.add(settings.warmup_ratio, {.name = "warmup_ratio",
                                      .help = "Share of the steps in which the rate rises",
                                      .fallback = "0.1"});
  options.add(settings.max_grad_norm,
              {.name = "max_grad_norm",
               .help = "Longer gradients are scaled down to it (default: none are)"});
  options.add(settings.seed,
              {.name = "seed",
               .help = "Of the head, the order of examples and dropout; -1 = seeds 0 to 4",
               .fallback = "0",
               .shown = Shown::First,
               .least = 0,
               .is_comparable = false,
               .bearing = record::Bearing::Repetition,
               .shorthand = {{"-1", {"0", "1", "2", "3", "4"}}}});
}

void declare_stopping(OptionList& options, DemuxSettings& settings) {
  options.begin_group("Choosing the weights");
  options.add_parsed(settings.stopping,
                     {.name = "stopping",
                      .help = "Which weights are tested: best (on dev) or published (the best only "
                              "if training ends early, else the last)",
                      .fallback = "best",
                      .shown = Shown::First,
                      .value = "NAME",
                      .choices = training::kDemuxStoppings.names()},
                     [](const std::string& name) { return training::kDemuxStoppings.parse(name); });
  options.add(settings.patience, {.name = "early_stopping_patience",
                                  .help = "Evaluations without a new best before training ends",
                                  .fallback = "3",
                                  .least = 1});
  options.add(
      settings.metric,
      {.name = "early_stopping_metric",
       .help = "Metric of dev that decides: macro_f1, micro_f1, jaccard_score, LABEL_f1; of "
               "single-label sets f1 or accuracy (default: macro F1; with --stopping "
               "published that of the published script)"});
  options.add(settings.least_gain, {.name = "early_stopping_delta",
                                    .help = "By how much a new best has to be better",
                                    .fallback = "0"});
  options.add(settings.lower_is_better, {.name = "early_stopping_lower_better",
                                         .help = "The smaller the metric, the better"});
  options.add(settings.eval_steps, {.name = "eval_steps",
                                    .help = "Steps between evaluations on dev (default: an epoch)",
                                    .least = 1});
}

void declare_files(OptionList& options, DemuxSettings& settings) {
  options.begin_group("Model files");
  const auto add = [&](auto& field, OptionInfo info) {
    info.is_comparable = false;
    info.bearing = record::Bearing::Process;
    options.add(field, std::move(info));
  };
  add(settings.saves_model,
      {.name = "save_model", .help = "Leave the tested model in the log folder"});
  add(settings.discards_classifier,
      {.name = "discard_classifier", .help = "--save-model: the encoder alone"});
  add(settings.classifier_name, {.name = "classifier_layer_name",
                                 .help = "--save-model: what the head's weights are called",
                                 .fallback = "classifier"});
  add(settings.checkpoint_steps,
      {.name = "checkpoint_steps",
       .help = "Steps between checkpoints, which an interrupted run goes on from; there is one "
               "after each evaluation too",
       .fallback = "500",
       .least = 1});
  for (const auto& [kind, name] :
       {std::pair(Flag, "accelerate"), std::pair(Flag, "disable_intermediate_checkpoints"),
        std::pair(Integer, "dataloader_num_workers"), std::pair(Integer, "logging_steps")}) {
    options.accept(kind, {.name = name,
                          .help = "Accepted for compatibility",
                          .is_comparable = false,
                          .bearing = record::Bearing::Process});
  }
}

void declare_process(OptionList& options, DemuxOptions& demux) {
  options.begin_group("Run");
  options.add(demux.is_dry_run, {.name = "dry_run",
                                 .help = "Show what would be done and stop",
                                 .shown = Shown::First,
                                 .is_logged = false});
  declare_again(options, demux.request);
  options.add(demux.hides_progress, {.name = "disable_tqdm",
                                     .help = "No progress display",
                                     .is_comparable = false,
                                     .bearing = record::Bearing::Process});
  options.add(demux.is_quiet, {.name = "quiet",
                               .help = "Only warnings and errors; the log folder is still named",
                               .is_logged = false});
  options.begin_group("Logs");
  declare_log_folder(options, demux.request, "./logs/DEMUX");
  declare_logging_level(options, demux.logging_level);
}

void fill_from_regime(const OptionList& options, DemuxOptions& demux) {
  const training::DemuxRegime& regime = training::demux_regime(demux.task);
  DemuxSettings& settings = demux.demux;
  if (!options.is_given(settings.n_epochs)) settings.n_epochs = regime.n_epochs;
  if (!options.is_given(settings.max_length)) settings.max_length = regime.max_length;
  if (!options.is_given(settings.metric) &&
      settings.stopping == training::DemuxStopping::Published) {
    settings.metric = regime.published_metric;
  }
  const auto fill_splits = [](std::vector<std::string>& splits,
                              std::initializer_list<std::string> usual) {
    if (splits.empty()) splits = usual;
  };
  fill_splits(demux.train.splits, {"train"});
  fill_splits(demux.dev.splits, {"dev"});
  fill_splits(demux.test.splits, {"dev", "test"});
}

}  // namespace

void declare_demux(OptionList& options, DemuxOptions& demux) {
  declare_task(options, demux.task);
  declare_data_group(options, {demux.train, demux.test, &demux.dev});
  declare_train_prior(options, demux.train_prior);
  declare_model(options, demux);
  declare_training(options, demux.demux);
  declare_stopping(options, demux.demux);
  declare_files(options, demux.demux);
  declare_process(options, demux);
  options.afterwards([&options, &demux] {
    fill_from_regime(options, demux);
    if (demux.demux.filters_predictions && demux.train_prior.folder.empty()) {
      throw ConfigError(fmt::format("{}: filter_predictions needs --train-pred-log-dir",
                                    options.place(demux.demux.filters_predictions)));
    }
  });
}

void complete_params(const DemuxOptions& demux, std::vector<record::Param>& params) {
  const DemuxSettings& settings = demux.demux;
  const std::pair<const char*, record::ParamValue> resolved[] = {
      {"num_train_epochs", std::int64_t{settings.n_epochs}},
      {"max_length", std::int64_t{settings.max_length}},
      {"early_stopping_metric",
       settings.metric.empty() ? record::ParamValue() : record::ParamValue(settings.metric)},
      {"train_splits", demux.train.splits},
      {"dev_splits", demux.dev.splits},
      {"test_splits", demux.test.splits}};
  for (const auto& [name, value] : resolved) {
    const auto found =
        std::find_if(params.begin(), params.end(),
                     [&, name = name](const auto& param) { return param.name == name; });
    LABELPROBE_CHECK(found != params.end());
    found->value = value;
  }
  // The published names have them whether or not they are set.
  for (record::Param& param : params) {
    if (param.name.ends_with("_pred_log_dir")) param.name_priority = 0;
  }
}

}  // namespace labelprobe::app
