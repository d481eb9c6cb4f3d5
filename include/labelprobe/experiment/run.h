// Runs a prepared experiment: generate, read, put on disk batch by batch, then metrics and the
// final files. The order of work lives here; every part of it is another room's.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/experiment/preparation.h"
#include "labelprobe/experiment/settings.h"
#include "labelprobe/model/language_model.h"
#include "labelprobe/record/run.h"
#include "labelprobe/record/shards.h"

namespace labelprobe::experiment {

// Called after every batch is on disk.
struct Progress {
  std::size_t n_done = 0;  // items on disk, an earlier process's included
  std::size_t n_total = 0;
  std::size_t n_resumed = 0;
  model::Effort effort;  // of this process so far
  // Tokens that this process computes and generates at most, equal prefixes counted once; of
  // readouts about as many as they compute.
  std::int64_t n_tokens_at_most = 0;
};

// All tokens that went through the layers.
inline std::int64_t n_tokens_of(const model::Effort& effort) {
  return effort.n_prompt_tokens_computed + effort.n_generated_tokens + effort.n_places;
}

struct Outcome {
  std::size_t n_items = 0;
  std::size_t n_resumed = 0;        // taken over from an interrupted process
  std::size_t n_failed = 0;         // recorded as failed, left out of the metrics
  std::size_t n_without_label = 0;  // answered, but no label step (no answer word) was found
  std::size_t n_searched = 0;       // their labels were searched for, see record::AnswerSource
  std::size_t n_unread = 0;         // and not found
  std::size_t n_cut_off = 0;        // end inside what may be a label's name
  std::string first_failure;        // why the first of those that failed did
  bool is_unfinished = false;       // the next call asks for what has failed
  model::Effort effort;
  // Metrics of the annotator `aggregate`; empty if it has no items of its own, as in unary and
  // binary runs.
  record::Metrics metrics;
};

// Fingerprints of what an item's record depends on before it is answered: all that its entry says
// of the question, the token ids that the model sees, and the labels that answers name.
std::string fingerprint_of_items(const Settings& settings, const Preparation& preparation);
std::string fingerprint_of_tokens(const Preparation& preparation);
std::string fingerprint_of_labels(const Preparation& preparation);

// Gives the model, opening it at the first call: it is asked for only if something is left to
// compute. The model outlives the run and may serve others.
using ModelOpener = std::function<model::LanguageModel&()>;

// What decides a greedy answer besides the weights and the prompt: the model's own settings of
// generation with what this run changes of them.
struct GenerationInForce {
  TokenIds end_ids;  // the tokens that end an answer
  model::GenerationRules rules;
  bool is_served = false;  // a server knows what ends an answer

  // "answers end at tokens 258 259, repetition_penalty 1.05".
  std::string describe() const;
};
GenerationInForce generation_in_force(const model::ModelInfo& info,
                                      const Settings& settings,
                                      const Preparation& preparation);

// What a run asks its model: the prompts of all queries, and how they are to be answered.
struct ModelRequest {
  std::vector<TokenIds> prompts;  // of each query one, or two: the whole one and its beginning
  std::size_t n_per_query = 1;
  model::GenerateOptions options;  // as if nothing was answered yet
};
ModelRequest make_model_request(const model::ModelInfo& info,
                                const Settings& settings,
                                const Preparation& preparation);

// What a run makes of the answer to a query's prompt: its record, all numbers kept.
record::ItemRecord item_of(const Preparation& preparation,
                           const Settings& settings,
                           std::size_t query,
                           const model::Generation& answer);

// Carries the run to its end. What was appended before an exception stays on disk for the next
// call. So does everything where a server has left questions without an answer, unless
// IfFailed::Keep.
enum class IfFailed { AskAgain, Keep };
Outcome run(const Settings& settings,
            const Preparation& preparation,
            const ModelOpener& open_model,
            record::Run& files,
            const std::function<void(const Progress&)>& on_progress,
            IfFailed if_failed = IfFailed::AskAgain);

// The same for the queries of one shard, whose log it finishes; nothing is scored.
//   is_asked  [n_queries]
Outcome run_shard(const Settings& settings,
                  const Preparation& preparation,
                  const ModelOpener& open_model,
                  record::ShardLog& files,
                  const std::vector<bool>& is_asked,
                  const std::function<void(const Progress&)>& on_progress,
                  IfFailed if_failed = IfFailed::AskAgain);

}  // namespace labelprobe::experiment
