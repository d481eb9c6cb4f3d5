#include "labelprobe/record/log_fields.h"

#include <array>

namespace labelprobe::record {

std::span<const LogField> log_fields() {
  static constexpr std::array kFields = {
      LogField{"test_text", "the item's own text"},
      LogField{"test_gt", "gold labels, in label-set order; single-label sets: one name"},
      LogField{"test_preds", "predicted labels, likewise"},
      LogField{"test_answer_source",
               "how the predictions were had of the answer: listed, searched or nothing"},
      LogField{"test_cut_off", "true where the answer ends inside what may be a label's name"},
      LogField{"test_scores",
               "probabilities at the first label step (classify: a list, of all label steps)"},
      LogField{"test_all_scores", "probabilities at every label step"},
      LogField{"test_label_found",
               "whether the answer names a label; if not, test_scores holds 1/n for each"},
      LogField{"test_label_steps", "what was measured at every label step"},
      LogField{"test_label_steps: index", "its place in test_outs_ids, from 0"},
      LogField{"test_label_steps: space",
               "whether the label's token begins with a space (spaced) or not (bare)"},
      LogField{"test_label_steps: logits", "the raw logit of every label's first token"},
      LogField{"test_label_steps: other_logits", "those of the form with, or without, the space"},
      LogField{"test_label_steps: log_sum_exp",
               "natural log of the sum of exp over the whole vocabulary"},
      LogField{"test_label_steps: top_tokens", "the likeliest tokens with their raw logits"},
      LogField{"test_logits", "raw logits of the labels at the first label step"},
      LogField{"test_outs", "the answer up to the stop string"},
      LogField{"test_residual_outs", "the rest of the answer"},
      LogField{"test_prefix_outs", "the chain of thought before the answer"},
      LogField{"test_outs_ids", "generated token ids"},
      LogField{"test_outs_id_index", "place of the first label step in test_outs_ids"},
      LogField{"test_top_token", "the likeliest token at the first label step"},
      LogField{"test_top_token_logit", "its raw logit"},
      LogField{"test_top_tokens", "the likeliest tokens there with their raw logits"},
      LogField{"test_answers",
               "unary and binary: probabilities of the answer words at three places (greedy, "
               "first, healed)"},
      LogField{"test_answers: bare", "of the words without a space before them"},
      LogField{"test_answers: spaced", "of the words with a space before them"},
      LogField{"test_answers: is_top", "whether the likeliest token begins an answer word"},
      LogField{"test_stated", "verbalized: reported numbers, expected values, mass of numbers"},
      LogField{"test_readouts", "what each readout of --readouts makes of the item"},
      LogField{"test_readouts: name", "of the readout, see labelprobe ls readouts"},
      LogField{"test_readouts: params", "every setting that changes its numbers"},
      LogField{"test_readouts: normalisation",
               "what its probabilities are relative to: vocab, labelset or answer"},
      LogField{"test_readouts: p", "a probability for every label"},
      LogField{"test_readouts: lower", "lower bounds of them"},
      LogField{"test_readouts: upper", "upper bounds of them"},
      LogField{"test_readouts: stderr", "standard errors of them"},
      LogField{"test_readouts: empty", "probability of the answer that lists nothing"},
      LogField{"test_readouts: off_format", "probability of what is no answer of the format"},
      LogField{"test_readouts: unexplored", "probability of what was not looked at"},
      LogField{"test_readouts: label_mass",
               "what labels and the empty answer hold where the first label may begin"},
      LogField{"test_readouts: sets", "the most probable label sets, largest first"},
      LogField{"test_readouts: n_extra_tokens",
               "tokens computed beside the prompt and the greedy answer"},
      LogField{"test_readouts: n_nodes", "nodes of the answer tree that it looked at"},
      LogField{"test_readouts: n_samples", "answers drawn"},
      LogField{"test_checked_label", "assess: the label that was asked about"},
      LogField{"test_n_prompt_tokens", "length of the prompt"},
      LogField{"test_prompt_hash", "hash of the prompt"},
      LogField{"test_failure", "why the item could not be run; it is left out of the metrics"},
      LogField{"test_classification_loss", "0.0; published readers ask for it"},
      LogField{"test_regularization_loss", "0.0; published readers ask for it"},
  };
  return kFields;
}

}  // namespace labelprobe::record
