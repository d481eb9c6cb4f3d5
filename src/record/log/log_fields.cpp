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
