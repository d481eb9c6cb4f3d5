// What divides a distribution by what the model says without the example, or by how often labels
// occur: prior shift, content-free prompts, the batch's mean.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "analysis/calibrate/fits.h"
#include "analysis/calibrate/samples.h"
#include "analysis/solve/bisection.h"
#include "analysis/solve/softmax.h"

namespace labelprobe::analysis {

namespace {

std::vector<double> mean_of(const LabelNumbers& by_id) {
  std::vector<double> means;
  for (const auto& [id, numbers] : by_id) {
    means.resize(numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) means[i] += numbers[i];
  }
  for (double& mean : means) mean /= static_cast<double>(by_id.size());
  return means;
}

double at_least(double prob) {
  return std::max(prob, kLeastProb);
}

// The distribution times new / old, label by label; of multi-label sets in logits, where a factor
// has the meaning that it has in a softmax.
std::vector<double> shifted(const std::vector<double>& probs,
                            LabelKind kind,
                            const std::vector<double>& old_probs,
                            const std::vector<double>* new_probs) {
  std::vector<double> found;
  for (std::size_t label = 0; label < probs.size(); ++label) {
    if (kind == LabelKind::MultiLabel) {
      const double raise = new_probs ? logit_of((*new_probs)[label]) : 0.0;
      found.push_back(logit_of(probs[label]) + raise - logit_of(old_probs[label]));
    } else {
      const double factor = new_probs ? at_least((*new_probs)[label]) : 1.0;
      found.push_back(probs[label] * factor / at_least(old_probs[label]));
    }
  }
  return kind == LabelKind::MultiLabel ? probs_of(std::move(found), kind)
                                       : normalized(std::move(found));
}

const std::vector<double>& number(const CalibrationParameters& parameters, std::string_view name) {
  return parameters.numbers.find(name)->second;
}

// p to the power of 1 / n_tokens, summing to 1. Nothing is clipped: whole texts have probabilities
// far below kLeastProb.
std::vector<double> length_normalized(const std::vector<double>& probs,
                                      const std::vector<double>& n_tokens) {
  std::vector<double> found;
  for (std::size_t label = 0; label < probs.size(); ++label) {
    found.push_back(std::pow(probs[label], 1.0 / n_tokens[label]));
  }
  return normalized(std::move(found));
}

}  // namespace

CalibrationParameters fit_prior_shift(const CalibrationInput& input) {
  const CalibrationOptions& options = input.options;
  std::vector<double> new_rates = options.new_rates;
  if (new_rates.empty()) {
    LabelNumbers shares;
    for (const auto& [id, probs] : input.estimates.probs) {
      shares.emplace(id, input.votes.at(id).shares);
    }
    new_rates = mean_of(shares);
  }
  return {
      {{"old_rate", options.old_rates.empty() ? mean_of(input.estimates.probs) : options.old_rates},
       {"new_rate", std::move(new_rates)}},
      {}};
}

std::vector<double> apply_prior_shift(const CalibrationParameters& parameters,
                                      LabelKind kind,
                                      const std::vector<double>& probs) {
  return shifted(probs, kind, number(parameters, "old_rate"), &number(parameters, "new_rate"));
}

CalibrationParameters fit_content_free(const CalibrationInput& input) {
  return {{{"content_free", mean_of(input.content_free->probs)}}, {}};
}

std::vector<double> apply_content_free(const CalibrationParameters& parameters,
                                       LabelKind kind,
                                       const std::vector<double>& probs) {
  return shifted(probs, kind, number(parameters, "content_free"), nullptr);
}

CalibrationParameters fit_length_normalized(const CalibrationInput& input) {
  LabelNumbers normalized_probs;
  for (const auto& [id, probs] : input.content_free->probs) {
    normalized_probs.emplace(id, length_normalized(probs, input.options.n_tokens));
  }
  return {{{"content_free", mean_of(normalized_probs)}, {"n_tokens", input.options.n_tokens}}, {}};
}

std::vector<double> apply_length_normalized(const CalibrationParameters& parameters,
                                            LabelKind kind,
                                            const std::vector<double>& probs) {
  return shifted(length_normalized(probs, number(parameters, "n_tokens")), kind,
                 number(parameters, "content_free"), nullptr);
}

CalibrationParameters fit_batch(const CalibrationInput& input) {
  return {{{"strength", {1.0}}, {"mean_prob", mean_of(input.estimates.probs)}}, {}};
}

// The cross-entropy is convex in the strength.
CalibrationParameters fit_batch_strength(const CalibrationInput& input) {
  const LabelKind kind = input.label_set.kind();
  const std::vector<Sample> samples = samples_of(input);
  std::vector<double> mean = mean_of(input.estimates.probs);
  const std::vector<double> taken = inputs_of(mean, kind);
  const double strength = find_zero(
      [&](double tried) {
        double slope = 0.0;
        for (const Sample& sample : samples) {
          std::vector<double> inputs = sample.inputs;
          for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i] -= tried * taken[i];
          const std::vector<double> probs = probs_of(std::move(inputs), kind);
          for (std::size_t i = 0; i < probs.size(); ++i) {
            slope -= (probs[i] - (*sample.shares)[i]) * taken[i];
          }
        }
        return slope;
      },
      -kMostStrength, kMostStrength);
  return {{{"strength", {strength}}, {"mean_prob", std::move(mean)}}, {}};
}

std::vector<double> apply_batch(const CalibrationParameters& parameters,
                                LabelKind kind,
                                const std::vector<double>& probs) {
  const double strength = number(parameters, "strength").front();
  const std::vector<double> taken = inputs_of(number(parameters, "mean_prob"), kind);
  std::vector<double> inputs = inputs_of(probs, kind);
  for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i] -= strength * taken[i];
  return probs_of(std::move(inputs), kind);
}

}  // namespace labelprobe::analysis
