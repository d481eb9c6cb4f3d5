// How the attention of a pass is divided on a GPU. As a rule our own kernel computes all of it,
// item by item, cut at fixed positions of the texts (key_blocks.h): a row's numbers do not depend
// on the schedule. Where speed is asked for instead, longer runs of rows go through libtorch's
// flash attention, level by level, where it takes the type, and items are what the segments are.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/attention/key_segment.h"
#include "model/cuda/attention_item.h"

namespace labelprobe::model::cuda {

// Keys that a block with few queries takes, and positions between two cuts. Prompts that part
// between two cuts each read the keys from the cut on, so few positions spare much; but each cut
// costs the writing and reading of a part. By `labelprobe plan`, 8B on an H200, attention of 200
// items takes 0.59 s (binary) with cuts at every 256th position, 0.46 s with 128 and 0.48 s with
// 64.
constexpr std::int64_t kPositionsPerPart = 128;

struct AttentionShape {
  std::int64_t n_rows = 0;
  int n_groups = 1;           // query heads per key head
  bool is_wide_type = false;  // float32
  bool is_fast = false;
  bool allows_flash = false;  // whether this type and head size may go through it, if it is fast
  // Positions that a row sees, the last its own; 0 = all. Otherwise not fast, and without segments
  // that grow: with its row the window goes on too.
  std::int64_t window = 0;
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
  std::vector<std::int32_t> runs;    // of items, pairs; see AttentionItem
  std::vector<std::int32_t> n_seen;  // by part, of items with runs
  std::vector<FlashLevel> levels;
  // What is merged into each row: part_ids[first_parts[row]..first_parts[row + 1]), a part of an
  // item, or -1 - level.
  std::vector<std::int32_t> first_parts;
  std::vector<std::int32_t> part_ids;
};

AttentionPlan make_attention_plan(const AttentionShape& shape,
                                  std::span<const KeySegment> segments);

}  // namespace labelprobe::model::cuda
