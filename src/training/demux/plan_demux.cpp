#include <algorithm>
#include <cmath>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/record/provenance.h"
#include "labelprobe/tokenizer/tokenizer.h"
#include "labelprobe/training/schedule.h"

#include "training/demux/demux_metrics.h"
#include "training/demux/sequences.h"
#include "weights/device/device.h"
#include "weights/encoder/encoder_config.h"
#include "weights/encoder/encoder_weights.h"

namespace labelprobe::training {

namespace {

void check_settings(const DemuxSettings& settings, const weights::EncoderConfig& config) {
  const auto expect = [](bool is_right, const char* flag, const std::string& expected, auto found) {
    if (!is_right) {
      throw ConfigError(fmt::format("{}: expected {}, found {}", flag, expected, found));
    }
  };
  expect(settings.max_length <= config.n_positions, "--max-length",
         fmt::format("at most {}, the positions that the encoder has", config.n_positions),
         settings.max_length);
  expect(settings.dropout >= 0 && settings.dropout < 1, "--dropout-prob", "0 or more and below 1",
         settings.dropout);
  expect(settings.learning_rate >= 0, "--lr", "0 or more", settings.learning_rate);
  expect(settings.warmup_ratio >= 0 && settings.warmup_ratio <= 1, "--warmup-ratio", "0 to 1",
         settings.warmup_ratio);
  expect(settings.max_grad_norm.value_or(1) > 0, "--max-grad-norm", "a number above 0",
         settings.max_grad_norm.value_or(1));
}

void check_role(const std::vector<Example>& examples, const char* role) {
  if (examples.empty()) {
    throw DataError(fmt::format("{} role: expected examples, found none", role));
  }
}

std::vector<std::string> texts_of(const std::vector<Example>& examples) {
  std::vector<std::string> texts;
  for (const Example& example : examples) texts.push_back(example.text);
  return texts;
}

at::Tensor class_targets(const std::vector<Example>& examples) {
  std::vector<std::int64_t> classes;
  for (const Example& example : examples) classes.push_back(example.labels.at(0));
  return at::tensor(classes);
}

at::Tensor multi_hot(const Labels& labels, int n_labels) {
  at::Tensor hot = at::zeros({n_labels});
  for (const LabelIndex label : labels) hot[label] = 1.0F;
  return hot;
}

// Multi-hot vectors; -1 where a prior label is to be heard and says otherwise than the gold.
at::Tensor label_targets(const std::vector<Example>& examples, int n_labels, bool filters) {
  std::vector<at::Tensor> rows;
  for (const Example& example : examples) {
    at::Tensor row = multi_hot(example.labels, n_labels);
    if (filters && example.prior_labels) {
      row.masked_fill_(row != multi_hot(*example.prior_labels, n_labels), -1.0F);
    }
    rows.push_back(std::move(row));
  }
  return at::stack(rows);
}

std::string fingerprint_of(const DemuxData& data) {
  Fingerprint print;
  for (const std::vector<Example>* role : {&data.train, &data.dev, &data.test}) {
    for (const Example& example : *role) {
      print.add(example.id());
      print.add(example.text);
      for (const LabelIndex label : example.labels) print.add(std::to_string(label));
      if (!example.prior_labels) continue;
      for (const LabelIndex label : *example.prior_labels) print.add(fmt::format("p{}", label));
    }
    print.add("");
  }
  return print.hex();
}

std::string labels_of(const LabelSet& set) {
  Fingerprint print;
  for (const std::string& name : set.names()) print.add(name);
  print.add(set.is_multilabel() ? "multi" : "single");
  return print.hex();
}

void add_notes(const DemuxPlan& plan, std::vector<std::string>& notes) {
  const DemuxPlan::Sequences& sequences = *plan.sequences;
  for (const auto& [role, texts] :
       {std::pair("train", &sequences.train), std::pair("dev", &sequences.dev),
        std::pair("test", &sequences.test)}) {
    if (texts->n_cut > 0) {
      notes.push_back(
          fmt::format("{} of {} {} texts are longer than --max-length {} allows: their "
                      "ends are cut off",
                      texts->n_cut, texts->tails.size(), role, plan.settings.max_length));
    }
  }
  if (!plan.data.label_set.is_multilabel() && plan.settings.intra_loss_coef != 0) {
    notes.push_back("--intra-loss-coef does nothing: the data set has single labels");
  }
  if (plan.metric.empty() && plan.settings.patience) {
    notes.push_back(
        fmt::format("training never ends early: the dev role has no metric '{}', as in "
                    "the published program",
                    plan.settings.metric));
  }
}

}  // namespace

DemuxPlan plan_demux(DemuxData data, DemuxSettings settings) {
  check_role(data.train, "train");
  check_role(data.dev, "dev");
  check_role(data.test, "test");
  const weights::EncoderConfig config = weights::load_encoder_config(settings.encoder);
  check_settings(settings, config);
  const auto tokenizer = tokenizer::load(settings.encoder);

  DemuxPlan plan;
  plan.metric = chosen_metric(settings, data.label_set);
  auto sequences = std::make_shared<DemuxPlan::Sequences>();
  sequences->device = weights::open_device(settings.device);
  plan.device = sequences->device.str();
  sequences->maker = make_pairs(*tokenizer, data.label_set, settings.max_length);
  plan.n_label_tokens = sequences->maker.head.size() + sequences->maker.tail.size();
  sequences->train = pair_texts(sequences->maker, *tokenizer, texts_of(data.train));
  sequences->dev = pair_texts(sequences->maker, *tokenizer, texts_of(data.dev));
  sequences->test = pair_texts(sequences->maker, *tokenizer, texts_of(data.test));
  sequences->targets =
      data.label_set.is_multilabel()
          ? label_targets(data.train, data.label_set.size(), settings.filters_predictions)
          : class_targets(data.train);
  plan.sequences = std::move(sequences);

  const auto n_train = static_cast<std::int64_t>(data.train.size());
  plan.steps_per_epoch = (n_train + settings.train_batch_size - 1) / settings.train_batch_size;
  plan.n_steps = settings.max_steps.value_or(plan.steps_per_epoch * settings.n_epochs);
  plan.n_warmup_steps = n_warmup_steps(Schedule::Linear, settings.warmup_ratio, plan.n_steps);
  plan.contents = {{"version of the program", record::program_version()},
                   {"encoder", weights::EncoderWeights(settings.encoder).fingerprint()},
                   {"tokenizer", tokenizer->fingerprint()},
                   {"labels", labels_of(data.label_set)},
                   {"texts or labels", fingerprint_of(data)},
                   {"device", plan.device}};
  plan.data = std::move(data);
  plan.settings = std::move(settings);
  add_notes(plan, plan.notes);
  return plan;
}

}  // namespace labelprobe::training
