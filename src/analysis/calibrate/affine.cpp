// A weight and a bias: the same for all labels (Platt scaling), or each label's own. Of a softmax
// the latter is vector scaling.
#include <cstddef>
#include <utility>

#include "labelprobe/analysis/newton.h"
#include "labelprobe/analysis/platt_scaling.h"
#include "labelprobe/core/error.h"

#include "analysis/calibrate/fits.h"
#include "analysis/calibrate/samples.h"
#include "analysis/solve/cholesky.h"

namespace labelprobe::analysis {

namespace {

constexpr double kSlopeWanted = 1e-9;  // of the mean loss
constexpr double kSlopeTried = 1e-12;

// The cross-entropy summed over the examples plus ridge * sum of (weight - 1)^2 + bias^2, which
// makes one finite minimum, divided by the number of examples. Parameters: the weights of `labels`,
// then their biases.
class RidgeLoss : public ConvexFunction {
 public:
  RidgeLoss(const std::vector<Sample>& samples,
            std::vector<std::size_t> labels,
            LabelKind kind,
            double ridge)
      : samples_(samples), labels_(std::move(labels)), kind_(kind), ridge_(ridge) {}

  std::vector<double> gradient(const std::vector<double>& x) const override {
    const std::size_t n = labels_.size();
    std::vector<double> slopes(2 * n);
    for (const Sample& sample : samples_) {
      const std::vector<double> probs = probs_at(x, sample);
      for (std::size_t i = 0; i < n; ++i) {
        const double residual = probs[i] - (*sample.shares)[labels_[i]];
        slopes[i] += residual * sample.inputs[labels_[i]];
        slopes[n + i] += residual;
      }
    }
    for (std::size_t i = 0; i < 2 * n; ++i) {
      slopes[i] += 2.0 * ridge_ * (x[i] - (i < n ? 1.0 : 0.0));
      slopes[i] /= static_cast<double>(samples_.size());
    }
    return slopes;
  }

  std::vector<double> newton_step(const std::vector<double>& x,
                                  const std::vector<double>& slopes) const override {
    const std::size_t n = labels_.size();
    Symmetric matrix(2 * n);
    for (std::size_t i = 0; i < 2 * n; ++i) matrix.at(i, i) = 2.0 * ridge_;
    for (const Sample& sample : samples_) add_curvature(probs_at(x, sample), sample, matrix);
    std::vector<double> step = slopes;
    for (double& slope : step) slope *= static_cast<double>(samples_.size());
    solve(matrix, step);
    return step;
  }

 private:
  std::vector<double> probs_at(const std::vector<double>& x, const Sample& sample) const {
    const std::size_t n = labels_.size();
    std::vector<double> inputs(n);
    for (std::size_t i = 0; i < n; ++i) inputs[i] = x[i] * sample.inputs[labels_[i]] + x[n + i];
    return probs_of(std::move(inputs), kind_);
  }

  // Classes of a softmax bend each other's slopes; labels of a multi-label set do not.
  void add_curvature(const std::vector<double>& probs,
                     const Sample& sample,
                     Symmetric& matrix) const {
    const std::size_t n = labels_.size();
    for (std::size_t i = 0; i < n; ++i) {
      const double xi = sample.inputs[labels_[i]];
      for (std::size_t j = 0; j < n; ++j) {
        if (i != j && kind_ == LabelKind::MultiLabel) continue;
        const double xj = sample.inputs[labels_[j]];
        const double bend = probs[i] * ((i == j ? 1.0 : 0.0) - probs[j]);
        if (j <= i) {
          matrix.at(i, j) += bend * xi * xj;
          matrix.at(n + i, n + j) += bend;
        }
        matrix.at(n + i, j) += bend * xj;
      }
    }
  }

  const std::vector<Sample>& samples_;
  std::vector<std::size_t> labels_;
  LabelKind kind_;
  double ridge_;
};

std::vector<double> fit_labels(const std::vector<Sample>& samples,
                               const std::vector<std::size_t>& labels,
                               const CalibrationInput& input) {
  std::vector<double> start(2 * labels.size(), 0.0);
  std::fill_n(start.begin(), labels.size(), 1.0);
  const Minimum found =
      minimize(RidgeLoss(samples, labels, input.label_set.kind(), input.options.ridge),
               std::move(start), kSlopeTried);
  if (!(found.largest_slope <= kSlopeWanted)) {
    throw DataError("affine: no minimum was reached; expected a larger --ridge");
  }
  return found.x;
}

}  // namespace

CalibrationParameters fit_platt_of_logits(const CalibrationInput& input) {
  LabelNumbers logits;
  for (const auto& [id, probs] : input.estimates.probs) {
    logits.emplace(id, inputs_of(probs, LabelKind::MultiLabel));
  }
  const PlattScaling platt = fit_platt(logits, input.votes);
  return {{{"weight", {platt.weight}}, {"bias", {platt.bias}}}, {}};
}

CalibrationParameters fit_affine(const CalibrationInput& input) {
  const std::vector<Sample> samples = samples_of(input);
  const auto n_labels = static_cast<std::size_t>(input.label_set.size());
  std::vector<std::vector<std::size_t>> groups;
  for (std::size_t label = 0; label < n_labels; ++label) {
    if (input.label_set.is_multilabel() || label == 0) groups.emplace_back();
    groups.back().push_back(label);
  }
  std::vector<double> weights;
  std::vector<double> biases;
  for (const std::vector<std::size_t>& labels : groups) {
    const std::vector<double> found = fit_labels(samples, labels, input);
    const auto middle = found.begin() + static_cast<std::ptrdiff_t>(labels.size());
    weights.insert(weights.end(), found.begin(), middle);
    biases.insert(biases.end(), middle, found.end());
  }
  return {{{"weight", weights}, {"bias", biases}}, {}};
}

std::vector<double> apply_affine(const CalibrationParameters& parameters,
                                 LabelKind kind,
                                 const std::vector<double>& probs) {
  const std::vector<double>& weights = parameters.numbers.find("weight")->second;
  const std::vector<double>& biases = parameters.numbers.find("bias")->second;
  std::vector<double> inputs = inputs_of(probs, kind);
  for (std::size_t label = 0; label < inputs.size(); ++label) {
    const std::size_t at = weights.size() == 1 ? 0 : label;
    inputs[label] = weights[at] * inputs[label] + biases[at];
  }
  return probs_of(std::move(inputs), kind);
}

}  // namespace labelprobe::analysis
