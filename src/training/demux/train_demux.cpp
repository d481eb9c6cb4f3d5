#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/core/item_id.h"
#include "labelprobe/python/random.h"
#include "labelprobe/training/schedule.h"

#include "training/curve/curve.h"
#include "training/demux/checkpoint.h"
#include "training/demux/demux_metrics.h"
#include "training/demux/demux_model.h"
#include "training/demux/save_model.h"
#include "training/demux/sequences.h"
#include "weights/device/device.h"
#include "weights/device/threads.h"

namespace labelprobe::training {

namespace {

namespace fs = std::filesystem;

std::string fingerprint_of(const std::map<std::string, std::string>& contents) {
  Fingerprint print;
  for (const auto& [name, value] : contents) {
    print.add(name);
    print.add(value);
  }
  return print.hex();
}

// A seed for one use of the run's: equal seeds of two uses have nothing to do with each other.
std::uint64_t seed_of(const std::string& use, std::int64_t seed, std::int64_t number) {
  return std::stoull(fingerprint(fmt::format("{} {} {}", use, seed, number)).substr(0, 15), nullptr,
                     16);
}

class Trainer {
 public:
  Trainer(const DemuxPlan& plan, const record::TrainingRun& run, DemuxListener& listener)
      : plan_(plan),
        sequences_(*plan.sequences),
        settings_(plan.settings),
        listener_(listener),
        files_(run.folder() / fmt::format("training_{}", run.experiment_index()),
               fingerprint_of(plan.contents)),
        model_(settings_.encoder, seed_of("head", settings_.seed, 0), sequences_.device),
        optimizer_(model_.parameters(),
                   {settings_.beta1, settings_.beta2, settings_.epsilon, settings_.weight_decay}) {
    listener_.on_model(model_.n_numbers(), plan.device);
    fs::create_directories(files_.folder());
    take_up();
  }

  void train() {
    while (!has_ended()) {
      step();
      if (is_evaluation_point()) {
        evaluate();
        save();
      } else {
        is_save_due_ = is_save_due_ || state_.step % settings_.checkpoint_steps == 0;
      }
    }
  }

  DemuxOutcome test() {
    const bool takes_best =
        state_.best && (settings_.stopping == DemuxStopping::Best || state_.step < plan_.n_steps);
    DemuxOutcome outcome;
    outcome.n_steps_done = state_.step;
    outcome.tested_step = takes_best ? state_.evaluations[*state_.best].step : state_.step;
    if (takes_best) model_.set_values(files_.load_best(*state_.best));
    outcome.log = make_log(read_logits(predict(sequences_.test), plan_.data.label_set));
    return outcome;
  }

  void leave_files() {
    write_curve(files_.folder(), make_curve(), {"loss", "dev_" + drawn_metric()}, "loss, F1");
    if (settings_.saves_model) {
      save_model(files_.folder() / "model", settings_, plan_.data.label_set, model_);
    }
  }

  void clear() { files_.clear(); }

 private:
  void take_up() {
    const auto loaded = files_.load();
    if (!loaded) return;
    state_ = loaded->state;
    model_.set_values(loaded->weights);
    optimizer_.set_state(loaded->optimizer);
    n_resumed_ = state_.step;
    listener_.on_note(fmt::format("goes on from {} after {} of {} steps",
                                  files_.checkpoint_file().string(), state_.step, plan_.n_steps));
  }

  void save() {
    files_.save(state_, model_.values(), optimizer_.state());
    is_save_due_ = false;
  }

  bool has_ended() const {
    if (state_.step >= plan_.n_steps) return true;
    if (!settings_.patience || !state_.best) return false;
    const std::size_t n_since = state_.evaluations.size() - 1 - *state_.best;
    return n_since >= static_cast<std::size_t>(*settings_.patience) && is_evaluation_point();
  }

  bool is_evaluation_point() const {
    const std::int64_t n = settings_.eval_steps.value_or(plan_.steps_per_epoch);
    return state_.step > 0 && (state_.step % n == 0 || state_.step == plan_.n_steps);
  }

  // The order of an epoch's examples; drawn anew when another epoch begins.
  const std::vector<int>& order_of(std::int64_t epoch) {
    if (epoch != epoch_) {
      order_.resize(plan_.data.train.size());
      std::iota(order_.begin(), order_.end(), 0);
      python::Random random(static_cast<std::int64_t>(seed_of("order", settings_.seed, epoch)));
      random.shuffle(order_);
      epoch_ = epoch;
    }
    return order_;
  }

  std::vector<int> next_batch() {
    const std::vector<int>& order = order_of(state_.step / plan_.steps_per_epoch);
    const auto first = static_cast<std::size_t>(state_.step % plan_.steps_per_epoch) *
                       static_cast<std::size_t>(settings_.train_batch_size);
    const std::size_t n =
        std::min(static_cast<std::size_t>(settings_.train_batch_size), order.size() - first);
    return {order.begin() + static_cast<std::ptrdiff_t>(first),
            order.begin() + static_cast<std::ptrdiff_t>(first + n)};
  }

