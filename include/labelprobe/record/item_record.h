// What is kept of one finished item: the fields of an entry of indexed_metrics.yml (docs: the
// published code's log layout), and what later questions need beside them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/item_id.h"
#include "labelprobe/core/label_set.h"
#include "labelprobe/core/token.h"
#include "labelprobe/record/label_step.h"
#include "labelprobe/record/readout_values.h"

namespace labelprobe::record {

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

// The attention that some positions of a text get: their weights' sum, the mean over layers and
// heads.
struct AttentionShare {
  float weight = 0.0F;
  std::int64_t n_positions = 0;

  friend bool operator==(const AttentionShare&, const AttentionShare&) = default;
};

// Where attention goes at each label step but the first: [n_label_steps - 1] each.
struct LabelAttention {
  std::vector<AttentionShare> input;            // the prompt
  std::vector<AttentionShare> previous_labels;  // the answer so far
  // As the published code counts the labels' first tokens: the places that predict them, this
  // step's own included.
  std::vector<AttentionShare> predicting_tokens;
  std::vector<AttentionShare> label_tokens;  // the first tokens of the labels before

  friend bool operator==(const LabelAttention&, const LabelAttention&) = default;
};

// How the predictions were had of an answer.
enum class AnswerSource {
  Unknown,   // older logs do not tell, and plans whose answers list no labels have none
  Listed,    // the answer lists them in the format asked for
  Searched,  // it does not, but the names occur in it
  Nothing,   // neither: what stands as predictions says nothing about the answer
};
inline constexpr auto kAnswerSources =
    enum_names<AnswerSource>("answer source",
                             {{AnswerSource::Unknown, "unknown"},
                              {AnswerSource::Listed, "listed"},
                              {AnswerSource::Searched, "searched"},
                              {AnswerSource::Nothing, "nothing"}});

// A new field needs a line in visit_fields() (record/fields.h) and nothing else.
struct ItemRecord {
  std::string key;        // ItemId::log_key()
  std::string annotator;  // ItemId::pseudo_annotator(): "aggregate", "aggregate_unary_joy", ...
  LabelKind kind = LabelKind::MultiLabel;
  // What the item asks, where the log's plan says so; null: only the key tells.
  const ItemForm* known_form = nullptr;

  std::string query_text;
  std::vector<std::string> gold;  // names in label-set order; single-label: exactly one
  // Likewise; of unary, binary and pair prompts the answer word, none if it never came.
  std::vector<std::string> predictions;
  AnswerSource answer_source = AnswerSource::Unknown;

  std::vector<LabelStep> label_steps;  // in the order of the answer; empty if it names no label
  bool is_cut_off = false;  // it ends inside what may be a label's name: no step was made of that
  // Without a label step: the published fallback for the first one's probabilities, uniform 1/n
  // over the first n = |label set| names, and the likeliest tokens where the answer begins.
  LabelValues stand_in_probs;
  std::vector<LikelyToken> opening_tokens;

  std::string outs;           // the answer: generated text up to the stop string, stripped
  std::string residual_outs;  // the rest, from the stop string on, "" if it never came
  std::optional<std::string>
      prefix_outs;    // chain of thought before the answer, where the template has one
  TokenIds outs_ids;  // generated token ids up to the cut

  // Unary and binary prompts only.
  std::optional<AnswerReading> greedy_answer;  // where the generated answer word begins, if it came
  std::optional<AnswerReading> first_answer;   // at the first generated position
  std::optional<AnswerReading> healed_answer;  // one token earlier, before the prompt's last space

  // Verbalized prompts only. Labels whose number could not be read are missing.
  LabelValues reported_probs;  // the number that the answer gives each label, / 100
  LabelValues expected_probs;  // the mean over all numbers there, / 100; where numbers are tokens
  LabelValues number_mass;     // what these numbers hold of the whole vocabulary there

  std::vector<ReadoutValues> readouts;  // those that the run was asked for, in that order

  std::optional<LabelAttention> label_attention;  // where the run was asked for it

  std::string checked_label;  // pair prompts only: the label asked about; empty = none

  std::int64_t n_prompt_tokens = 0;
  std::string prompt_fingerprint;

  // Set when the item could not be run; the fields of the answer are then empty.
  std::optional<std::string> failure;

  const ItemForm& form() const { return known_form ? *known_form : item_form_of(key); }
  bool is_label_found() const { return !label_steps.empty(); }
  // Whether the answer says anything of what was asked.
  bool is_answered() const { return is_label_found() || !reported_probs.empty(); }

  // Label probabilities at the first label step, or what stands in for them.
  LabelValues first_probs() const;
  // Raw logits at the first label step; empty without one.
  LabelValues first_logits() const;
  // Index of the first label step in outs_ids; their number if there is none.
  std::int64_t first_label_index() const;
  // The likeliest tokens at the first label step; without one, where the answer begins.
  const std::vector<LikelyToken>& likely_tokens() const;

  friend bool operator==(const ItemRecord&, const ItemRecord&) = default;
};

// A hash of all fields, see core/fingerprint.h.
std::string fingerprint_of(const ItemRecord& item);

// Rounds every logit and probability to so many decimals (the option logs_precision).
void round_numbers(ItemRecord& item, int n_decimals);

}  // namespace labelprobe::record
