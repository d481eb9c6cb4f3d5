// Estimators of runs that ask about one label or two labels at a time and are answered by a word.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "labelprobe/analysis/bradley_terry.h"

#include "analysis/estimate/answer_reader.h"
#include "analysis/estimate/estimation.h"
#include "analysis/solve/softmax.h"

namespace labelprobe::analysis {

namespace {

// By example id: the probability that each label is reasonable, [n_labels]; examples that lack a
// label are left out.
LabelNumbers read_unary(const EstimationInput& input, Estimates& estimates) {
  constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
  const auto n_labels = static_cast<std::size_t>(input.label_set.size());
  LabelNumbers probs;
  AnswerReader reader(input.options.answer, kUnaryItems.words, input.readout);
  for (const LogItem& item : input.items) {
    std::vector<double>& of_example = probs[item.id.example_id];
    of_example.resize(n_labels, kMissing);
    if (item.has_failed()) continue;
    const double prob = reader.read(item)[0];
    const auto label = static_cast<std::size_t>(item.labels.at(0));
    if (label < n_labels) of_example[label] = prob;  // `none` is asked about, and not needed
  }
  reader.report(estimates);

  const std::size_t n_examples = probs.size();
  std::vector<std::string> left_out;
  std::erase_if(probs, [&](const auto& example) {
    std::string missing;
    for (std::size_t label = 0; label < n_labels; ++label) {
      if (!std::isnan(example.second[label])) continue;
      missing += (missing.empty() ? "" : " ") + input.label_set.names()[label];
    }
    if (missing.empty()) return false;
    left_out.push_back(example.first + " (" + missing + ")");
    return true;
  });
  if (!left_out.empty()) {
    estimates.warnings.push_back(
        count_of(left_out.size(), n_examples, "examples lack labels and are left out: ") +
        list_some(left_out));
  }
  return probs;
}

// The comparisons of one example.
struct Pairings {
  std::vector<Comparison> comparisons;
  std::set<std::pair<int, int>> pairs;  // smaller label first
};

void report_missing_pairs(const std::map<std::string, Pairings>& examples,
                          std::size_t n_pairs,
                          Estimates& estimates) {
  std::vector<std::string> incomplete;
  std::vector<std::string> empty;
  std::size_t n_missing = 0;
  for (const auto& [example_id, pairings] : examples) {
    n_missing += n_pairs - pairings.pairs.size();
    if (pairings.pairs.empty()) {
      empty.push_back(example_id);
    } else if (pairings.pairs.size() < n_pairs) {
      incomplete.push_back(example_id);
    }
  }
  if (n_missing == 0) return;
  std::string warning = count_of(n_missing, n_pairs * examples.size(), "pairs are missing");
  if (!incomplete.empty()) {
    warning += "; fitted on the pairs there are: " + list_some(incomplete);
  }
  if (!empty.empty()) warning += "; left out without any pair: " + list_some(empty);
  estimates.warnings.push_back(warning);
}

enum class Evidence { Probability, Outcome };

// By example id: Bradley-Terry scores of the labels, `none` last in multi-label sets.
LabelNumbers fit_scores(const EstimationInput& input, Evidence evidence, Estimates& estimates) {
  std::map<std::string, Pairings> examples;
  AnswerReader reader(input.options.answer, kBinaryItems.words, input.readout);
  for (const LogItem& item : input.items) {
    Pairings& pairings = examples[item.id.example_id];
    if (item.has_failed()) continue;
    const auto [first, second] = reader.read(item);
    // As published, an even answer is a defeat of the first.
    const double outcome = first > second ? 1.0 : 0.0;
    const int i = item.labels.at(0);
    const int j = item.labels.at(1);
    pairings.comparisons.push_back({i, j, evidence == Evidence::Outcome ? outcome : first});
    pairings.pairs.insert(std::minmax(i, j));
  }
  reader.report(estimates);
  const auto n = input.label_set.names_with_none().size();
  report_missing_pairs(examples, n * (n - 1) / 2, estimates);

  LabelNumbers scores;
  for (const auto& [example_id, pairings] : examples) {
    if (pairings.comparisons.empty()) continue;
    scores[example_id] = fit_bradley_terry(static_cast<int>(n), pairings.comparisons).scores;
  }
  return scores;
}

void estimate_pairs(const EstimationInput& input, Evidence evidence, Estimates& estimates) {
  for (auto& [example_id, scores] : fit_scores(input, evidence, estimates)) {
    if (!input.label_set.is_multilabel()) {
      estimates.probs[example_id] = softmax(scores);
      continue;
    }
    const double none_score = scores.back();
    scores.pop_back();
    for (double& score : scores) score -= none_score;
    estimates.probs[example_id] = scaled_probs(scores, input.options.platt);
    estimates.platt_inputs[example_id] = std::move(scores);
  }
}

}  // namespace

void estimate_unary(const EstimationInput& input, Estimates& estimates) {
  estimates.probs = read_unary(input, estimates);
  if (input.label_set.is_multilabel()) return;
  // A softmax of probabilities, not of logits, is nearly flat: that is what the paper reports.
  for (auto& [example_id, probs] : estimates.probs) probs = softmax(probs);
}

void estimate_unary_normalized(const EstimationInput& input, Estimates& estimates) {
  estimates.probs = read_unary(input, estimates);
  for (auto& [example_id, probs] : estimates.probs) probs = normalized(std::move(probs));
}

void estimate_binary(const EstimationInput& input, Estimates& estimates) {
  estimate_pairs(input, Evidence::Probability, estimates);
}

void estimate_binary_outcome(const EstimationInput& input, Estimates& estimates) {
  estimate_pairs(input, Evidence::Outcome, estimates);
}

}  // namespace labelprobe::analysis