  void step() {
    batch_ = next_batch();
    const std::vector<int>& members = batch_;
    std::vector<std::int64_t> rows(members.begin(), members.end());
    const at::Tensor targets =
        sequences_.targets.index_select(0, at::tensor(rows)).to(sequences_.device);
    Dropout dropout(settings_.dropout, seed_of("dropout", settings_.seed, state_.step),
                    sequences_.device);
    optimizer_.zero_gradients();
    const at::Tensor loss = demux_loss(
        model_.logits(make_batch(sequences_.maker, sequences_.train, members, sequences_.device),
                      sequences_.maker.positions, &dropout),
        targets, settings_.intra_loss_coef);
    const auto number = loss.item<double>();
    if (!std::isfinite(number)) fail("loss", number);
    // Only weights that have a finite loss are worth going on from.
    if (is_save_due_) save();
    loss.backward();
    const double norm =
        clip_gradients(model_.parameters(),
                       settings_.max_grad_norm.value_or(std::numeric_limits<double>::infinity()));
    if (!std::isfinite(norm)) fail("norm of the gradient", norm);
    optimizer_.step(settings_.learning_rate * schedule_factor(Schedule::Linear, state_.step,
                                                              plan_.n_warmup_steps, plan_.n_steps));
    ++state_.step;
    state_.losses.push_back(number);
    state_.norms.push_back(norm);
    n_examples_ += static_cast<std::int64_t>(members.size());
    listener_.on_progress(
        {state_.step, plan_.n_steps, n_resumed_, n_examples_,
         static_cast<double>(state_.step) / static_cast<double>(plan_.steps_per_epoch), number});
  }

  [[noreturn]] void fail(const char* what, double number) const {
    std::vector<std::string> ids;
    for (const int member : batch_) {
      ids.push_back(plan_.data.train[static_cast<std::size_t>(member)].example_id);
    }
    throw ModelError(fmt::format(
        "step {} (epoch {}): expected a finite {}, found {}; a smaller --lr or --max-grad-norm may "
        "help; {}; items of the batch: {}",
        state_.step + 1, state_.step / plan_.steps_per_epoch + 1, what, std::abs(number),
        fs::exists(files_.checkpoint_file())
            ? fmt::format("the last good checkpoint stays in {}", files_.checkpoint_file().string())
            : std::string("there is no checkpoint yet"),
        fmt::join(ids, ", ")));
  }

  at::Tensor predict(const PairedTexts& texts) const {
    const c10::NoGradGuard no_gradients;
    std::vector<int> order(texts.tails.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      return texts.tails[static_cast<std::size_t>(a)].size() <
             texts.tails[static_cast<std::size_t>(b)].size();
    });
    at::Tensor logits = at::empty(
        {static_cast<std::int64_t>(order.size()), plan_.data.label_set.size()}, at::kFloat);
    const auto n_batch = static_cast<std::size_t>(settings_.eval_batch_size);
    for (std::size_t first = 0; first < order.size(); first += n_batch) {
      const auto members =
          std::span<const int>(order).subspan(first, std::min(n_batch, order.size() - first));
      const at::Tensor found =
          model_.logits(make_batch(sequences_.maker, texts, members, sequences_.device),
                        sequences_.maker.positions, nullptr);
      const std::vector<std::int64_t> rows(members.begin(), members.end());
      logits.index_copy_(0, at::tensor(rows), found.to(at::kCPU));
    }
    return logits;
  }

  void evaluate() {
    Evaluation evaluation{state_.step, {}, predict(sequences_.dev)};
    if (!evaluation.logits.isfinite().all().item<bool>()) {
      --state_.step;  // the step that has made them so
      fail("logit of every dev example", std::numeric_limits<double>::quiet_NaN());
    }
    evaluation.metrics = demux_metrics(
        plan_.data.dev, read_logits(evaluation.logits, plan_.data.label_set), plan_.data.label_set);
    state_.evaluations.push_back(std::move(evaluation));
    const Evaluation& latest = state_.evaluations.back();
    const bool is_best = !plan_.metric.empty() && is_new_best(latest.metrics.at(plan_.metric));
    if (is_best) {
      state_.best = state_.evaluations.size() - 1;
      files_.save_best(*state_.best, model_.values());
    }
    listener_.on_evaluation({latest.step, latest.metrics, is_best});
  }

  bool is_new_best(double number) const {
    if (!state_.best) return true;
    const double best = state_.evaluations[*state_.best].metrics.at(plan_.metric);
    return settings_.lower_is_better ? number < best - settings_.least_gain
                                     : number > best + settings_.least_gain;
  }

