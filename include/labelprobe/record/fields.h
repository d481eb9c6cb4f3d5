// The fields of an item, each named once. Whatever treats them all is a visitor: the journal, the
// log both ways, rounding, exports. A visitor is called with (Field, value) for each, in one order;
// it has an overload per type of value and takes nested fields apart with the same function.
#pragma once

#include <concepts>
#include <type_traits>

#include "labelprobe/record/item_record.h"

namespace labelprobe::record {

struct Field {
  const char* name;  // in journals and exports
  // In indexed_metrics.yml; null = it stands there in another form, see log/published_views.h.
  const char* log_name = nullptr;
  const char* log_part = nullptr;  // set: below this name in the mapping `log_name`
  bool is_of_question = false;     // known before the answer: items that failed have it too
  bool is_left_out_empty = false;  // an entry of a log has it only where there is something in it
};

// Item is ItemRecord or const ItemRecord.
template <class Item, class Visitor>
requires std::same_as<std::remove_const_t<Item>, ItemRecord>
void visit_fields(Item& item, Visitor&& visit) {
  visit(Field{"key"}, item.key);
  visit(Field{"annotator"}, item.annotator);
  visit(Field{"kind"}, item.kind);
  visit(Field{"query_text", "test_text", {}, true}, item.query_text);
  visit(Field{"gold", "test_gt", {}, true}, item.gold);
  visit(Field{"predictions", "test_preds"}, item.predictions);
  visit(Field{"answer_source", "test_answer_source", {}, false, true}, item.answer_source);
  visit(Field{"label_steps", "test_label_steps"}, item.label_steps);
  visit(Field{"is_cut_off", "test_cut_off", {}, false, true}, item.is_cut_off);
  visit(Field{"stand_in_probs"}, item.stand_in_probs);
  visit(Field{"opening_tokens"}, item.opening_tokens);
  visit(Field{"outs", "test_outs"}, item.outs);
  visit(Field{"residual_outs", "test_residual_outs"}, item.residual_outs);
  visit(Field{"prefix_outs", "test_prefix_outs"}, item.prefix_outs);
  visit(Field{"outs_ids", "test_outs_ids"}, item.outs_ids);
  visit(Field{"greedy_answer", "test_answers", "greedy", false, true}, item.greedy_answer);
  visit(Field{"first_answer", "test_answers", "first", false, true}, item.first_answer);
  visit(Field{"healed_answer", "test_answers", "healed", false, true}, item.healed_answer);
  visit(Field{"reported_probs", "test_stated", "reported", false, true}, item.reported_probs);
  visit(Field{"expected_probs", "test_stated", "expected", false, true}, item.expected_probs);
  visit(Field{"number_mass", "test_stated", "number_mass", false, true}, item.number_mass);
  visit(Field{"readouts", "test_readouts", {}, false, true}, item.readouts);
  visit(Field{"label_attention", "test_label_v_input_attn", {}, false, true}, item.label_attention);
  visit(Field{"checked_label", "test_checked_label", {}, true, true}, item.checked_label);
  visit(Field{"n_prompt_tokens", "test_n_prompt_tokens"}, item.n_prompt_tokens);
  visit(Field{"prompt_fingerprint", "test_prompt_hash", {}, true}, item.prompt_fingerprint);
  visit(Field{"failure", "test_failure", {}, true, true}, item.failure);
}

template <class Step, class Visitor>
requires std::same_as<std::remove_const_t<Step>, LabelStep>
void visit_fields(Step& step, Visitor&& visit) {
  visit(Field{"index", "index"}, step.index);
  visit(Field{"space", "space"}, step.variant);
  visit(Field{"logits", "logits"}, step.logits);
  visit(Field{"other_logits", "other_logits"}, step.other_logits);
  visit(Field{"log_sum_exp", "log_sum_exp"}, step.log_sum_exp);
  visit(Field{"entropy_vocab", "entropy_vocab", {}, false, true}, step.vocab_entropy);
  visit(Field{"likely_tokens", "top_tokens"}, step.likely_tokens);
  visit(Field{"logged_probs"}, step.logged_probs);
}

template <class Reading, class Visitor>
requires std::same_as<std::remove_const_t<Reading>, AnswerReading>
void visit_fields(Reading& reading, Visitor&& visit) {
  visit(Field{"bare", "bare"}, reading.bare_probs);
  visit(Field{"spaced", "spaced"}, reading.spaced_probs);
  visit(Field{"is_top", "is_top"}, reading.is_top);
}

template <class Values, class Visitor>
requires std::same_as<std::remove_const_t<Values>, ReadoutValues>
void visit_fields(Values& values, Visitor&& visit) {
  visit(Field{"name", "name"}, values.name);
  visit(Field{"params", "params"}, values.params);
  visit(Field{"place", "answer", {}, false, true}, values.place);
  visit(Field{"normalisation", "normalisation"}, values.normalisation);
  visit(Field{"probs", "p"}, values.probs);
  visit(Field{"lower", "lower", {}, false, true}, values.lower);
  visit(Field{"upper", "upper", {}, false, true}, values.upper);
  visit(Field{"std_errors", "stderr", {}, false, true}, values.std_errors);
  visit(Field{"empty", "empty", {}, false, true}, values.empty);
  visit(Field{"off_format", "off_format", {}, false, true}, values.off_format);
  visit(Field{"unexplored", "unexplored", {}, false, true}, values.unexplored);
  visit(Field{"label_mass", "label_mass", {}, false, true}, values.label_mass);
  visit(Field{"sets", "sets", {}, false, true}, values.sets);
  visit(Field{"slots", "slots", {}, false, true}, values.slots);
  visit(Field{"forced", "forced", {}, false, true}, values.forced);
  visit(Field{"drawn", "drawn", {}, false, true}, values.drawn);
  visit(Field{"n_extra_tokens", "n_extra_tokens"}, values.n_extra_tokens);
  visit(Field{"n_nodes", "n_nodes", {}, false, true}, values.n_nodes);
  visit(Field{"n_samples", "n_samples", {}, false, true}, values.n_samples);
}

template <class Attention, class Visitor>
requires std::same_as<std::remove_const_t<Attention>, LabelAttention>
void visit_fields(Attention& attention, Visitor&& visit) {
  visit(Field{"input", "input"}, attention.input);
  visit(Field{"previous_labels", "prev_label"}, attention.previous_labels);
  visit(Field{"predicting_tokens", "only_label_token"}, attention.predicting_tokens);
  visit(Field{"label_tokens", "label_token"}, attention.label_tokens);
}

template <class Slot, class Visitor>
requires std::same_as<std::remove_const_t<Slot>, SlotValues>
void visit_fields(Slot& slot, Visitor&& visit) {
  visit(Field{"number", "t"}, slot.number);
  visit(Field{"index", "index"}, slot.index);
  visit(Field{"seen", "seen", {}, false, true}, slot.seen);
  visit(Field{"written", "written", {}, false, true}, slot.written);
  visit(Field{"probs", "q"}, slot.probs);
  visit(Field{"empty", "empty", {}, false, true}, slot.empty);
  visit(Field{"ends", "ends", {}, false, true}, slot.ends);
  visit(Field{"label_mass", "label_mass", {}, false, true}, slot.label_mass);
  visit(Field{"unclaimed", "unclaimed", {}, false, true}, slot.unclaimed);
}

template <class Drawn, class Visitor>
requires std::same_as<std::remove_const_t<Drawn>, DrawnAnswer>
void visit_fields(Drawn& drawn, Visitor&& visit) {
  visit(Field{"text", "text"}, drawn.text);
  visit(Field{"end", "end", {}, false, true}, drawn.end);
  visit(Field{"n", "n"}, drawn.n);
}

template <class Set, class Visitor>
requires std::same_as<std::remove_const_t<Set>, SetProbability>
void visit_fields(Set& set, Visitor&& visit) {
  visit(Field{"labels", "labels"}, set.labels);
  visit(Field{"prob", "p"}, set.prob);
}

}  // namespace labelprobe::record
