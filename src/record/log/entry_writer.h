// What of an item stands in indexed_metrics.yml, and under which names.
#pragma once

#include "labelprobe/record/item_record.h"
#include "labelprobe/record/run.h"

#include "record/disk/yaml_writer.h"

namespace labelprobe::record {

// The entry of one item, with the names of the published logs:
//   test_gt, test_preds              label names; a single-label item has a name instead of a list,
//                                    null for a word answer that never came
//   test_scores, test_all_scores     label probabilities at the first and at every label step;
//                                    LogLayout::Plain: test_scores at every label step
//   test_checked_label               of pair prompts
//   test_logits                      raw label logits at the first label step, {} without one
//   test_outs, test_residual_outs, test_prefix_outs, test_text
//   test_outs_ids, test_outs_id_index
//   test_top_tokens, test_top_token, test_top_token_logit   absent if no logits were kept
//   test_classification_loss, test_regularization_loss      0.0: nothing is trained
// and ours:
//   test_label_found                 false: test_scores is the uniform stand-in
//   test_answers                     of unary and binary prompts: {greedy, first, healed: {bare,
//                                    spaced: probabilities, is_top}}, those there are
//   test_prompt_hash, test_n_prompt_tokens
// An item that could not be run has only test_failure, test_gt, test_text and test_prompt_hash.
JsonF32 entry_of(const ItemRecord& item, LogLayout layout);

}  // namespace labelprobe::record
