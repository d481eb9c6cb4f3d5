#include "model/attention/key_blocks.h"

#include <algorithm>
#include <limits>

#include "labelprobe/core/error.h"

namespace labelprobe::model {
namespace {

// Positions that two neighbours' paths have in common.
std::int64_t common_positions(std::span<const KeySegment* const> a,
                              std::span<const KeySegment* const> b) {
  const auto differ = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first;
  if (differ == a.begin()) return 0;
  const KeySegment& last = **(differ - 1);
  return last.first_position + last.n_keys;
}

}  // namespace

void KeyBlocks::plan(std::int64_t n_rows, std::span<const KeySegment> segments) {
  const std::int64_t n_spans = (n_rows + sizes_.n_rows - 1) / sizes_.n_rows;
  std::vector<std::vector<const KeySegment*>> by_span(static_cast<std::size_t>(n_spans));
  for (const KeySegment& segment : segments) {
    const std::int64_t end = (segment.end_row + sizes_.n_rows - 1) / sizes_.n_rows;
    for (std::int64_t i = segment.first_row / sizes_.n_rows; i < end; ++i) {
      by_span[i].push_back(&segment);
    }
  }
  positions_.assign(n_rows, 0);
  blocks_.clear();
  runs_.clear();
  first_blocks_.assign(1, 0);
  for (std::int64_t i = 0; i < n_spans; ++i) {
    std::stable_sort(by_span[i].begin(), by_span[i].end(),
                     [](const KeySegment* a, const KeySegment* b) {
                       return a->first_position < b->first_position;
                     });
    find_rows(i * sizes_.n_rows, std::min(n_rows, (i + 1) * sizes_.n_rows), by_span[i]);
    append_blocks();
    first_blocks_.push_back(blocks_.size());
  }
}

bool KeyBlocks::is_seen(const KeyBlock& block, std::int64_t window) const {
  if (window == 0) return true;
  for (std::int64_t row = block.first_row; row < block.end_row; ++row) {
    if (n_passed(block, row, window) < n_seen(block, row)) return true;
  }
  return false;
}

void KeyBlocks::find_rows(std::int64_t first,
                          std::int64_t end,
                          std::span<const KeySegment* const> touching) {
  bounds_.assign({first, end});
  for (const KeySegment* segment : touching) {
    if (segment->first_row > first) bounds_.push_back(segment->first_row);
    if (segment->end_row < end) bounds_.push_back(segment->end_row);
  }
  std::sort(bounds_.begin(), bounds_.end());
  bounds_.erase(std::unique(bounds_.begin(), bounds_.end()), bounds_.end());
  rows_.clear();
  for (std::size_t i = 0; i + 1 < bounds_.size(); ++i) {
    Rows rows{bounds_[i], bounds_[i + 1], 0, 0, {}};
    for (const KeySegment* segment : touching) {
      if (segment->first_row > rows.first || segment->end_row < rows.end) continue;
      LABELPROBE_CHECK(segment->first_position == rows.end_position);
      LABELPROBE_CHECK(rows.path.empty() || rows.path.back()->mask == Mask::None);
      rows.end_position +=
          segment->mask == Mask::Causal ? rows.end - segment->first_row : segment->n_keys;
      rows.path.push_back(segment);
    }
    LABELPROBE_CHECK(!rows.path.empty());
    const bool is_causal = rows.path.back()->mask == Mask::Causal;
    for (std::int64_t row = rows.first; row < rows.end; ++row) {
      positions_[row] = rows.end_position - 1 - (is_causal ? rows.end - 1 - row : 0);
    }
    if (sizes_.has_room_to_grow) rows.end_position += rows.path.back()->n_more;
    if (i > 0) rows.n_common = common_positions(rows_.back().path, rows.path);
    rows_.push_back(std::move(rows));
  }
}

// Neighbours that see the same keys of a block are attended together.
void KeyBlocks::append_blocks() {
  std::int64_t end_position = 0;
  for (const Rows& rows : rows_) end_position = std::max(end_position, rows.end_position);
  for (std::int64_t position = 0; position < end_position; position += sizes_.n_positions) {
    const auto end_of = [&](const Rows& rows) {
      return std::min(position + sizes_.n_positions, rows.end_position);
    };
    // Positions that the path whose keys are in memory has in common with that of the rows at hand.
    std::int64_t n_common = 0;
    for (std::size_t first = 0; first < rows_.size();) {
      if (rows_[first].end_position <= position) {
        n_common = std::min(n_common, rows_[first].n_common);
        ++first;
        continue;
      }
      std::size_t end = first + 1;
      std::size_t longest = first;
      while (end < rows_.size() && rows_[end].end_position > position &&
             rows_[end].n_common >= std::max(end_of(rows_[longest]), end_of(rows_[end]))) {
        if (end_of(rows_[end]) > end_of(rows_[longest])) longest = end;
        ++end;
      }
      for (std::size_t i = first; i <= longest; ++i) {
        n_common = std::min(n_common, rows_[i].n_common);
      }
      KeyBlock block;
      block.first_position = position;
      block.n_keys = end_of(rows_[longest]) - position;
      const bool has_neighbour = !blocks_.empty() && blocks_.size() > first_blocks_.back() &&
                                 blocks_.back().first_position == position;
      if (has_neighbour) {
        const std::int64_t n_equal =
            std::min({n_common - position, blocks_.back().n_keys, block.n_keys});
        block.n_kept = std::max<std::int64_t>(0, n_equal) / kLanes * kLanes;
      }
      append_runs(block, rows_[longest]);
      block.first_row = rows_[first].first;
      if (rows_[first].path.back()->mask == Mask::Causal) {
        // It reaches the block with its later rows only.
        while (positions_[block.first_row] < position) ++block.first_row;
      }
      block.end_row = rows_[end - 1].end;
      blocks_.push_back(block);
      n_common = std::numeric_limits<std::int64_t>::max();
      for (std::size_t i = longest + 1; i < end; ++i) {
        n_common = std::min(n_common, rows_[i].n_common);
      }
      first = end;
    }
  }
}

void KeyBlocks::append_runs(KeyBlock& block, const Rows& rows) {
  block.first_run = runs_.size();
  const std::int64_t end_position = block.first_position + block.n_keys;
  for (const KeySegment* segment : rows.path) {
    const std::int64_t first = std::max(block.first_position, segment->first_position);
    const std::int64_t n_keys = segment->n_keys + (sizes_.has_room_to_grow ? segment->n_more : 0);
    const std::int64_t end = std::min(end_position, segment->first_position + n_keys);
    if (first >= end) continue;
    const std::int64_t key = segment->first_key + first - segment->first_position;
    KeyRun* last = runs_.size() > block.first_run ? &runs_.back() : nullptr;
    if (last && last->first_key + last->n_keys == key) {
      last->n_keys += end - first;
    } else {
      runs_.push_back({key, end - first});
    }
  }
  block.end_run = runs_.size();
}

}  // namespace labelprobe::model
