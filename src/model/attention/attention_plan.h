// How the attention of a pass is divided on a GPU: longer runs of rows go through libtorch's flash
// attention, level by level, where it takes the type; the rest through our own kernel, item by
// item. Decided by the segments alone, so the same pass adds in the same order on every GPU.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/attention/key_segment.h"
#include "model/cuda/attention_item.h"

namespace labelprobe::model::cuda {

struct AttentionShape {
  std::int64_t n_rows = 0;
  int n_groups = 1;           // query heads per key head
  bool is_wide_type = false;  // float32
  bool allows_flash = false;  // whether this type and head size may go through it
};

// One call of flash attention: segments of equal mask whose rows do not overlap, in order. Rows
// that none of them holds belong to sequences without keys.
struct FlashLevel {
  Mask mask = Mask::None;
  std::vector<std::int32_t> first_rows;  // of sequences, and the end of the last: [n + 1]
  std::vector<std::int32_t> first_keys;  // the same length, the last one unused
  std::vector<std::int32_t> n_keys;      // [n]
  std::int32_t n_most_rows = 0;          // of a sequence
  std::int32_t n_most_keys = 0;
};

struct AttentionPlan {
  std::vector<AttentionItem> items;  // wide ones first
  int n_wide = 0;
  std::int64_t n_parts = 0;
  std::vector<FlashLevel> levels;
  // What is merged into each row: part_ids[first_parts[row]..first_parts[row + 1]), a part of an
  // item, or -1 - level.
  std::vector<std::int32_t> first_parts;
  std::vector<std::int32_t> part_ids;
};

AttentionPlan make_attention_plan(const AttentionShape& shape,
                                  std::span<const KeySegment> segments);

}  // namespace labelprobe::model::cuda
