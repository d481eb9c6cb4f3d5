// From examples to prompts: one list of queries per run, all built before anything runs. One
// function per way of asking; which of them a run calls is said by its plan
// (experiment/plan.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "labelprobe/core/example.h"
#include "labelprobe/core/item_id.h"
#include "labelprobe/prompt/chat.h"
#include "labelprobe/prompt/label_mode.h"
#include "labelprobe/prompt/sampler.h"
#include "labelprobe/prompt/template.h"

namespace labelprobe::prompt {

// One prompt and what it asks about.
struct Query {
  ItemId item;
  std::string
      text;  // the whole prompt; those of unary and binary items end in a space. Empty in chats.
  std::string query_text;  // the example's own text
  Labels gold;             // of the example; its prior labels under LabelMode::Predictions
  std::vector<std::string> demonstration_ids = {};  // example ids (without annotator), prompt order
  bool is_demonstrated = false;    // the query itself is among them: the same id or the same text
  std::string checked_label = {};  // pairs: the label asked about, as the prompt shows it
  std::vector<Message> messages = {};  // chats: what ChatFormat makes the prompt of
};

enum class DemonstrationMode {
  Shared,  // the same demonstrations for every query (of the same annotator); by similarity those
           // nearest to each, all other draws seeded alike
  Fresh,   // drawn anew for every query. Query i (from 0) is seeded with output i of the generator
           // that the run's seed seeds: random.seed(seed), then one random.getrandbits(32) a query.
};

// What pair prompts show. Labels are drawn after the demonstrations, the query's last: queries that
// share demonstrations share these draws too, as published. Without shots every query draws anew.
struct PairOptions {
  double unreasonable_rate = 0.5;  // share of demonstrations whose label is made unreasonable
  LabelMode unreasonable_labels = LabelMode::Distribution;  // where those labels come from
  LabelMode query_label = LabelMode::Gold;  // where the label asked about comes from
  bool yes_no = false;  // "no" and "yes" in place of "unreasonable" and "reasonable"
};

// What becomes of a query that is drawn as its own demonstration.
enum class OwnDemonstrations {
  Keep,     // it is shown, as published
  Replace,  // another is shown in its place, see Sampler::sample()
};

struct QueryOptions {
  PromptMode mode = PromptMode::Completion;  // chats: of completions only
  Templates templates;  // pairs: resolved with their words; unary and binary prompts use none
  SamplingStrategy sampling;
  std::shared_ptr<const SentenceVectors> vectors;  // of train and queries, for similarity
  int n_shots = 0;
  std::int64_t seed = 0;
  DemonstrationMode demonstrations = DemonstrationMode::Shared;
  OwnDemonstrations own = OwnDemonstrations::Keep;
  // Whether an id of a training example and of a query means one example. Not if they are numbers
  // of lines.
  bool ids_are_common = true;
  LabelModeOptions labels;  // of the demonstrations; pairs take all but the mode
  PairOptions pair;
  // Chains of thought by full id ("de0__aggregate"), in the order of their file.
  std::vector<std::pair<std::string, std::string>> cots;
  bool randomize_cots = false;  // any of them, in order of their ids, for any demonstration
};

// What all prompts of a run are made of. Keeps references.
struct Task {
  std::span<const Example> train;
  std::span<const Example> queries;
  const LabelSet& label_set;
  const QueryOptions& options;
};

// The words that answer pair prompts: {"unreasonable", "reasonable"} or {"no", "yes"} (class 0,
// class 1).
std::vector<std::string> pair_words(const PairOptions& options);

// Makes all prompts of a run, in order: by example; within an example by label, by pair of labels i
// < j, or by ratio. Draws are CPython's, bit for bit. Throws ConfigError if the data set or the
// options do not fit.
using MakeQueries = std::vector<Query> (*)(const Task& task);

// What a demonstration with these labels is answered with.
using WriteAnswer = std::function<std::string(const Labels& labels)>;

// One completion prompt per example: instruction, demonstrations, query.
std::vector<Query> make_completions(const Task& task, const WriteAnswer& write_answer);
// The same, answered with the labels in the templates' label format.
std::vector<Query> make_baseline(const Task& task);
// What a model is tuned on: the same prompts with the labels of their examples behind them, in
// full: neither end is stripped and no line break follows. Completions only.
struct TrainingText {
  ItemId item;
  std::string text;
};
std::vector<TrainingText> make_training_texts(const Task& task);
// Six of them per example, with 0, 1/5, ... 1 of multi-label demonstrations, drawn by the
// multi-label sampler whatever strategy is asked for. Multi-label sets only.
std::vector<Query> make_multilabel_icl(const Task& task);
// One prompt per example and label: is this label reasonable? Answered by the words of kUnaryItems.
std::vector<Query> make_unary(const Task& task);
// One prompt per example and pair of labels: which is better? Answered by the words of
// kBinaryItems.
std::vector<Query> make_binary(const Task& task);
// One prompt per example and label shown with it: is it reasonable? Answered by pair_words().
std::vector<Query> make_pairs(const Task& task);

}  // namespace labelprobe::prompt
