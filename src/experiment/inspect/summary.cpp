#include <algorithm>
#include <cmath>
#include <numeric>

#include "labelprobe/experiment/inspection.h"

namespace labelprobe::experiment {

namespace {

std::vector<double> softmax(const record::LabelValues& logits) {
  std::vector<double> probs;
  double top = -INFINITY;
  for (const auto& [name, logit] : logits) top = std::max(top, double{logit});
  double sum = 0.0;
  for (const auto& [name, logit] : logits) {
    probs.push_back(std::exp(logit - top));
    sum += probs.back();
  }
  for (double& prob : probs) prob /= sum;
  return probs;
}

// The first label of those with the largest number.
std::size_t top_of(const record::LabelValues& values) {
  const auto less = [](const auto& a, const auto& b) { return a.second < b.second; };
  return static_cast<std::size_t>(std::max_element(values.begin(), values.end(), less) -
                                  values.begin());
}

double entropy_of(const std::vector<double>& probs) {
  double entropy = 0.0;
  for (const double prob : probs) {
    if (prob > 0.0) entropy -= prob * std::log(prob);
  }
  return entropy;
}

double rank_of(const std::vector<double>& probs, std::size_t label) {
  return 1.0 + static_cast<double>(std::count_if(probs.begin(), probs.end(),
                                                 [&](double prob) { return prob > probs[label]; }));
}

// Where their number is even, it is the mean of the two in the middle.
double median_of(std::vector<std::int64_t> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  const auto upper = static_cast<double>(values[half]);
  return values.size() % 2 == 1 ? upper : (static_cast<double>(values[half - 1]) + upper) / 2;
}

// A label's number less the mean over the labels: what moves its probability.
double beyond_mean(const record::LabelValues& values, std::size_t label) {
  double sum = 0.0;
  for (const auto& [name, value] : values) sum += value;
  return values[label].second - sum / static_cast<double>(values.size());
}

}  // namespace

void InspectionSummary::add(const Inspection& inspection) {
  for (std::size_t t = 0; t < inspection.steps.size(); ++t) {
    const InspectedStep& step = inspection.steps[t];
    const std::size_t written = top_of(step.logits);
    const bool is_followed = t + 1 < inspection.steps.size();
    const std::size_t next = is_followed ? top_of(inspection.steps[t + 1].logits) : 0;
    layers_.resize(step.lens.size());
    ++n_steps_;
    n_followed_ += is_followed ? 1 : 0;
    for (std::size_t l = 0; l < step.lens.size(); ++l) {
      const std::vector<double> probs = softmax(step.lens[l]);
      layers_[l].written += probs[written];
      layers_[l].entropy += entropy_of(probs);
      layers_[l].rank += rank_of(probs, written);
      if (is_followed) layers_[l].next += probs[next];
      if (l == 0) continue;
      layers_[l].attention += beyond_mean(step.parts[2 * l - 1], written);
      layers_[l].mlp += beyond_mean(step.parts[2 * l], written);
    }
    add_vocabulary(step, written);
    const double prob = softmax(step.logits)[written];
    for (const InspectedStep::Part& part : step.text_parts) {
      auto sums = std::find_if(parts_.begin(), parts_.end(),
                               [&](const Part& known) { return known.name == part.name; });
      if (sums == parts_.end()) {
        parts_.push_back({});
        sums = parts_.end() - 1;
        sums->name = part.name;
      }
      ++sums->n_steps;
      for (const float weight : part.attention) {
        sums->attention += weight / static_cast<double>(part.attention.size());
      }
      for (const record::LabelValues& adds : part.adds) sums->adds += beyond_mean(adds, written);
      if (part.knocked_out.empty()) continue;
      sums->change += softmax(part.knocked_out)[written] - prob;
      sums->flips += top_of(part.knocked_out) != written ? 1.0 : 0.0;
    }
  }
}

void InspectionSummary::add_vocabulary(const InspectedStep& step, std::size_t written) {
  vocabulary_probs_.resize(layers_.size());
  vocabulary_ranks_.resize(layers_.size());
  for (std::size_t l = 0; l < step.lens_ranks.size(); ++l) {
    vocabulary_probs_[l].push_back(
        std::exp(double{step.lens[l][written].second} - step.lens_log_sum_exp[l]));
    vocabulary_ranks_[l].push_back(step.lens_ranks[l][written]);
  }
}

std::vector<InspectionSummary::Layer> InspectionSummary::layers() const {
  std::vector<Layer> means = layers_;
  const auto n = static_cast<double>(n_steps_);
  for (Layer& layer : means) {
    for (double* sum :
         {&layer.written, &layer.entropy, &layer.rank, &layer.attention, &layer.mlp}) {
      *sum /= n;
    }
    layer.next = n_followed_ > 0 ? layer.next / static_cast<double>(n_followed_) : std::nan("");
  }
  for (std::size_t l = 0; l < means.size(); ++l) {
    const std::vector<double>& probs = vocabulary_probs_[l];
    if (probs.empty()) continue;
    means[l].vocabulary_prob =
        std::accumulate(probs.begin(), probs.end(), 0.0) / static_cast<double>(probs.size());
    means[l].vocabulary_rank = median_of(vocabulary_ranks_[l]);
  }
  return means;
}

std::vector<InspectionSummary::Part> InspectionSummary::parts() const {
  std::vector<Part> means = parts_;
  for (Part& part : means) {
    for (double* sum : {&part.attention, &part.adds, &part.change, &part.flips}) {
      *sum /= static_cast<double>(part.n_steps);
    }
  }
  return means;
}

}  // namespace labelprobe::experiment
