#include "app/commands/finetune_evaluation.h"

#include <algorithm>
#include <iostream>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/analysis/classification_metrics.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/experiment/workbench.h"

namespace labelprobe::app {

namespace {

Labels labels_in(const std::string& answer, const LabelSet& label_set) {
  const std::string text = ascii_lower(answer);
  Labels labels;
  int label = 0;
  for (const std::string& name : label_set.names()) {
    if (text.find(ascii_lower(name)) != std::string::npos) labels.push_back(label);
    ++label;
  }
  return labels;
}

}  // namespace

std::map<std::string, double> evaluate_adapter(const experiment::TrainingTexts& texts,
                                               const FinetuneOptions& finetune,
                                               const std::filesystem::path& model,
                                               const std::filesystem::path& adapter) {
  experiment::Workbench workbench;
  experiment::ModelLoading loading;
  loading.name = finetune.model;
  loading.model = model;
  loading.splitting = finetune.splitting;
  loading.options.dtype = finetune.training.dtype;
  loading.options.quantization = finetune.training.quantization;
  loading.options.device = finetune.training.device;
  loading.options.n_threads = finetune.training.n_threads;
  loading.options.adapter = adapter;
  const auto tokens = workbench.tokenizer(loading);
  std::vector<TokenIds> prompts;
  for (const prompt::Query& query : texts.queries) {
    prompts.push_back(tokens->encode(query.text, tokenizer::SpecialTokens::Add));
  }
  model::LanguageModel& language_model = workbench.open(loading).model;
  model::GenerateOptions options;
  options.stop.max_new_tokens = finetune.max_new_tokens;
  options.stop.end_ids = language_model.info().end_ids;
  // What stands between training texts ends an answer, whatever else the model ends with.
  if (const auto end = tokens->eos_id()) options.stop.end_ids.push_back(*end);
  options.rules = language_model.info().rules;
  std::vector<analysis::LabelledPair> pairs(prompts.size());
  language_model.generate(prompts, options, [&](auto batch) {
    for (const auto& [i, answer] : batch) {
      pairs[i] = {texts.queries[i].gold,
                  labels_in(tokens->decode(answer.token_ids), texts.label_set)};
    }
  });
  return analysis::classification_metrics(pairs, texts.label_set);
}

}  // namespace labelprobe::app
