#include <algorithm>
#include <cmath>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/python/numpy_random.h"
#include "labelprobe/training/probes.h"

#include "training/probes/probe_data.h"
#include "training/probes/probe_metrics.h"
#include "training/probes/probe_model.h"

namespace labelprobe::training {

namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t kSplitSeed = 42;
constexpr double kTestShare = 0.2;
constexpr std::int64_t kLeastComponents = 512;

fs::path states_of(const record::RunName& run, const fs::path& given) {
  return given.empty() ? record::states_file(run.folder, run.index.value_or(0)) : given;
}

// As scikit-learn's train_test_split() divides.
void split(ProbePlan& plan) {
  const auto n = static_cast<int>(plan.items.gold.size());
  const std::vector<int> order = python::NumpyRandom(kSplitSeed).permutation(n);
  const auto n_test = static_cast<std::ptrdiff_t>(std::ceil(kTestShare * n));
  plan.test.assign(order.begin(), order.begin() + n_test);
  plan.train.assign(order.begin() + n_test, order.end());
  if (plan.train.empty()) {
    throw DataError(
        fmt::format("{}: expected at least 2 items with a hidden state before their "
                    "first label, found {}",
                    plan.run, n));
  }
}

void choose_components(ProbePlan& plan, const ProbeSettings& settings) {
  const std::int64_t n_features = plan.items.states.n_features;
  const auto n_train = static_cast<std::int64_t>(plan.train.size());
  plan.n_components = settings.n_components.value_or(std::max(n_features / 4, kLeastComponents));
  const std::int64_t most = std::min(n_features, n_train);
  if (plan.n_components < 1 || plan.n_components > most) {
    throw ConfigError(fmt::format(
        "{}: {} components of {} features and {} training rows: expected 1 to {}{}; name fewer "
        "with --components",
        plan.run, plan.n_components, n_features, n_train, most,
        settings.n_components ? "" : " (the published number is max(features / 4, 512))"));
  }
}

void check(const ProbeSettings& settings) {
  if (!(settings.l2 > 0)) {
    throw ConfigError(
        "--l2: expected a number above 0: without a penalty, labels that can be separated have no "
        "exact solution");
  }
  if (!(settings.tolerance >= 0)) throw ConfigError("--tol: expected a number, at least 0");
  if (settings.max_epochs < 1) throw ConfigError("--max-iter: expected at least 1");
}

at::Tensor tensor_of(const record::ItemStates& states) {
  return at::from_blob(const_cast<float*>(states.numbers.data()),
                       {static_cast<std::int64_t>(states.keys.size()), states.n_features},
                       at::TensorOptions(at::kFloat));
}

at::Tensor rows_of(const record::ItemStates& states, const std::vector<int>& rows) {
  return tensor_of(states).index_select(0, at::tensor(rows, at::kLong));
}

// Probes of the predictions; where items have none, of the others.
LabelProbes fit_predicted(const ProbePlan& plan,
                          const at::Tensor& features,
                          const ProbeSettings& settings,
                          const ProbeProgress& progress) {
  std::vector<Labels> wanted;
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < plan.train.size(); ++i) {
    const std::optional<Labels>& labels =
        plan.items.predicted[static_cast<std::size_t>(plan.train[i])];
    if (!labels) continue;
    wanted.push_back(*labels);
    rows.push_back(static_cast<std::int64_t>(i));
  }
  if (wanted.empty()) {
    throw DataError(plan.run +
                    ": the model has answered none of the training items: there is "
                    "nothing to train probes of its predictions on");
  }
  const at::Tensor of_rows = features.index_select(0, at::tensor(rows, at::kLong));
  return std::move(
      fit_probes(of_rows, {&wanted, 1}, plan.items.label_set, settings, progress).front());
}

bool are_all_predicted(const ProbePlan& plan) {
  return std::all_of(plan.train.begin(), plan.train.end(), [&](int item) {
    return plan.items.predicted[static_cast<std::size_t>(item)].has_value();
  });
}

ProbeModel fit_model(const ProbePlan& plan,
                     const ProbeSettings& settings,
                     const ProbeProgress& progress) {
  ProbeModel model;
  at::Tensor rows = rows_of(plan.items.states, plan.train);
  if (progress) {
    progress(fmt::format("singular vectors of {} x {}", rows.size(0), rows.size(1)));
  }
  model.reduction = fit_reduction(rows, plan.n_components);
  const at::Tensor features = reduce(model.reduction, rows);
  rows.reset();
  std::vector<std::vector<Labels>> wanted(1);
  for (const int item : plan.train)
    wanted[0].push_back(plan.items.gold[static_cast<std::size_t>(item)]);
  // Side by side where the rows are the same.
  const bool are_together = are_all_predicted(plan);
  if (are_together) {
    wanted.emplace_back();
    for (const int item : plan.train) {
      wanted[1].push_back(*plan.items.predicted[static_cast<std::size_t>(item)]);
    }
  }
  std::vector<LabelProbes> found =
      fit_probes(features, wanted, plan.items.label_set, settings, progress);
  model.gold = std::move(found[0]);
  model.predicted =
      are_together ? std::move(found[1]) : fit_predicted(plan, features, settings, progress);
  return model;
}

