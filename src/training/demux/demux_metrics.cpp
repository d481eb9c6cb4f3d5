#include "training/demux/demux_metrics.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "labelprobe/analysis/classification_metrics.h"
#include "labelprobe/core/error.h"

namespace labelprobe::training {

namespace {

constexpr float kLeastLogit = 0.5F;  // of a predicted label: a probability of 0.622

std::map<std::string, double> metrics_of(const std::vector<analysis::LabelledPair>& pairs,
                                         const LabelSet& label_set) {
  if (label_set.is_multilabel()) return analysis::classification_metrics(pairs, label_set);
  const auto metrics = analysis::single_label_metrics(pairs, label_set);
  return {{"accuracy", metrics.at("accuracy")}, {"f1", metrics.at("macro_f1")}};
}

}  // namespace

std::vector<record::ScoredLabels> read_logits(const at::Tensor& logits, const LabelSet& label_set) {
  const at::Tensor on_cpu = logits.to(at::kCPU, at::kFloat).contiguous();
  const at::Tensor probs =
      (label_set.is_multilabel() ? at::sigmoid(on_cpu) : at::softmax(on_cpu, 1)).contiguous();
  const auto n_labels = static_cast<std::size_t>(label_set.size());
  std::vector<record::ScoredLabels> items(static_cast<std::size_t>(logits.size(0)));
  for (std::size_t i = 0; i < items.size(); ++i) {
    const float* logit = on_cpu.const_data_ptr<float>() + i * n_labels;
    const float* prob = probs.const_data_ptr<float>() + i * n_labels;
    items[i].scores.assign(prob, prob + n_labels);
    if (!label_set.is_multilabel()) {
      items[i].predicted = {
          static_cast<LabelIndex>(std::max_element(logit, logit + n_labels) - logit)};
      continue;
    }
    for (std::size_t label = 0; label < n_labels; ++label) {
      if (logit[label] >= kLeastLogit) items[i].predicted.push_back(static_cast<LabelIndex>(label));
    }
  }
  return items;
}

std::map<std::string, double> demux_metrics(const std::vector<Example>& examples,
                                            const std::vector<record::ScoredLabels>& found,
                                            const LabelSet& label_set) {
  std::vector<analysis::LabelledPair> pairs;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    pairs.push_back({examples[i].labels, found[i].predicted});
  }
  return metrics_of(pairs, label_set);
}

std::string chosen_metric(const DemuxSettings& settings, const LabelSet& label_set) {
  if (settings.metric.empty()) return label_set.is_multilabel() ? "macro_f1" : "f1";
  std::string name = settings.metric;
  for (const std::string_view prefix : {"dev_", "eval_"}) {
    if (name.starts_with(prefix)) name.erase(0, prefix.size());
  }
  std::vector<std::string> known;
  for (const auto& [metric, unused] : metrics_of({}, label_set)) known.push_back(metric);
  if (std::find(known.begin(), known.end(), name) != known.end()) return name;
  if (settings.stopping == DemuxStopping::Published) return "";
  throw ConfigError(unknown_choice("early_stopping_metric", settings.metric, known));
}

}  // namespace labelprobe::training
