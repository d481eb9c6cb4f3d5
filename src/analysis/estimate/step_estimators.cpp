// Estimators of runs that ask for all labels at once: they read the label steps or the answer.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"

#include "analysis/estimate/estimation.h"
#include "analysis/solve/softmax.h"

namespace labelprobe::analysis {

namespace {

// What a hard prediction leaves to the other labels, and the least that `max` gives.
constexpr double kSmallestStepProb = 1e-8;

std::vector<double> probs_of_item(const LogItem& item,
                                  const record::LabelValues& values,
                                  const LabelSet& label_set) {
  std::vector<double> probs;
  for (const std::string& name : label_set.names()) probs.push_back(prob_of(item, values, name));
  return probs;
}

// How far each label's logit lies above none's.
class CompareToNone {
 public:
  explicit CompareToNone(const LabelSet& label_set) : label_set_(label_set) {}

  std::vector<double> inputs_of(const LogItem& item) {
    const record::ItemRecord& record = *item.record;
    if (!record.first_logits().empty()) return from_logits(item);
    if (find_value(record.first_probs(), kNoneLabel)) return from_probs(item);
    // Only the uniform fallback of an answer without a label step lacks `none`.
    ++n_without_step_;
    return std::vector<double>(static_cast<std::size_t>(label_set_.size()), 0.0);
  }

  void report(Estimates& estimates) const {
    if (n_without_step_ > 0) {
      estimates.warnings.push_back(
          count_of(n_without_step_, estimates.n_items,
                   "answers have no label step; all labels count as probable as none there (0.5)"));
    }
    if (n_without_none_ > 0) {
      estimates.warnings.push_back(count_of(n_without_none_, estimates.n_items,
                                            "items have no logit of none, which counts as 0"));
    }
    if (n_underflowed_ > 0) {
      estimates.warnings.push_back(
          count_of(n_underflowed_, estimates.n_items,
                   "items have no logits, and probabilities too small for their logarithm"));
    }
  }

 private:
  std::vector<double> from_logits(const LogItem& item) {
    const record::LabelValues logits = item.record->first_logits();
    const bool has_none = find_value(logits, kNoneLabel) != nullptr;
    n_without_none_ += has_none ? 0 : 1;
    const double none_logit = has_none ? logit_of(item, logits, kNoneLabel) : 0.0;
    std::vector<double> inputs;
    for (const std::string& name : label_set_.names()) {
      inputs.push_back(logit_of(item, logits, name) - none_logit);
    }
    return inputs;
  }

  // A softmax keeps differences of logits as ratios, as long as nothing is rounded to 0.
  std::vector<double> from_probs(const LogItem& item) {
    constexpr double kLeast = std::numeric_limits<float>::denorm_min();
    const record::LabelValues logged = item.record->first_probs();
    const double none_prob = prob_of(item, logged, kNoneLabel);
    const std::vector<double> probs = probs_of_item(item, logged, label_set_);
    const bool is_whole =
        none_prob >= kLeast && *std::min_element(probs.begin(), probs.end()) >= kLeast;
    n_underflowed_ += is_whole ? 0 : 1;
    std::vector<double> inputs;
    inputs.reserve(probs.size());
    for (const double prob : probs) {
      inputs.push_back(std::log(std::max(prob, kLeast)) - std::log(std::max(none_prob, kLeast)));
    }
    return inputs;
  }

