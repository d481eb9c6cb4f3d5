#include "model/attention/attention_plan.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

#include "labelprobe/core/error.h"

#include "model/attention/key_blocks.h"

namespace labelprobe::model::cuda {
namespace {

// Flash attention works on dozens of rows at once. One row is better off in a kernel that reads
// each key once for all query heads that share it.
constexpr std::int64_t kMinFlashRows = 2;

// Rows that a block of flash attention takes. Each sequence of a level gets as many blocks as the
// longest one needs: long and short ones go to different levels.
constexpr std::int64_t kFlashTile = 128;

// What merge_parts() takes, one less than it: deeper trees are rare, and their rest stays right.
constexpr std::size_t kMaxLevels = 16;

bool can_flash(const AttentionShape& shape, const KeySegment& segment) {
  const std::int64_t n_rows = segment.end_row - segment.first_row;
  // It lets the last row see the last key.
  const bool fits = segment.mask == Mask::None || segment.n_keys == n_rows;
  return shape.allows_flash && fits && n_rows >= kMinFlashRows && segment.n_more == 0;
}

void append(FlashLevel& level, std::int64_t n_rows, std::int64_t first_key, std::int64_t n_keys) {
  level.first_rows.push_back(level.first_rows.back() + static_cast<std::int32_t>(n_rows));
  level.first_keys.back() = static_cast<std::int32_t>(first_key);
  level.first_keys.push_back(0);
  level.n_keys.push_back(static_cast<std::int32_t>(n_keys));
  level.n_most_rows = std::max(level.n_most_rows, static_cast<std::int32_t>(n_rows));
  level.n_most_keys = std::max(level.n_most_keys, static_cast<std::int32_t>(n_keys));
}

// Rows up to this one that see no keys in the level.
void append_gap(FlashLevel& level, std::int64_t end_row) {
  while (level.first_rows.back() < end_row) {
    append(level, std::min(kFlashTile, end_row - level.first_rows.back()), 0, 0);
  }
}

// The level that takes a segment's rows; none where all are taken.
int find_level(std::vector<FlashLevel>& levels, const KeySegment& segment) {
  const bool is_long = segment.end_row - segment.first_row > kFlashTile;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (levels[i].mask == segment.mask && (levels[i].n_most_rows > kFlashTile) == is_long &&
        levels[i].first_rows.back() <= segment.first_row) {
      return static_cast<int>(i);
    }
  }
  if (levels.size() == kMaxLevels) return -1;
  FlashLevel& level = levels.emplace_back();
  level.mask = segment.mask;
  level.first_rows = {0};
  level.first_keys = {0};
  return static_cast<int>(levels.size()) - 1;
}

struct Divided {
  std::vector<AttentionItem> wide;
  std::vector<AttentionItem> narrow;
  std::vector<std::pair<std::int32_t, std::int32_t>> parts;  // row, part or -1 - level
  std::int64_t n_parts = 0;
};

// The part of a segment's keys, from `first` on, that one run of items takes; those that are still
// to come count among them.
void divide_rows(const AttentionShape& shape,
                 const KeySegment& segment,
                 std::int64_t first,
                 std::int64_t n_keys,
                 std::int64_t tile,
                 Divided& divided) {
  const std::int64_t rows_each = std::max<std::int64_t>(1, tile / shape.n_groups);
  for (std::int64_t row = segment.first_row; row < segment.end_row; row += rows_each) {
    AttentionItem item;
    item.first_row = static_cast<std::int32_t>(row);
    item.n_rows = static_cast<std::int32_t>(std::min(rows_each, segment.end_row - row));
    item.first_key = static_cast<std::int32_t>(segment.first_key + first);
    item.n_keys = static_cast<std::int32_t>(n_keys);
    item.diagonal = std::numeric_limits<std::int32_t>::max();
    item.first_part = static_cast<std::int32_t>(divided.n_parts);
    if (segment.mask == Mask::Causal) {
      item.diagonal = static_cast<std::int32_t>(segment.first_key - segment.first_row);
      // Keys behind the last row's are seen by none.
      const std::int64_t n_seen = row + item.n_rows - segment.first_row - first;
      if (n_seen <= 0) continue;
      item.n_keys = static_cast<std::int32_t>(std::min(n_keys, n_seen));
    } else if (segment.n_more > 0) {
      item.n_keys = static_cast<std::int32_t>(segment.n_keys - first);
      item.capacity = static_cast<std::int32_t>(n_keys);
    }
    for (std::int32_t i = 0; i < item.n_rows; ++i) {
      divided.parts.emplace_back(item.first_row + i, item.first_part + i);
    }
    divided.n_parts += item.n_rows;
    (tile == kWideTile ? divided.wide : divided.narrow).push_back(item);
  }
}

void divide(const AttentionShape& shape, const KeySegment& segment, Divided& divided) {
  LABELPROBE_CHECK(segment.n_more == 0 || segment.mask == Mask::None);
  const std::int64_t n_queries = (segment.end_row - segment.first_row) * shape.n_groups;
  const std::int64_t n_keys = segment.n_keys + segment.n_more;
  if (shape.n_groups > kNarrowTile || (shape.is_wide_type && n_queries > kNarrowTile)) {
    divide_rows(shape, segment, 0, n_keys, kWideTile, divided);
    return;
  }
  for (std::int64_t first = 0; first < n_keys; first += kPositionsPerPart) {
    const std::int64_t n = std::min(kPositionsPerPart, n_keys - first);
    divide_rows(shape, segment, first, n, kNarrowTile, divided);
  }
}

// The keys of a block from `first` on, for rows that see the first of these.
void add_item(const AttentionShape& shape,
              const KeyBlocks& blocks,
              const KeyBlock& block,
              std::int64_t first_row,
              std::int64_t end_row,
              std::int64_t first,
              Divided& divided,
              AttentionPlan& plan) {
  AttentionItem item;
  item.first_row = static_cast<std::int32_t>(first_row);
  item.n_rows = static_cast<std::int32_t>(end_row - first_row);
  item.n_keys = static_cast<std::int32_t>(block.n_keys - first);
  item.first_part = static_cast<std::int32_t>(divided.n_parts);
  item.first_run = static_cast<std::int32_t>(plan.runs.size() / 2);
  std::int64_t n_before = -first;
  for (const KeyRun& run : blocks.runs(block)) {
    const std::int64_t n_passed = std::max<std::int64_t>(0, -n_before);
    if (n_passed < run.n_keys) {
      plan.runs.insert(plan.runs.end(), {static_cast<std::int32_t>(n_before + n_passed),
                                         static_cast<std::int32_t>(run.first_key + n_passed)});
    }
    n_before += run.n_keys;
  }
  plan.runs.insert(plan.runs.end(), {kEndOfRuns, 0});
  for (std::int64_t row = first_row; row < end_row; ++row) {
    plan.n_seen.push_back(static_cast<std::int32_t>(blocks.n_seen(block, row) - first));
    divided.parts.emplace_back(static_cast<std::int32_t>(row),
                               static_cast<std::int32_t>(divided.n_parts++));
  }
  if (item.n_rows == 1 && plan.n_seen.back() < item.n_keys) {
    // Its row goes on with further steps.
    item.n_keys = plan.n_seen.back();
    item.capacity = static_cast<std::int32_t>(block.n_keys - first);
  }
  const bool is_wide = item.n_rows * shape.n_groups > kNarrowTile;
  (is_wide ? divided.wide : divided.narrow).push_back(item);
}

// A block of keys for the rows that see it. Rows whose window begins within the block see its end
// each from another key on: each is an item of its own.
void add_block(const AttentionShape& shape,
               const KeyBlocks& blocks,
               const KeyBlock& block,
               Divided& divided,
               AttentionPlan& plan) {
  const auto n_passed = [&](std::int64_t row) { return blocks.n_passed(block, row, shape.window); };
  for (std::int64_t row = block.first_row; row < block.end_row;) {
    const std::int64_t first = n_passed(row);
    std::int64_t end = row + 1;
    while (first == 0 && end < block.end_row && n_passed(end) == 0) ++end;
    if (first == 0 || first < blocks.n_seen(block, row)) {
      add_item(shape, blocks, block, row, end, first, divided, plan);
    }
    row = end;
  }
}

void divide_at_fixed_positions(const AttentionShape& shape,
                               std::span<const KeySegment> segments,
                               Divided& divided,
                               AttentionPlan& plan) {
  KeyBlocks blocks({.n_positions = kPositionsPerPart,
                    .n_rows = std::max(1, kWideTile / shape.n_groups),
                    .has_room_to_grow = shape.window == 0});
  blocks.plan(shape.n_rows, segments);
  for (std::int64_t span = 0; span < blocks.n_spans(); ++span) {
    for (const KeyBlock& block : blocks.of_span(span)) {
      add_block(shape, blocks, block, divided, plan);
    }
  }
}

// By segments: the longer ones go to levels of flash attention.
void divide_by_segments(const AttentionShape& shape,
                        std::span<const KeySegment> segments,
                        Divided& divided,
                        AttentionPlan& plan) {
  std::vector<const KeySegment*> ordered;
  for (const KeySegment& segment : segments) ordered.push_back(&segment);
  std::stable_sort(ordered.begin(), ordered.end(), [](const KeySegment* a, const KeySegment* b) {
    return a->first_row < b->first_row;
  });
  for (const KeySegment* segment : ordered) {
    const int found = can_flash(shape, *segment) ? find_level(plan.levels, *segment) : -1;
    if (found < 0) {
      divide(shape, *segment, divided);
      continue;
    }
    FlashLevel& level = plan.levels[found];
    append_gap(level, segment->first_row);
    append(level, segment->end_row - segment->first_row, segment->first_key, segment->n_keys);
    for (std::int64_t row = segment->first_row; row < segment->end_row; ++row) {
      divided.parts.emplace_back(static_cast<std::int32_t>(row), -1 - found);
    }
  }
  for (FlashLevel& level : plan.levels) append_gap(level, shape.n_rows);
}

}  // namespace

AttentionPlan make_attention_plan(const AttentionShape& shape,
                                  std::span<const KeySegment> segments) {
  LABELPROBE_CHECK(shape.n_groups <= kWideTile && !(shape.is_fast && shape.window > 0));
  AttentionPlan plan;
  Divided divided;
  if (shape.is_fast) {
    divide_by_segments(shape, segments, divided, plan);
  } else {
    divide_at_fixed_positions(shape, segments, divided, plan);
  }

  plan.items = std::move(divided.wide);
  plan.n_wide = static_cast<int>(plan.items.size());
  plan.items.insert(plan.items.end(), divided.narrow.begin(), divided.narrow.end());
  plan.n_parts = divided.n_parts;
  std::stable_sort(divided.parts.begin(), divided.parts.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  plan.first_parts.assign(shape.n_rows + 1, 0);
  for (const auto& [row, id] : divided.parts) {
    ++plan.first_parts[row + 1];
    plan.part_ids.push_back(id);
  }
  for (std::int64_t row = 0; row < shape.n_rows; ++row) {
    LABELPROBE_CHECK(plan.first_parts[row + 1] > 0);
    plan.first_parts[row + 1] += plan.first_parts[row];
  }
  return plan;
}

}  // namespace labelprobe::model::cuda
