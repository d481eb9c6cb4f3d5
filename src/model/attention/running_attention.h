// What attention keeps of some queries while blocks of keys are still being added.
//   n  queries   D  head size, also rounded up to whole registers
#pragma once

#include <cstdint>
#include <vector>

#include "model/attention/key_blocks.h"

namespace labelprobe::model {

constexpr std::int64_t kQueryTile = 6;  // with kBlock columns, their sums fill 24 registers

// The keys of a block that a query sees; none where end is first.
struct SeenKeys {
  std::int64_t first = 0;
  std::int64_t end = 0;
};

// Words of 32 bits are a float32, or a pair of bfloat16. Columns beyond D hold nothing of meaning.
struct RunningAttention {
  std::vector<std::uint32_t> queries;  // [n, words of D]
  std::vector<float> sums;             // [n, D rounded up], of values times exp(score - largest)
  std::vector<float> largest;          // [n], of scores
  std::vector<float> totals;           // [n], of exp(score - largest)
  std::vector<std::uint32_t> keys;     // [words of D rounded up, kBlock], of a block, turned
  std::vector<std::uint32_t> values;   // [words of kBlock, D rounded up], where copied
  std::int64_t n_copied = 0;           // rows of `values` that hold those of the last block
  const void* key_rows[kBlock];        // of the block, where the arena has them
  const void* value_rows[kBlock];
  float scores[kQueryTile * kBlock];
  std::uint32_t weights[kQueryTile * kBlock / 2];  // of the scores, as pairs
};

}  // namespace labelprobe::model