  const LabelSet& label_set_;
  std::size_t n_without_step_ = 0;
  std::size_t n_without_none_ = 0;
  std::size_t n_underflowed_ = 0;
};

bool has_label_step(const record::ItemRecord& item) {
  return item.is_label_found();
}

// Logs that do not tell how answers were read are gone by their label steps.
bool names_labels(const record::ItemRecord& item) {
  return item.answer_source == record::AnswerSource::Unknown
             ? item.is_label_found()
             : item.answer_source != record::AnswerSource::Nothing;
}

void count_answers(const EstimationInput& input,
                   bool (*is_answered)(const record::ItemRecord&),
                   Estimates& estimates) {
  for (const LogItem& item : input.items) {
    if (item.has_failed()) continue;
    estimates.n_answers_found += item.record->is_label_found() ? 1 : 0;
    if (!is_answered(*item.record)) estimates.unanswered.insert(item.id.example_id);
  }
}

void baseline_of_classes(const EstimationInput& input, Estimates& estimates) {
  for (const LogItem& item : input.items) {
    if (item.has_failed()) continue;
    estimates.probs[item.id.example_id] =
        probs_of_item(item, item.record->first_probs(), input.label_set);
  }
  if (const std::size_t n = estimates.n_items - estimates.n_answers_found; n > 0) {
    estimates.warnings.push_back(
        count_of(n, estimates.n_items, "answers have no label step; all classes are equal there"));
  }
}

std::vector<double> hard_probs(const LogItem& item, const LabelSet& label_set) {
  std::vector<double> probs(static_cast<std::size_t>(label_set.size()), kSmallestStepProb);
  for (const std::string& name : item.record->predictions) {
    const std::string lower = ascii_lower(name);
    const auto label = label_set.index_of(lower);
    if (label) {
      probs[static_cast<std::size_t>(*label)] = 1.0 - kSmallestStepProb;
    } else if (!label_set.is_multilabel() || lower != kNoneLabel) {
      throw DataError("item '" + item.record->key +
                      "': predictions: " + unknown_choice("label", name, label_set.names()));
    }
  }
  return probs;
}

}  // namespace

void estimate_baseline(const EstimationInput& input, Estimates& estimates) {
  count_answers(input, has_label_step, estimates);
  if (!input.label_set.is_multilabel()) return baseline_of_classes(input, estimates);
  CompareToNone compare(input.label_set);
  for (const LogItem& item : input.items) {
    if (item.has_failed()) continue;
    std::vector<double> inputs = compare.inputs_of(item);
    estimates.probs[item.id.example_id] = scaled_probs(inputs, input.options.platt);
    estimates.platt_inputs[item.id.example_id] = std::move(inputs);
  }
  compare.report(estimates);
}

void estimate_output(const EstimationInput& input, Estimates& estimates) {
  count_answers(input, names_labels, estimates);
  std::vector<std::string> without_class;
  for (const LogItem& item : input.items) {
    if (item.has_failed()) continue;
    estimates.probs[item.id.example_id] = hard_probs(item, input.label_set);
    if (item.record->predictions.empty()) without_class.push_back(item.record->key);
  }
  if (!input.label_set.is_multilabel() && !without_class.empty()) {
    estimates.warnings.push_back(count_of(without_class.size(), estimates.n_items,
                                          "answers name no class; all classes are equal there: ") +
                                 list_some(without_class));
  }
}

void estimate_output_normalized(const EstimationInput& input, Estimates& estimates) {
  estimate_output(input, estimates);
  for (auto& [example_id, probs] : estimates.probs) probs = normalized(std::move(probs));
}

void estimate_max(const EstimationInput& input, Estimates& estimates) {
  count_answers(input, has_label_step, estimates);
  std::size_t n_fallbacks = 0;
  for (const LogItem& item : input.items) {
    if (item.has_failed()) continue;
    std::vector<double> most(static_cast<std::size_t>(input.label_set.size()), kSmallestStepProb);
    for (const record::LabelStep& step : item.record->label_steps) {
      const std::vector<double> probs =
          probs_of_item(item, record::label_probs(step), input.label_set);
      for (std::size_t label = 0; label < most.size(); ++label) {
        most[label] = std::max(most[label], probs[label]);
      }
    }
    if (std::all_of(most.begin(), most.end(), [](double p) { return p <= kSmallestStepProb; })) {
      most = probs_of_item(item, item.record->first_probs(), input.label_set);
      ++n_fallbacks;
    }
    estimates.probs[item.id.example_id] = std::move(most);
  }
  if (n_fallbacks > 0) {
    estimates.warnings.push_back(count_of(
        n_fallbacks, estimates.n_items,
        "answers have no label step that gives a label any probability; the scores logged as the "
        "first step's are taken there"));
  }
}

}  // namespace labelprobe::analysis
