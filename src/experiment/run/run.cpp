#include "labelprobe/experiment/run.h"

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"

#include "experiment/run/explored_run.h"
#include "experiment/run/inside_files.h"
#include "experiment/run/scoring.h"

namespace labelprobe::experiment {

namespace {

constexpr int kTopTokens = 10;  // enough to see what the model would rather have said

// The entry of one query, the answer still missing.
record::ItemRecord make_item(const Preparation& preparation,
                             const Settings& settings,
                             std::size_t index) {
  const Questions& questions = preparation.questions;
  const prompt::Query& query = questions.queries[index];
  record::ItemRecord item;
  item.key = query.item.log_key();
  item.annotator = query.item.pseudo_annotator();
  item.query_text = query.query_text;
  item.checked_label = query.checked_label;
  if (settings.plan->logs_right_answer) {
    item.kind = questions.answer_set.kind();
    item.gold = questions.answer_set.names_of(*settings.plan->right_answer(questions, query));
  } else {
    item.kind = questions.label_set.kind();
    item.gold = questions.label_set.names_of(query.gold);
  }
  item.n_prompt_tokens = static_cast<std::int64_t>(preparation.prompts[index].size());
  item.prompt_fingerprint = fingerprint(query.text);
  return item;
}

// Collects the generations of each query and reads those that are whole.
class Reader {
 public:
  Reader(const Settings& settings, const Preparation& preparation, std::size_t n_per_query)
      : settings_(settings), preparation_(preparation), n_per_query_(n_per_query) {}

  // The item that a generation completes. The parts of a query come in neighbouring batches: a
  // prompt sorts right behind its own beginning.
  std::optional<record::ItemRecord> take(std::size_t index,
                                         model::Generation generation,
                                         std::vector<record::ReadoutValues> readouts,
                                         std::optional<record::LabelAttention> attention) {
    const std::size_t query = index / n_per_query_;
    if (n_per_query_ == 1) {
      return read(query, generation, nullptr, std::move(readouts), std::move(attention));
    }
    Parts& parts = waiting_[query];
    const bool is_whole = index % n_per_query_ == 0;
    (is_whole ? parts.whole : parts.beginning) = std::move(generation);
    for (record::ReadoutValues& values : readouts) {
      values.place = is_whole ? record::ReadoutPlace::First : record::ReadoutPlace::Healed;
    }
    (is_whole ? parts.of_whole : parts.of_beginning) = std::move(readouts);
    if (!parts.whole || !parts.beginning) return std::nullopt;
    parts.of_whole.insert(parts.of_whole.end(), parts.of_beginning.begin(),
                          parts.of_beginning.end());
    record::ItemRecord item =
        read(query, *parts.whole, &*parts.beginning, std::move(parts.of_whole));
    waiting_.erase(query);
    return item;
  }

 private:
  record::ItemRecord read(std::size_t query,
                          const model::Generation& generation,
                          const model::Generation* of_beginning,
                          std::vector<record::ReadoutValues> readouts,
                          std::optional<record::LabelAttention> attention = {}) const {
    record::ItemRecord item = make_item(preparation_, settings_, query);
    preparation_.answers.read(generation, of_beginning, item);
    if (!item.failure && !readouts.empty()) item.readouts = std::move(readouts);
    item.label_attention = std::move(attention);
    if (settings_.logs_precision) {
      record::round_numbers(item, *settings_.logs_precision);
    }
    return item;
  }

  struct Parts {
    std::optional<model::Generation> whole;
    std::optional<model::Generation> beginning;
    std::vector<record::ReadoutValues> of_whole;
    std::vector<record::ReadoutValues> of_beginning;
  };

