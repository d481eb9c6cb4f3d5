// Names in an entry of indexed_metrics.yml that are no field of an item but a view of several.
#pragma once

#include "labelprobe/record/label_step.h"

namespace labelprobe::record {

inline constexpr const char* kScores = "test_scores";
inline constexpr const char* kAllScores = "test_all_scores";
inline constexpr const char* kLogits = "test_logits";
inline constexpr const char* kLabelFound = "test_label_found";
inline constexpr const char* kFirstIndex = "test_outs_id_index";
inline constexpr const char* kTopTokens = "test_top_tokens";

inline const char* name_of(SpaceVariant variant) {
  return variant == SpaceVariant::Bare ? "bare" : "spaced";
}

}  // namespace labelprobe::record
