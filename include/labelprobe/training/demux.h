// Demux, the supervised rival of prompting: a BERT encoder that reads the names of the labels
// before the text and is trained on a data set. Trains, chooses its weights on the dev role, and
// predicts the test role. Source: the published Demux programs; Chochlakis et al. 2023. Called by
// `labelprobe demux`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/example.h"
#include "labelprobe/core/label_set.h"
#include "labelprobe/record/training_log.h"

namespace labelprobe::training {

// Which weights are tested.
enum class DemuxStopping {
  Best,       // those that were best on the dev role, whenever training ends
  Published,  // those only if training ends before the last epoch, else the last ones; a metric
              // that does not exist never ends it
};
inline constexpr auto kDemuxStoppings = enum_names<DemuxStopping>(
    "stopping", {{DemuxStopping::Best, "best"}, {DemuxStopping::Published, "published"}});

// How the published script trains on a data set.
struct DemuxRegime {
  std::string_view task;  // empty: what other sets get
  int n_epochs = 30;
  int max_length = 64;
  std::string_view published_metric = "eval_accuracy";  // --early-stopping-metric
};
// The published ones, and last what other sets get.
std::span<const DemuxRegime> demux_regimes();
const DemuxRegime& demux_regime(std::string_view task);

struct DemuxSettings {
  std::filesystem::path encoder;  // folder of a BERT with its tokenizer
  std::string device = "auto";
  int n_threads = 0;  // 0 = one per physical core
  std::int64_t seed = 0;
  int max_length = 64;  // tokens of a sequence: labels, text and what stands around them
  // Training. A step is a batch.
  int n_epochs = 30;
  std::optional<std::int64_t> max_steps;  // in place of epochs
  int train_batch_size = 128;
  int eval_batch_size = 256;
  double learning_rate = 2e-5;  // after the warm-up; linear to 0
  double warmup_ratio = 0.1;    // of all steps
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.0;
  std::optional<double> max_grad_norm;
  double dropout = 0.1;          // in the encoder, its attention and the head
  double intra_loss_coef = 0.0;  // multi-label sets only
  bool filters_predictions =
      false;  // labels for which a prior label differs from the gold do not count in the loss
  // Evaluation on the dev role.
  std::optional<std::int64_t> eval_steps;  // unset: after each epoch
  DemuxStopping stopping = DemuxStopping::Best;
  std::string metric;           // empty: macro F1
  std::optional<int> patience;  // evaluations without a new best before training ends; unset: none
  double least_gain = 0.0;      // what is more than the best by this is a new best
  bool lower_is_better = false;
  // What is left behind.
  std::int64_t checkpoint_steps = 500;  // besides the one after each evaluation
  bool saves_model = false;
  bool discards_classifier = false;
  std::string classifier_name = "classifier";
};

struct DemuxData {
  std::string task;
  LabelSet label_set;
  std::vector<Example> train;
  std::vector<Example> dev;
  std::vector<Example> test;
};

// All that needs no weights: tokens, steps, device.
struct DemuxPlan {
  DemuxData data;
  DemuxSettings settings;
  struct Sequences;
  std::shared_ptr<const Sequences> sequences;
  std::string device;  // "cpu"
  std::string metric;  // of the dev role, that decides; empty: none does
  std::int64_t steps_per_epoch = 0;
  std::int64_t n_steps = 0;
  std::int64_t n_warmup_steps = 0;
  std::size_t n_label_tokens = 0;               // of every sequence
  std::map<std::string, std::string> contents;  // see record::RunRequest
  std::vector<std::string> notes;               // sentences, for people
};

// Throws ConfigError, DataError (an empty role) or ModelError (an encoder or tokenizer that does
// not serve).
DemuxPlan plan_demux(DemuxData data, DemuxSettings settings);

struct DemuxProgress {
  std::int64_t step = 0;  // done
  std::int64_t n_steps = 0;
  std::int64_t n_resumed = 0;   // steps of an earlier process
  std::int64_t n_examples = 0;  // seen by this process
  double epoch = 0.0;
  double loss = 0.0;  // of the last batch
};

struct DemuxEvaluation {
  std::int64_t step = 0;
  std::map<std::string, double> metrics;  // of the dev role
  bool is_best = false;
};

class DemuxListener {
 public:
  virtual ~DemuxListener() = default;
  virtual void on_model(std::int64_t /*n_numbers*/, const std::string& /*device*/) {}
  virtual void on_note(const std::string& /*sentence*/) {}
  virtual void on_progress(const DemuxProgress&) {}
  virtual void on_evaluation(const DemuxEvaluation&) {}
};

struct DemuxOutcome {
  record::TrainingLog log;
  std::int64_t tested_step = 0;   // whose weights were tested
  std::int64_t n_steps_done = 0;  // of all processes
};

// Trains, or goes on where an interrupted process of the same run has left a checkpoint, ends the
// run, and leaves training_<experiment>/ with the curve and, if asked for, the model. The same
// settings on the same machine end in the same bytes, interrupted or not. Throws ModelError if the
// loss is no number any more (step and items of the batch; the checkpoint before it stays),
// ConfigError if something cannot be written: a checkpoint that was there stays whole.
DemuxOutcome train_demux(const DemuxPlan& plan, record::TrainingRun& run, DemuxListener& listener);

}  // namespace labelprobe::training
