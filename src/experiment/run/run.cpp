#include "labelprobe/experiment/run.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <utility>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"

#include "experiment/run/explored_run.h"
#include "experiment/run/inside_files.h"
#include "experiment/run/item_notes.h"
#include "experiment/run/scoring.h"

namespace labelprobe::experiment {

namespace {

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

}  // namespace

std::string fingerprint_of_items(const Settings& settings, const Preparation& preparation) {
  Fingerprint fingerprint;
  for (std::size_t i = 0; i < preparation.questions.queries.size(); ++i) {
    fingerprint.add(record::fingerprint_of(make_item(preparation, settings, i)));
  }
  return fingerprint.hex();
}

record::ItemRecord item_of(const Preparation& preparation,
                           const Settings& settings,
                           std::size_t query,
                           const model::Generation& answer) {
  record::ItemRecord item = make_item(preparation, settings, query);
  preparation.answers.read(answer, nullptr, item);
  return item;
}

namespace {

// What of the questions is answered, and where that stands.
struct Answered {
  explicit Answered(std::size_t n_items, const LabelSet& answer_set) : notes(n_items, answer_set) {}

  Outcome outcome;
  ItemNotes notes;  // of the items asked for, in the order of the queries
  std::optional<InsideFiles> inside;
};

// The places of the queries that are asked among each other; kNotAsked for the others.
constexpr std::uint32_t kNotAsked = std::numeric_limits<std::uint32_t>::max();

std::vector<std::uint32_t> places_of(std::size_t n_queries, const std::vector<bool>& is_asked) {
  std::vector<std::uint32_t> places;
  std::uint32_t n = 0;
  for (std::size_t i = 0; i < n_queries; ++i) {
    places.push_back(is_asked.empty() || is_asked[i] ? n++ : kNotAsked);
  }
  return places;
}

std::vector<std::string> keys_of(const Preparation& preparation) {
  std::vector<std::string> keys;
  for (const prompt::Query& query : preparation.questions.queries) {
    keys.push_back(query.item.log_key());
  }
  return keys;
}

// Tokens of the prompts that are asked about.
std::int64_t n_distinct_tokens(const Preparation& preparation, const std::vector<bool>& is_asked) {
  if (is_asked.empty()) return preparation.token_counts.n_distinct_tokens;
  std::vector<TokenIds> prompts;
  for (std::size_t i = 0; i < is_asked.size(); ++i) {
    if (is_asked[i]) prompts.push_back(preparation.prompts[i]);
  }
  return count_tokens(prompts).n_distinct_tokens;
}

// Answers every query, or those that `is_asked` names.
Answered answer(const Settings& settings,
                const Preparation& preparation,
                const ModelOpener& open_model,
                record::ItemLog& files,
                const std::vector<bool>& is_asked,
                const std::function<void(const Progress&)>& on_progress,
                bool asks_again) {
  const std::size_t n_queries = preparation.questions.queries.size();
  const std::vector<std::uint32_t> places = places_of(n_queries, is_asked);
  const auto n_items = static_cast<std::size_t>(
      std::count_if(places.begin(), places.end(), [](std::uint32_t i) { return i != kNotAsked; }));
  Answered answered(n_items, preparation.questions.answer_set);
  Outcome& outcome = answered.outcome;
  const auto key_of = [&](std::size_t query) {
    return preparation.questions.queries[query].item.log_key();
  };
  // Its files may lack rows of items whose records are there.
  std::optional<InsideFiles>& inside = answered.inside;
  if (settings.inside.is_asked_for() && n_items > 0) {
    inside.emplace(files.folder(), files.experiment_index(), settings.inside, open_model().info());
  }
  std::vector<bool> is_left;  // [n_queries]
  std::size_t n_finished = 0;
  for (std::size_t i = 0; i < n_queries; ++i) {
    const std::string key = key_of(i);
    const bool is_finished = places[i] != kNotAsked && files.finished().contains(key) &&
                             !(asks_again && files.finished().is_failed(key)) &&
                             (!inside || inside->has(key));
    is_left.push_back(places[i] != kNotAsked && !is_finished);
    if (!is_finished) continue;
    answered.notes.take(places[i], files.finished().at(key));
    ++n_finished;
  }
  outcome.n_items = n_items;
  outcome.n_resumed = n_finished;

  if (n_finished < n_items) {
    model::LanguageModel& language_model = open_model();
    const GenerationInForce generation =
        generation_in_force(language_model.info(), settings, preparation);
    files.add_provenance(provenance_of(language_model.info(), generation, preparation));
    const model::Effort before = language_model.effort();
    ModelRequest asked = make_model_request(language_model.info(), settings, preparation);
    model::GenerateOptions& options = asked.options;
    for (const bool is_open : is_left) {
      options.is_answered.insert(options.is_answered.end(), asked.n_per_query, !is_open);
    }
    const std::int64_t n_tokens_at_most =
        n_distinct_tokens(preparation, is_asked) +
        static_cast<std::int64_t>(n_items * asked.n_per_query) *
            (settings.max_new_tokens + preparation.n_readout_tokens);
    const auto report = [&](const model::Effort& effort) {
      on_progress(
          {n_finished, n_items, outcome.n_resumed, since(before, effort), n_tokens_at_most});
    };
    report(before);
    options.on_work = report;
    Reader reader(settings, preparation, asked.n_per_query);
    std::vector<record::ItemRecord> finished;
    const auto keep = [&] {
      files.append(finished);
      n_finished += finished.size();
      finished.clear();
      report(language_model.effort());
    };
    const auto take = [&](std::size_t prompt, model::Generation& answer,
                          std::vector<record::ReadoutValues> readouts,
                          std::optional<record::LabelAttention> attention) {
      auto item = reader.take(prompt, std::move(answer), std::move(readouts), std::move(attention));
      if (!item) return;
      answered.notes.take(places[prompt / asked.n_per_query], *item);
      finished.push_back(std::move(*item));
    };
    if (!is_explored(settings)) {
      language_model.generate(asked.prompts, options,
                              [&](std::span<std::pair<std::size_t, model::Generation>> batch) {
                                for (auto& [prompt, answer] : batch) take(prompt, answer, {}, {});
                                keep();
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
                           if (inside) inside->append(key_of(prompt), of);
                           take(prompt, of.answer, std::move(of.readouts), std::move(attention));
                           if (!finished.empty()) keep();
                         });
    }
    outcome.effort = since(before, language_model.effort());
  }

  answered.notes.tally(outcome);
  outcome.is_unfinished = asks_again && outcome.n_failed > 0;
  return answered;
}

}  // namespace

Outcome run(const Settings& settings,
            const Preparation& preparation,
            const ModelOpener& open_model,
            record::Run& files,
            const std::function<void(const Progress&)>& on_progress,
            IfFailed if_failed) {
  // A log that was finished with failed items stays finished.
  const bool asks_again =
      preparation.is_served && if_failed == IfFailed::AskAgain && !files.is_retry();
  Answered answered = answer(settings, preparation, open_model, files, {}, on_progress, asks_again);
  Outcome& outcome = answered.outcome;
  if (outcome.is_unfinished) return outcome;
  const Questions& questions = preparation.questions;
  RunMetrics metrics = score(*settings.plan, questions.answer_set,
                             right_answers(settings, questions), answered.notes);
  const std::vector<std::string> keys = keys_of(preparation);
  if (answered.inside) answered.inside->finish(keys);
  files.finish(keys, metrics.aggregate, metrics.annotators);
  if (answered.inside) answered.inside->forget();
  if (metrics.aggregate) {
    outcome.metrics = std::move(*metrics.aggregate);
  }
  return outcome;
}

Outcome run_shard(const Settings& settings,
                  const Preparation& preparation,
                  const ModelOpener& open_model,
                  record::ShardLog& files,
                  const std::vector<bool>& is_asked,
                  const std::function<void(const Progress&)>& on_progress,
                  IfFailed if_failed) {
  const bool asks_again = preparation.is_served && if_failed == IfFailed::AskAgain;
  const Answered answered =
      answer(settings, preparation, open_model, files, is_asked, on_progress, asks_again);
  if (!answered.outcome.is_unfinished) files.finish();
  return answered.outcome;
}

}  // namespace labelprobe::experiment