// [n_states][n_labels], by probes of the states themselves; [n_states][n_features] float32.
std::vector<std::vector<double>> probs_of(const LabelProbes& probes,
                                          const at::Tensor& states,
                                          const LabelSet& label_set) {
  constexpr std::int64_t kStatesAtOnce = 4096;  // in double precision
  std::vector<std::vector<double>> probs;
  for (std::int64_t first = 0; first < states.size(0); first += kStatesAtOnce) {
    const std::int64_t n = std::min(kStatesAtOnce, states.size(0) - first);
    for (auto& of_state :
         probes.label_probs(states.narrow(0, first, n).to(at::kDouble), label_set)) {
      probs.push_back(std::move(of_state));
    }
  }
  return probs;
}

std::vector<ProbedLabels> probe_test(const ProbePlan& plan, const ProbeModel& model) {
  const LabelSet& label_set = plan.items.label_set;
  const at::Tensor states = rows_of(plan.items.states, plan.test);
  const auto by_gold = probs_of(model.gold.before(model.reduction), states, label_set);
  const auto by_predicted = probs_of(model.predicted.before(model.reduction), states, label_set);
  std::vector<ProbedLabels> items;
  for (std::size_t i = 0; i < plan.test.size(); ++i) {
    const auto item = static_cast<std::size_t>(plan.test[i]);
    items.push_back({plan.items.gold[item], plan.items.predicted[item],
                     choose_labels(by_gold[i], label_set),
                     choose_labels(by_predicted[i], label_set), plan.items.answers[item]});
  }
  return items;
}

analysis::Distributions score(const record::ItemStates& states,
                              const ProbeModel& model,
                              const LabelSet& label_set) {
  const std::vector<std::vector<double>> probs =
      probs_of(model.gold.before(model.reduction), tensor_of(states), label_set);
  analysis::Distributions scores{"scores", {}};
  for (std::size_t i = 0; i < probs.size(); ++i) scores.probs[states.keys[i]] = probs[i];
  return scores;
}

void count_regressions(ProbeOutcome& outcome, const ProbeSettings& settings) {
  std::vector<std::string> constant;
  for (const LabelProbes* probes : {&outcome.model->gold, &outcome.model->predicted}) {
    for (const LabelProbe& probe : probes->probes) {
      const std::string& name =
          outcome.label_set.names()[static_cast<std::size_t>(probe.labels[0])];
      if (probe.constant) {
        outcome.notes.push_back(
            fmt::format("all training items agree about {} ({}): the probe says so of every item",
                        name, probes == &outcome.model->gold ? "gold" : "predicted"));
        continue;
      }
      ++outcome.n_regressions;
      outcome.n_converged += probe.regression.has_converged ? 1 : 0;
    }
  }
  if (outcome.n_converged < outcome.n_regressions && settings.solver == ProbeSolver::Saga) {
    outcome.notes.push_back(fmt::format(
        "{} of {} regressions had not converged after {} epochs, as labels that can be "
        "separated never do: the stopping rule is part of their scores",
        outcome.n_regressions - outcome.n_converged, outcome.n_regressions, settings.max_epochs));
  }
}

}  // namespace

ProbePlan plan_probes(const ProbeRequest& request, const ProbeSettings& settings) {
  check(settings);
  const record::LoggedRun run = record::read_run(request.run.folder, request.run.index.value_or(0));
  ProbePlan plan;
  plan.run = describe(run);
  plan.items = read_probe_items(run, states_of(request.run, request.states), settings.layer);
  split(plan);
  choose_components(plan, settings);
  if (request.scored) {
    const fs::path path = states_of(*request.scored, request.scored_states);
    plan.scored = read_first_states(path, settings.layer);
    if (plan.scored->n_features != plan.items.states.n_features) {
      throw DataError(fmt::format(
          "{}: expected states of {} features, as those of {}, found {}; "
          "are they of another model?",
          path.string(), plan.items.states.n_features, plan.run, plan.scored->n_features));
    }
  }
  return plan;
}

ProbeOutcome train_probes(const ProbePlan& plan,
                          const ProbeSettings& settings,
                          const ProbeProgress& progress) {
  ProbeOutcome outcome;
  outcome.run = plan.run;
  outcome.label_set = plan.items.label_set;
  outcome.n_train = plan.train.size();
  outcome.n_components = plan.n_components;
  const auto model = std::make_shared<ProbeModel>(fit_model(plan, settings, progress));
  outcome.model = model;
  const std::vector<ProbedLabels> probed = probe_test(plan, *model);
  outcome.metrics = gold_metrics(probed, outcome.label_set);
  outcome.model_metrics = predicted_metrics(probed, outcome.label_set);
  for (std::size_t i = 0; i < probed.size(); ++i) {
    const auto item = static_cast<std::size_t>(plan.test[i]);
    outcome.items.push_back({plan.items.states.keys[item], probed[i].by_gold_probe, probed[i].gold,
                             probed[i].predicted, probed[i].answer});
  }
  if (plan.scored) outcome.scores = score(*plan.scored, *model, outcome.label_set);
  count_regressions(outcome, settings);
  return outcome;
}

}  // namespace labelprobe::training
