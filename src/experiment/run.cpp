#include "labelprobe/experiment/run.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <utility>

#include "labelprobe/analysis/classification_metrics.h"
#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/readout/reading.h"

namespace labelprobe::experiment {

namespace {

constexpr int kTopTokens = 10;  // enough to see what the model would rather have said

void round_numbers(record::LabelValues& values, double scale) {
  for (auto& [name, number] : values) {
    number = static_cast<float>(std::round(static_cast<double>(number) * scale) / scale);
  }
}

void round_numbers(record::ItemRecord& item, int n_decimals) {
  const double scale = std::pow(10.0, n_decimals);
  round_numbers(item.scores, scale);
  round_numbers(item.label_logits, scale);
  round_numbers(item.top_tokens, scale);
  for (record::LabelValues& step : item.all_scores) {
    round_numbers(step, scale);
  }
}

// The entry of one query, the answer still missing.
record::ItemRecord make_item(const Preparation& preparation, std::size_t index) {
  const Questions& questions = preparation.questions;
  const prompt::Query& query = questions.queries[index];
  record::ItemRecord item;
  item.key = query.item.log_key();
  item.annotator = query.item.pseudo_annotator();
  item.kind = questions.label_set.kind();
  item.query_text = query.query_text;
  item.gold = questions.label_set.names_of(query.gold);
  item.n_prompt_tokens = static_cast<std::int64_t>(preparation.prompts[index].size());
  item.prompt_fingerprint = fingerprint(query.text);
  return item;
}

Labels labels_of(const std::vector<std::string>& names, const LabelSet& label_set) {
  Labels labels;
  for (const std::string& name : names) {
    const auto label = label_set.index_of(name);
    if (!label) {
      throw DataError("a journalled item names the label '" + name +
                      "', which the data set does not have");
    }
    labels.push_back(*label);
  }
  return labels;
}

}  // namespace

Outcome run(const Settings& settings,
            const Preparation& preparation,
            const tokenizer::Tokenizer& tokenizer,
            const ModelOpener& open_model,
            record::Run& files,
            const std::function<void(const Progress&)>& on_progress) {
  const Questions& questions = preparation.questions;
  std::map<std::string, record::ItemRecord> items = files.finished();
  std::vector<std::string> keys;
  std::vector<bool> is_answered;
  for (const prompt::Query& query : questions.queries) {
    keys.push_back(query.item.log_key());
    is_answered.push_back(items.contains(keys.back()));
  }
  Outcome outcome;
  outcome.n_items = keys.size();
  outcome.n_resumed =
      static_cast<std::size_t>(std::count(is_answered.begin(), is_answered.end(), true));

  if (outcome.n_resumed < outcome.n_items) {
    const std::unique_ptr<model::LanguageModel> language_model = open_model();
    model::GenerateOptions options;
    options.stop.max_new_tokens = settings.max_new_tokens;
    options.stop.end_ids = language_model->info().end_ids;
    options.stop.is_complete = readout::stop_predicate(tokenizer, preparation.answer_rule.stop);
    options.watched = preparation.label_tokens.watched();
    options.n_top_tokens = kTopTokens;
    options.batch_size = settings.batch_size;
    options.share_prefixes = settings.share_prefixes;
    options.is_answered = is_answered;
    options.repetition_penalty = language_model->info().repetition_penalty;
    std::size_t n_done = outcome.n_resumed;
    on_progress({n_done, keys.size(), outcome.n_resumed, language_model->effort()});
    language_model->generate(
        preparation.prompts, options,
        [&](std::span<std::pair<std::size_t, model::Generation>> batch) {
          std::vector<record::ItemRecord> finished;
          for (const auto& [index, generation] : batch) {
            record::ItemRecord item = make_item(preparation, index);
            readout::read(generation, preparation.label_tokens, preparation.answer_rule,
                          questions.label_set, tokenizer, item);
            if (settings.logs_precision) {
              round_numbers(item, *settings.logs_precision);
            }
            finished.push_back(std::move(item));
          }
          files.append(finished);
          n_done += finished.size();
          for (record::ItemRecord& item : finished) {
            std::string key = item.key;
            items.insert_or_assign(std::move(key), std::move(item));
          }
          on_progress({n_done, keys.size(), outcome.n_resumed, language_model->effort()});
        });
    outcome.effort = language_model->effort();
  }

  std::map<std::string, std::vector<analysis::LabelledPair>> pairs;  // by annotator
  for (const std::string& key : keys) {
    const record::ItemRecord& item = items.at(key);
    if (item.failure) {
      ++outcome.n_failed;
      continue;
    }
    outcome.n_without_label += item.is_label_found ? 0 : 1;
    pairs[item.annotator].push_back({labels_of(item.gold, questions.label_set),
                                     labels_of(item.predictions, questions.label_set)});
  }
  std::optional<record::Metrics> metrics;
  std::map<std::string, record::Metrics> annotator_metrics;
  for (const auto& [annotator, labelled] : pairs) {
    const record::Metrics values = analysis::classification_metrics(labelled, questions.label_set);
    if (annotator == kAggregate) {
      metrics = values;
      outcome.metrics = values;
    } else {
      annotator_metrics[annotator] = values;
    }
  }
  files.finish(keys, metrics, annotator_metrics);
  return outcome;
}

}  // namespace labelprobe::experiment
