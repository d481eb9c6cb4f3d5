// What is kept of one finished item: the fields of an entry of indexed_metrics.yml (docs: the
// published code's log layout), and what later questions need beside them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "labelprobe/core/label_set.h"
#include "labelprobe/core/token.h"

namespace labelprobe::record {

// One number per label name, in label-set order with `none` last where the set has it. Written as a
// sorted mapping.
using LabelValues = std::vector<std::pair<std::string, float>>;

// What the whole vocabulary makes of the answer words at one position of an answer (unary and
// binary prompts, which are answered by one word).
struct AnswerReading {
  // Probabilities (softmax over the vocabulary, float32) of the words' first tokens, in the order
  // of the words: without and with a space before the word.
  LabelValues bare_probs;
  LabelValues spaced_probs;
  bool is_top = false;  // the most probable token of all begins an answer word

  friend bool operator==(const AnswerReading&, const AnswerReading&) = default;
};

struct ItemRecord {
  std::string key;        // ItemId::log_key()
  std::string annotator;  // ItemId::pseudo_annotator(): "aggregate", "aggregate_unary_joy", ...
  LabelKind kind = LabelKind::MultiLabel;

  std::string query_text;
  std::vector<std::string> gold;  // names in label-set order; single-label: exactly one
  // Likewise; of unary, binary and pair prompts the answer word, none if it never came.
  std::vector<std::string> predictions;

  // Label probabilities (softmax over the labels' first tokens, float32) at every label step; empty
  // if none was found.
  std::vector<LabelValues> all_scores;
  // The first of them; without a label step the published fallback: uniform 1/n over the first n =
  // |label set| names.
  LabelValues scores;
  bool is_label_found = false;
  LabelValues label_logits;  // raw logits at the first label step; empty without one

  std::string outs;           // the answer: generated text up to the stop string, stripped
  std::string residual_outs;  // the rest, from the stop string on, "" if it never came
  std::optional<std::string>
      prefix_outs;  // chain of thought before the answer, where the template has one

  TokenIds outs_ids;  // generated token ids up to the cut
  std::int64_t outs_id_index =
      0;  // index of the first label step in outs_ids; their number if there is none
  // The largest logits of the whole vocabulary at the first label step (the first step if there is
  // none), decoded.
  std::vector<std::pair<std::string, float>> top_tokens;

  // Unary and binary prompts only.
  std::optional<AnswerReading> greedy_answer;  // where the generated answer word begins, if it came
  std::optional<AnswerReading> first_answer;   // at the first generated position
  std::optional<AnswerReading> healed_answer;  // one token earlier, before the prompt's last space

  std::string checked_label;  // pair prompts only: the label asked about; not written if empty

  std::int64_t n_prompt_tokens = 0;
  std::string prompt_fingerprint;

  // Set when the item could not be run; the fields of the answer are then empty.
  std::optional<std::string> failure;

  friend bool operator==(const ItemRecord&, const ItemRecord&) = default;
};

}  // namespace labelprobe::record
