// Items one behind the other, cut into blocks; and the order in which a training takes them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "labelprobe/training/finetune.h"

namespace labelprobe::training {

struct Packed {
  at::Tensor tokens;                     // int64 [n_blocks, block_tokens]
  std::vector<std::size_t> first_items;  // [n_blocks]: the item that a block begins in
  std::vector<std::size_t> last_items;   // and the one it ends in
  std::int64_t n_tokens = 0;
  std::int64_t n_split = 0;
  std::int64_t longest_item = 0;

  std::int64_t n_blocks() const { return tokens.size(0); }
};

Packed pack(std::span<const TrainingItem> items, TokenId end_id, std::int64_t block_tokens);

// Blocks in the order of one epoch: numpy's permutation from the seed and the epoch.
std::vector<std::int64_t> order_of_epoch(std::int64_t n_blocks,
                                         std::int64_t seed,
                                         std::int64_t epoch);

// The blocks of a step, counted from 0, pass by pass. The last step of an epoch takes what is left.
std::vector<std::vector<std::int64_t>> passes_of_step(std::int64_t n_blocks,
                                                      const FinetuneSettings& settings,
                                                      std::int64_t step);

std::int64_t steps_per_epoch(std::int64_t n_blocks, const FinetuneSettings& settings);

}  // namespace labelprobe::training
