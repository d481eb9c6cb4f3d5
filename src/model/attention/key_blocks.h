// Which keys the rows of a pass see, block by block. Blocks are cut at fixed positions of a text,
// equally far apart, whatever the prefix tree looks like: a row then adds the same numbers in the
// same order however its prompt is shared, packed or continued. Knows nothing of tensors.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/attention/key_segment.h"

namespace labelprobe::model {

constexpr std::int64_t kBlock = 64;        // positions of a block on the CPU
constexpr std::int64_t kLanes = 16;        // of them that are loaded together
constexpr std::int64_t kRowsPerSpan = 32;  // rows that are attended together, there

struct BlockSizes {
  std::int64_t n_positions = kBlock;
  std::int64_t n_rows = kRowsPerSpan;  // of a span
  // Whether there are blocks for the keys that further steps add.
  bool has_room_to_grow = false;
};

// Consecutive rows of the arena that stand side by side in a block.
struct KeyRun {
  std::int64_t first_key = 0;
  std::int64_t n_keys = 0;
};

// The keys of one block, and the rows that see at least the first of them.
struct KeyBlock {
  std::int64_t first_position = 0;
  std::int64_t n_keys = 0;
  // Leading keys that the block before it, of the same positions, holds too: a multiple of kLanes.
  std::int64_t n_kept = 0;
  std::int64_t first_row = 0;
  std::int64_t end_row = 0;
  std::size_t first_run = 0;
  std::size_t end_run = 0;
};

class KeyBlocks {
 public:
  explicit KeyBlocks(BlockSizes sizes = {}) : sizes_(sizes) {}

  // Every row must see the positions from 0 to its own, all of them once.
  void plan(std::int64_t n_rows, std::span<const KeySegment> segments);

  std::int64_t n_spans() const { return static_cast<std::int64_t>(first_blocks_.size()) - 1; }
  // What the rows of a span see. A row's blocks ascend.
  std::span<const KeyBlock> of_span(std::int64_t span) const {
    return std::span(blocks_).subspan(first_blocks_[span],
                                      first_blocks_[span + 1] - first_blocks_[span]);
  }
  std::span<const KeyRun> runs(const KeyBlock& block) const {
    return std::span(runs_).subspan(block.first_run, block.end_run - block.first_run);
  }
  // Keys of a block that a row sees: less than 1 where further steps must come first.
  std::int64_t n_seen(const KeyBlock& block, std::int64_t row) const {
    return std::min(block.n_keys, positions_[row] - block.first_position + 1);
  }
  // Keys of a block that lie before the `window` positions that a row sees; 0 = it sees all. May be
  // more than the block has.
  std::int64_t n_passed(const KeyBlock& block, std::int64_t row, std::int64_t window) const {
    const std::int64_t first_seen = window > 0 ? positions_[row] - window + 1 : 0;
    return std::max<std::int64_t>(0, first_seen - block.first_position);
  }
  // Whether some row sees a key of the block.
  bool is_seen(const KeyBlock& block, std::int64_t window) const;

 private:
  // Neighbouring rows whose paths are the same segments.
  struct Rows {
    std::int64_t first = 0;
    std::int64_t end = 0;
    std::int64_t end_position = 0;  // behind the last row's
    std::int64_t n_common = 0;      // positions whose keys the rows before them see too
    std::vector<const KeySegment*> path;
  };
  void find_rows(std::int64_t first, std::int64_t end, std::span<const KeySegment* const> touching);
  void append_blocks();
  void append_runs(KeyBlock& block, const Rows& rows);

  BlockSizes sizes_;
  std::vector<std::int64_t> positions_;  // of each row
  std::vector<KeyBlock> blocks_;
  std::vector<std::size_t> first_blocks_;  // by span, and one more
  std::vector<KeyRun> runs_;
  // What is made of the span at hand.
  std::vector<Rows> rows_;
  std::vector<std::int64_t> bounds_;
};

}  // namespace labelprobe::model