  const Settings& settings_;
  const Preparation& preparation_;
  std::size_t n_per_query_;
  std::map<std::size_t, Parts> waiting_;
};

record::Provenance provenance_of(const model::ModelInfo& info,
                                 const GenerationInForce& generation,
                                 const Preparation& preparation) {
  record::Provenance made;
  made.program = record::program_version();
  made.backend = info.backend;
  made.device = info.device;
  made.device_name = info.device_name;
  made.dtype = preparation.is_served ? "the server's" : weights::dtype_name(info.dtype);
  made.quantization =
      preparation.is_served ? "the server's" : weights::quantization_name(info.quantization);
  made.generation = generation.describe();
  made.model_fingerprint = info.fingerprint;
  made.tokenizer_fingerprint = preparation.tokenizer_fingerprint;
  made.prompts_fingerprint = preparation.contents_fingerprint;
  made.data_files = preparation.questions.data_files;
  return made;
}

model::Effort since(const model::Effort& before, model::Effort now) {
  now.n_prompt_tokens -= before.n_prompt_tokens;
  now.n_prompt_tokens_computed -= before.n_prompt_tokens_computed;
  now.n_generated_tokens -= before.n_generated_tokens;
  now.n_drafted_tokens -= before.n_drafted_tokens;
  now.n_drafted_kept -= before.n_drafted_kept;
  now.n_places -= before.n_places;
  now.n_batches_halved -= before.n_batches_halved;
  return now;
}

void add_ids(Fingerprint& fingerprint, const std::vector<TokenIds>& prompts) {
  for (const TokenIds& ids : prompts) {
    fingerprint.add(std::to_string(ids.size()));
    fingerprint.add(std::as_bytes(std::span(ids)));
  }
}

}  // namespace

std::string GenerationInForce::describe() const {
  const std::string of_rules = weights::describe(rules);
  if (is_served) {
    return "the server ends answers and chooses the likeliest token" +
           (of_rules.empty() ? "" : ", " + of_rules);
  }
  std::string text = end_ids.empty() ? "no token ends an answer" : "answers end at token";
  for (const TokenId id : end_ids) {
    text += " " + std::to_string(id);
  }
  return text + ", " + (of_rules.empty() ? "no rule changes the logits" : of_rules);
}

GenerationInForce generation_in_force(const model::ModelInfo& info,
                                      const Settings& settings,
                                      const Preparation& preparation) {
  GenerationInForce made{info.end_ids, info.rules, preparation.is_served};
  for (const TokenId id : preparation.end_ids) {
    if (std::find(made.end_ids.begin(), made.end_ids.end(), id) == made.end_ids.end()) {
      made.end_ids.push_back(id);
    }
  }
  made.rules.repetition_penalty =
      settings.repetition_penalty.value_or(made.rules.repetition_penalty);
  return made;
}

std::string fingerprint_of_items(const Settings& settings, const Preparation& preparation) {
  Fingerprint fingerprint;
  for (std::size_t i = 0; i < preparation.questions.queries.size(); ++i) {
    fingerprint.add(record::fingerprint_of(make_item(preparation, settings, i)));
  }
  return fingerprint.hex();
}

std::string fingerprint_of_tokens(const Preparation& preparation) {
  Fingerprint fingerprint;
  add_ids(fingerprint, preparation.prompts);
  add_ids(fingerprint, preparation.beginnings);
  return fingerprint.hex();
}

std::string fingerprint_of_labels(const Preparation& preparation) {
  Fingerprint fingerprint;
  for (const LabelSet* set :
       {&preparation.questions.label_set, &preparation.questions.answer_set}) {
    fingerprint.add(set->kind() == LabelKind::MultiLabel ? "multi" : "single");
    for (const std::string& name : set->names_with_none()) {
      fingerprint.add(name);
    }
  }
  return fingerprint.hex();
}

ModelRequest make_model_request(const model::ModelInfo& info,
                                const Settings& settings,
                                const Preparation& preparation) {
  ModelRequest asked;
  model::GenerateOptions& options = asked.options;
  if (preparation.beginnings.empty()) {
    asked.prompts = preparation.prompts;
  } else {
    asked.n_per_query = 2;
    for (std::size_t i = 0; i < preparation.prompts.size(); ++i) {
      asked.prompts.push_back(preparation.prompts[i]);
      options.n_new_tokens.push_back(settings.max_new_tokens);
      asked.prompts.push_back(preparation.beginnings[i]);
      options.n_new_tokens.push_back(1);
    }
  }
  GenerationInForce generation = generation_in_force(info, settings, preparation);
  options.stop.max_new_tokens = settings.max_new_tokens;
  options.stop.end_ids = std::move(generation.end_ids);
  options.rules = std::move(generation.rules);
  options.stop.is_complete = preparation.answers.is_complete;
  if (settings.drafts_answers) options.draft = preparation.answers.draft;
  options.watched = preparation.answers.watched;
  options.n_top_tokens = kTopTokens;
  options.batch_size = settings.batch_size;
  options.share_prefixes = settings.share_prefixes;
  return asked;
}

record::ItemRecord item_of(const Preparation& preparation,
                           const Settings& settings,
                           std::size_t query,
                           const model::Generation& answer) {
  record::ItemRecord item = make_item(preparation, settings, query);
  preparation.answers.read(answer, nullptr, item);
  return item;
}

Outcome run(const Settings& settings,
            const Preparation& preparation,
            const ModelOpener& open_model,
            record::Run& files,
            const std::function<void(const Progress&)>& on_progress,
            IfFailed if_failed) {
  const Questions& questions = preparation.questions;
  std::map<std::string, record::ItemRecord> items = files.finished();
  // A log that was finished with failed items stays finished.
  const bool asks_again =
      preparation.is_served && if_failed == IfFailed::AskAgain && !files.is_retry();
  if (asks_again) std::erase_if(items, [](const auto& item) { return item.second.failure; });
  std::vector<std::string> keys;
  std::size_t n_finished = 0;
  for (const prompt::Query& query : questions.queries) {
    keys.push_back(query.item.log_key());
    n_finished += items.contains(keys.back()) ? 1 : 0;
  }
  Outcome outcome;
  outcome.n_items = keys.size();
  outcome.n_resumed = n_finished;

  // Its files may lack rows of items whose records are there.
  std::optional<InsideFiles> inside;
  if (settings.inside.is_asked_for()) {
    inside.emplace(files.folder(), files.experiment_index(), settings.inside, open_model().info());
    std::erase_if(items, [&](const auto& item) { return !inside->has(item.first); });
    n_finished = static_cast<std::size_t>(std::count_if(
        keys.begin(), keys.end(), [&](const std::string& key) { return items.contains(key); }));
    outcome.n_resumed = n_finished;
  }

  if (n_finished < keys.size()) {
    model::LanguageModel& language_model = open_model();
    const GenerationInForce generation =
        generation_in_force(language_model.info(), settings, preparation);
    files.add_provenance(provenance_of(language_model.info(), generation, preparation));
    const model::Effort before = language_model.effort();
    ModelRequest asked = make_model_request(language_model.info(), settings, preparation);
    model::GenerateOptions& options = asked.options;
    for (const std::string& key : keys) {
      options.is_answered.insert(options.is_answered.end(), asked.n_per_query, items.contains(key));
    }
    const std::int64_t n_tokens_at_most =
        preparation.token_counts.n_distinct_tokens +
        static_cast<std::int64_t>(asked.prompts.size()) *
            (settings.max_new_tokens + preparation.n_readout_tokens);
    const auto report = [&](const model::Effort& effort) {
      on_progress(
          {n_finished, keys.size(), outcome.n_resumed, since(before, effort), n_tokens_at_most});
    };
    report(before);
    options.on_work = report;
    Reader reader(settings, preparation, asked.n_per_query);
    const auto keep = [&](std::vector<record::ItemRecord> finished) {
      files.append(finished);
      n_finished += finished.size();
      for (record::ItemRecord& item : finished) {
        std::string key = item.key;
        items.insert_or_assign(std::move(key), std::move(item));
      }
      report(language_model.effort());
    };
    std::vector<record::ItemRecord> finished;
    const auto take = [&](std::size_t prompt, model::Generation& answer,
                          std::vector<record::ReadoutValues> readouts,
                          std::optional<record::LabelAttention> attention) {
      auto item = reader.take(prompt, std::move(answer), std::move(readouts), std::move(attention));
      if (item) finished.push_back(std::move(*item));
    };
    if (!is_explored(settings)) {
      language_model.generate(asked.prompts, options,
                              [&](std::span<std::pair<std::size_t, model::Generation>> batch) {
                                for (auto& [prompt, answer] : batch) take(prompt, answer, {}, {});
                                keep(std::exchange(finished, {}));
                              });
    } else {
      const auto label_indices = [&](std::size_t prompt, const model::Generation& answer) {
        std::vector<std::int64_t> indices;
        for (const record::LabelStep& step :
             item_of(preparation, settings, prompt, answer).label_steps) {
          indices.push_back(step.index.value());
        }
        return indices;
      };
      answer_and_explore(language_model, asked.prompts, options, settings, preparation,
                         label_indices, [&](std::size_t prompt, ExploredAnswer of) {
                           std::optional<record::LabelAttention> attention;
                           if (settings.inside.logs_attention) {
                             attention = label_attention(of.looks, of.seen);
                           }
                           if (inside) inside->append(keys[prompt], of);
                           take(prompt, of.answer, std::move(of.readouts), std::move(attention));
                           if (!finished.empty()) keep(std::exchange(finished, {}));
                         });
    }
    outcome.effort = since(before, language_model.effort());
  }

  std::vector<const record::ItemRecord*> ordered;
  for (const std::string& key : keys) {
    const record::ItemRecord& item = items.at(key);
    ordered.push_back(&item);
    if (item.failure && outcome.n_failed == 0) outcome.first_failure = *item.failure;
    outcome.n_failed += item.failure ? 1 : 0;
    outcome.n_without_label += !item.failure && !item.is_answered() ? 1 : 0;
    outcome.n_searched += item.answer_source == record::AnswerSource::Searched ? 1 : 0;
    outcome.n_unread += item.answer_source == record::AnswerSource::Nothing ? 1 : 0;
    outcome.n_cut_off += item.is_cut_off ? 1 : 0;
  }
  outcome.is_unfinished = asks_again && outcome.n_failed > 0;
  if (outcome.is_unfinished) return outcome;
  RunMetrics metrics = score(settings, questions, ordered);
  if (inside) inside->finish(keys);
  files.finish(keys, metrics.aggregate, metrics.annotators);
  if (inside) inside->forget();
  if (metrics.aggregate) {
    outcome.metrics = std::move(*metrics.aggregate);
  }
  return outcome;
}

}  // namespace labelprobe::experiment
