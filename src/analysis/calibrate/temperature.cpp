// One number that all logits, or those of one label, are divided by.
#include <cstddef>

#include "analysis/calibrate/fits.h"
#include "analysis/calibrate/samples.h"
#include "analysis/solve/bisection.h"

namespace labelprobe::analysis {

namespace {

// The cross-entropy is convex in 1 / temperature: the best one is where its slope is 0, or a bound
// where the slope has one sign.
template <typename Slope>
double find_temperature(const Slope& slope) {
  // Over the logarithm, so that hot and cold ends are looked at alike.
  const double most = std::log(kMostTemperature);
  const double log_cold =
      find_zero([&](double log_inverse) { return slope(std::exp(log_inverse)); }, -most, most);
  if (log_cold <= -most) return kMostTemperature;
  if (log_cold >= most) return 1.0 / kMostTemperature;
  return std::exp(-log_cold);
}

std::vector<double> scaled(std::vector<double> inputs, double factor) {
  for (double& number : inputs) number *= factor;
  return inputs;
}

}  // namespace

CalibrationParameters fit_temperature(const CalibrationInput& input) {
  const std::vector<Sample> samples = samples_of(input);
  const LabelKind kind = input.label_set.kind();
  const double temperature = find_temperature([&](double inverse) {
    double slope = 0.0;
    for (const Sample& sample : samples) {
      const std::vector<double> probs = probs_of(scaled(sample.inputs, inverse), kind);
      for (std::size_t label = 0; label < probs.size(); ++label) {
        slope += (probs[label] - (*sample.shares)[label]) * sample.inputs[label];
      }
    }
    return slope;
  });
  return {{{"temperature", {temperature}}}, {}};
}

// Labels do not meet in a multi-label set's loss: each has a fit of its own.
CalibrationParameters fit_label_temperature(const CalibrationInput& input) {
  const std::vector<Sample> samples = samples_of(input);
  std::vector<double> temperatures;
  for (std::size_t label = 0; label < samples.front().inputs.size(); ++label) {
    temperatures.push_back(find_temperature([&](double inverse) {
      double slope = 0.0;
      for (const Sample& sample : samples) {
        const double x = sample.inputs[label];
        slope += (probs_of({inverse * x}, LabelKind::MultiLabel)[0] - (*sample.shares)[label]) * x;
      }
      return slope;
    }));
  }
  return {{{"temperature", temperatures}}, {}};
}

std::vector<double> apply_temperature(const CalibrationParameters& parameters,
                                      LabelKind kind,
                                      const std::vector<double>& probs) {
  const std::vector<double>& temperatures = parameters.numbers.find("temperature")->second;
  std::vector<double> inputs = inputs_of(probs, kind);
  for (std::size_t label = 0; label < inputs.size(); ++label) {
    inputs[label] /= temperatures[temperatures.size() == 1 ? 0 : label];
  }
  return probs_of(std::move(inputs), kind);
}

}  // namespace labelprobe::analysis
