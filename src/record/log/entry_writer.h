// What of an item stands in indexed_metrics.yml, and under which names.
#pragma once

#include "labelprobe/files/yaml_writer.h"
#include "labelprobe/record/item_record.h"
#include "labelprobe/record/run.h"

namespace labelprobe::record {

// The entry of one item: the fields of visit_fields() under their log names, where a single-label
// item has a name instead of a list of names (null for a word answer that never came), and the
// published views of the label steps:
//   test_scores, test_all_scores     label probabilities at the first and at every label step;
//                                    LogLayout::scores_are_all_steps: test_scores at every step
//   test_logits                      raw label logits at the first label step, {} without one
//   test_label_found                 ours; false: test_scores is the uniform stand-in
//   test_outs_id_index               of the first label step
//   test_top_tokens, test_top_token, test_top_token_logit   absent if no logits were kept
//   test_classification_loss, test_regularization_loss      0.0: nothing is trained
// An item that could not be run has only the fields of its question and test_failure.
files::JsonF32 entry_of(const ItemRecord& item, LogLayout layout);

}  // namespace labelprobe::record