  std::string drawn_metric() const {
    return plan_.data.label_set.is_multilabel() ? "macro_f1" : "f1";
  }

  Curve make_curve() const {
    Curve curve{plan_.data.task,
                fmt::format("{}, batches of {}, learning rate {}, intra loss {}, seed {}",
                            settings_.encoder.filename().string(), settings_.train_batch_size,
                            settings_.learning_rate, settings_.intra_loss_coef, settings_.seed),
                {},
                {}};
    curve.columns = {"loss", "gradient_norm", "learning_rate"};
    for (const auto& [name, unused] : state_.evaluations.at(0).metrics) {
      curve.columns.push_back("dev_" + name);
    }
    auto evaluation = state_.evaluations.begin();
    for (std::int64_t step = 1; step <= state_.step; ++step) {
      const auto at = static_cast<std::size_t>(step - 1);
      CurveRow row{
          step,
          {state_.losses[at], state_.norms[at],
           settings_.learning_rate *
               schedule_factor(Schedule::Linear, step - 1, plan_.n_warmup_steps, plan_.n_steps)}};
      const bool is_evaluated = evaluation != state_.evaluations.end() && evaluation->step == step;
      for (const auto& [name, number] : state_.evaluations[0].metrics) {
        row.numbers.push_back(is_evaluated ? evaluation->metrics.at(name)
                                           : std::numeric_limits<double>::quiet_NaN());
      }
      evaluation += is_evaluated ? 1 : 0;
      curve.rows.push_back(std::move(row));
    }
    return curve;
  }

  record::TrainingLog make_log(std::vector<record::ScoredLabels> found) const {
    record::TrainingLog log;
    log.label_set = plan_.data.label_set;
    log.best = state_.best;
    std::vector<std::vector<record::ScoredLabels>> on_dev;
    for (const Evaluation& each : state_.evaluations) {
      log.steps.push_back(each.step);
      for (const auto& [name, number] : each.metrics) log.dev_metrics[name].push_back(number);
      on_dev.push_back(read_logits(each.logits, log.label_set));
    }
    std::map<std::string, std::size_t> places;  // in log.items, by key
    const auto item_of = [&](const Example& example) -> record::ScoredItem& {
      const ItemId id = {.example_id = example.example_id, .annotator = example.annotator};
      const auto [place, is_new] = places.emplace(id.log_key(), log.items.size());
      if (is_new) {
        log.items.push_back(
            {place->first, example.annotator, example.text, example.labels, {}, {}});
      }
      return log.items[place->second];
    };
    add_test_metrics(found, log);
    for (std::size_t i = 0; i < found.size(); ++i) {
      item_of(plan_.data.test[i]).test = std::move(found[i]);
    }
    for (std::size_t i = 0; i < plan_.data.dev.size(); ++i) {
      record::ScoredItem& item = item_of(plan_.data.dev[i]);
      for (auto& each : on_dev) item.dev.push_back(std::move(each[i]));
    }
    return log;
  }

  // For the aggregate's items, and for each other annotator's.
  void add_test_metrics(const std::vector<record::ScoredLabels>& found,
                        record::TrainingLog& log) const {
    std::map<std::string, std::pair<std::vector<Example>, std::vector<record::ScoredLabels>>> parts;
    for (std::size_t i = 0; i < found.size(); ++i) {
      auto& [examples, predictions] = parts[plan_.data.test[i].annotator];
      examples.push_back(plan_.data.test[i]);
      predictions.push_back(found[i]);
    }
    for (const auto& [annotator, part] : parts) {
      auto metrics = demux_metrics(part.first, part.second, log.label_set);
      (annotator == kAggregate ? log.test_metrics : log.annotator_metrics[annotator]) =
          std::move(metrics);
    }
  }

  const DemuxPlan& plan_;
  const DemuxPlan::Sequences& sequences_;
  const DemuxSettings& settings_;
  DemuxListener& listener_;
  CheckpointFolder files_;
  DemuxModel model_;
  AdamW optimizer_;
  TrainingState state_;
  std::vector<int> batch_;    // of the last step: positions of train examples
  bool is_save_due_ = false;  // once the next loss is finite
  std::vector<int> order_;
  std::int64_t epoch_ = -1;  // that order_ is of
  std::int64_t n_resumed_ = 0;
  std::int64_t n_examples_ = 0;
};

}  // namespace

DemuxOutcome train_demux(const DemuxPlan& plan, record::TrainingRun& run, DemuxListener& listener) {
  at::set_num_threads(weights::n_threads_of(plan.settings.n_threads));
  Trainer trainer(plan, run, listener);
  trainer.train();
  DemuxOutcome outcome = trainer.test();
  trainer.leave_files();
  run.finish(outcome.log);
  trainer.clear();
  return outcome;
}

}  // namespace labelprobe::training
