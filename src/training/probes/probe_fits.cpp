#include "training/probes/probe_fits.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "training/probes/exact_regression.h"
#include "training/probes/saga.h"

namespace labelprobe::training {

namespace {

struct Task {
  LabelProbe probe;
  Targets targets;
};

Task label_task(const std::vector<Labels>& wanted, LabelIndex label) {
  Task task{{.labels = {label}, .constant = {}, .regression = {}}, {.n_classes = 2, .classes = {}}};
  for (const Labels& labels : wanted) {
    task.targets.classes.push_back(std::binary_search(labels.begin(), labels.end(), label));
  }
  const auto n_yes = std::count(task.targets.classes.begin(), task.targets.classes.end(), 1);
  if (n_yes == 0) task.probe.constant = 0;
  if (n_yes == static_cast<std::ptrdiff_t>(wanted.size())) task.probe.constant = 1;
  return task;
}

Task class_task(const std::vector<Labels>& wanted) {
  std::set<LabelIndex> occurring;
  for (const Labels& labels : wanted) occurring.insert(labels.at(0));
  Task task{{.labels = {occurring.begin(), occurring.end()}, .constant = {}, .regression = {}},
            {.n_classes = static_cast<int>(occurring.size()), .classes = {}}};
  for (const Labels& labels : wanted) {
    task.targets.classes.push_back(
        static_cast<int>(std::distance(occurring.begin(), occurring.find(labels[0]))));
  }
  if (occurring.size() == 1) task.probe.constant = 0;
  return task;
}

std::vector<Task> make_tasks(const std::vector<Labels>& wanted, const LabelSet& label_set) {
  if (!label_set.is_multilabel()) return {class_task(wanted)};
  std::vector<Task> tasks;
  for (LabelIndex label = 0; label < label_set.size(); ++label) {
    tasks.push_back(label_task(wanted, label));
  }
  return tasks;
}

std::vector<Regression> solve(const Rows& rows,
                              const std::vector<Targets>& targets,
                              const ProbeSettings& settings,
                              const ProbeProgress& progress) {
  if (settings.solver == ProbeSolver::Saga) {
    const SagaOptions options{settings.max_epochs, settings.tolerance, settings.seed};
    return fit_saga(rows, targets, options, [&](std::int64_t epoch, std::size_t n_left) {
      if (progress) {
        progress(fmt::format("epoch {} of at most {}, {} of {} regressions left on this core",
                             epoch, settings.max_epochs, n_left, targets.size()));
      }
    });
  }
  std::vector<Regression> found;
  for (const Targets& one : targets) {
    if (progress) progress(fmt::format("regression {} of {}", found.size() + 1, targets.size()));
    found.push_back(fit_exactly(rows, one, settings.l2));
  }
  return found;
}

// The weights of a probe as [n_columns][n_features].
at::Tensor weights_of(const LabelProbe& probe) {
  const Regression& regression = probe.regression;
  const auto n_columns = static_cast<std::int64_t>(regression.intercepts.size());
  return at::from_blob(
      const_cast<double*>(regression.weights.data()),
      {n_columns, static_cast<std::int64_t>(regression.weights.size()) / n_columns},
      at::TensorOptions(at::kDouble));
}

// [n_rows][n_columns], with intercepts.
at::Tensor products_of(const LabelProbe& probe, const at::Tensor& features) {
  return at::addmm(at::tensor(probe.regression.intercepts, at::kDouble), features,
                   weights_of(probe).t());
}

// What one probe says of one row.
void add_probs(const LabelProbe& probe,
               const std::vector<double>& of_classes,
               bool is_multilabel,
               std::vector<double>& of_row) {
  if (is_multilabel) {
    of_row[static_cast<std::size_t>(probe.labels[0])] = of_classes[1];
    return;
  }
  for (std::size_t i = 0; i < of_classes.size(); ++i) {
    of_row[static_cast<std::size_t>(probe.labels[i])] = of_classes[i];
  }
}

}  // namespace

std::vector<double> class_probs(std::span<const double> products) {
  if (products.size() == 1) {
    const double prob = 1.0 / (1.0 + std::exp(-products[0]));
    return {1.0 - prob, prob};
  }
  const double most = *std::max_element(products.begin(), products.end());
  std::vector<double> probs;
  double sum = 0;
  for (const double product : products) {
    probs.push_back(std::exp(product - most));
    sum += probs.back();
  }
  for (double& prob : probs) prob /= sum;
  return probs;
}

std::vector<LabelProbes> fit_probes(const at::Tensor& features,
                                    std::span<const std::vector<Labels>> wanted,
                                    const LabelSet& label_set,
                                    const ProbeSettings& settings,
                                    const ProbeProgress& progress) {
  const Rows rows{features.const_data_ptr<double>(), features.size(0), features.size(1)};
  std::vector<LabelProbes> found;
  std::vector<Targets> targets;  // of all that is not constant
  for (const std::vector<Labels>& one : wanted) {
    LABELPROBE_CHECK(static_cast<std::int64_t>(one.size()) == rows.n_rows);
    found.emplace_back();
    for (Task& task : make_tasks(one, label_set)) {
      if (!task.probe.constant) targets.push_back(std::move(task.targets));
      found.back().probes.push_back(std::move(task.probe));
    }
  }
  std::vector<Regression> regressions = solve(rows, targets, settings, progress);
  auto next = regressions.begin();
  for (LabelProbes& one : found) {
    for (LabelProbe& probe : one.probes) {
      if (!probe.constant) probe.regression = std::move(*next++);
    }
  }
  return found;
}

LabelProbes LabelProbes::before(const Reduction& reduction) const {
  LabelProbes found = *this;
  for (LabelProbe& probe : found.probes) {
    if (probe.constant) continue;
    const at::Tensor weights =
        (at::mm(weights_of(probe), reduction.components) / reduction.scales).contiguous();
    const double* first = weights.const_data_ptr<double>();
    probe.regression.weights.assign(first, first + weights.numel());
  }
  return found;
}

std::vector<std::vector<double>> LabelProbes::label_probs(const at::Tensor& features,
                                                          const LabelSet& label_set) const {
  const auto n_rows = static_cast<std::size_t>(features.size(0));
  std::vector<std::vector<double>> probs(
      n_rows, std::vector<double>(static_cast<std::size_t>(label_set.size()), 0.0));
  for (const LabelProbe& probe : probes) {
    if (probe.constant) {
      const double prob = label_set.is_multilabel() ? *probe.constant : 1.0;
      for (auto& of_row : probs) of_row[static_cast<std::size_t>(probe.labels[0])] = prob;
      continue;
    }
    const at::Tensor products = products_of(probe, features);
    const auto n_columns = static_cast<std::size_t>(products.size(1));
    for (std::size_t row = 0; row < n_rows; ++row) {
      const double* first = products.const_data_ptr<double>() + row * n_columns;
      add_probs(probe, class_probs({first, n_columns}), label_set.is_multilabel(), probs[row]);
    }
  }
  return probs;
}

Labels choose_labels(const std::vector<double>& label_probs, const LabelSet& label_set) {
  if (!label_set.is_multilabel()) {
    const auto likeliest = std::max_element(label_probs.begin(), label_probs.end());
    return {static_cast<LabelIndex>(likeliest - label_probs.begin())};
  }
  Labels labels;
  for (std::size_t i = 0; i < label_probs.size(); ++i) {
    if (label_probs[i] > 0.5) labels.push_back(static_cast<LabelIndex>(i));
  }
  return labels;
}

}  // namespace labelprobe::training
