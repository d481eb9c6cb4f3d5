// From examples to prompts: one list of queries per run, all built before anything runs.
// A plan is what is asked of each example: the published distributions (paper, section 3) and the
// reasonableness pairs of the published code.
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

enum class Plan {
  Baseline,       // one completion prompt per example: instruction, demonstrations, query
  Unary,          // one prompt per example and label: is this label reasonable?
  Binary,         // one prompt per example and pair of labels: which is better?
  MultilabelIcl,  // six baseline prompts per example, with 0, 1/5, ... 1 of multi-label
                  // demonstrations
  Pair,  // one prompt per example and label shown with it: is it reasonable? With templates.
};

// The published distributions by name, one line each, in the order --help shows them: "baseline",
// "unary", "binary", "multilabel_ICL". Pair is a program of its own and not among them.
struct PlanInfo {
  Plan plan;
  std::string name;
  std::string summary;
};
std::vector<PlanInfo> plans();

// The plan called `name`; "multilabel_icl" is "multilabel_ICL". ConfigError naming the known ones.
Plan parse_plan(std::string_view name);

// One prompt and what it asks about.
struct Query {
  ItemId item;
  std::string text;        // the whole prompt; Unary and Binary end in a space. Empty in chats.
  std::string query_text;  // the example's own text
  Labels gold;             // of the example; its prior labels under LabelMode::Predictions
  std::vector<std::string> demonstration_ids = {};  // example ids (without annotator), prompt order
  std::string checked_label = {};      // Pair: the label asked about, as the prompt shows it
  std::vector<Message> messages = {};  // chats: what ChatFormat makes the prompt of
};

enum class DemonstrationMode {
  Shared,  // the same demonstrations for every query (of the same annotator); by similarity those
           // nearest to each, all other draws seeded alike
  Fresh,   // drawn anew for every query. Query i (from 0) is seeded with output i of the generator
           // that the run's seed seeds: random.seed(seed), then one random.getrandbits(32) a query.
};

// What Pair prompts show. Labels are drawn after the demonstrations, the query's last: queries that
// share demonstrations share these draws too, as published. Without shots every query draws anew.
struct PairOptions {
  double unreasonable_rate = 0.5;  // share of demonstrations whose label is made unreasonable
  LabelMode unreasonable_labels = LabelMode::Distribution;  // where those labels come from
  LabelMode query_label = LabelMode::Gold;  // where the label asked about comes from
  bool yes_no = false;  // "no" and "yes" in place of "unreasonable" and "reasonable"
};

struct PlanOptions {
  PromptMode mode = PromptMode::Completion;  // Chat: Baseline and MultilabelIcl only
  Templates templates;  // Pair: resolved with its answer words; Unary and Binary use none
  SamplingStrategy sampling;
  std::shared_ptr<const SentenceVectors> vectors;  // of train and queries, for similarity
  int n_shots = 0;
  std::int64_t seed = 0;
  DemonstrationMode demonstrations = DemonstrationMode::Shared;
  LabelModeOptions labels;  // of the demonstrations; Pair takes all but the mode
  PairOptions pair;
  // Chains of thought by full id ("de0__aggregate"), in the order of their file.
  std::vector<std::pair<std::string, std::string>> cots;
  bool randomize_cots = false;  // any of them, in order of their ids, for any demonstration
};

// The words that answer a plan's prompts, in order: {"reasonable", "unreasonable"} for Unary,
// {"a", "b"} for Binary, {"unreasonable", "reasonable"} or {"no", "yes"} for Pair (class 0, class
// 1); none where answers name labels of the data set.
std::vector<std::string> answer_words(Plan plan, const PairOptions& pair);

// All prompts of a run, in order: by example; within an example by label, by pair of labels i < j,
// or by ratio. Draws are CPython's, bit for bit.
std::vector<Query> make_queries(Plan plan,
                                std::span<const Example> train,
                                std::span<const Example> queries,
                                const LabelSet& label_set,
                                const PlanOptions& options);

}  // namespace labelprobe::prompt
