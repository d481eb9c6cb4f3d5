#include "training/lora/packing.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "labelprobe/python/numpy_random.h"

namespace labelprobe::training {

Packed pack(std::span<const TrainingItem> items, TokenId end_id, std::int64_t block_tokens) {
  Packed packed;
  std::vector<std::int64_t> all;
  std::vector<std::size_t> item_at;  // of each block, the item at its first token
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto begin = static_cast<std::int64_t>(all.size());
    all.insert(all.end(), items[i].tokens.begin(), items[i].tokens.end());
    all.push_back(end_id);
    const auto end = static_cast<std::int64_t>(all.size());
    packed.longest_item = std::max(packed.longest_item, end - begin);
    if (begin / block_tokens != (end - 1) / block_tokens) ++packed.n_split;
    while (static_cast<std::int64_t>(item_at.size()) * block_tokens < end) item_at.push_back(i);
    // A block that this item ends is ended by it.
    while (static_cast<std::int64_t>(packed.last_items.size() + 1) * block_tokens <= end)
      packed.last_items.push_back(i);
  }
  packed.n_tokens = static_cast<std::int64_t>(all.size());
  const std::int64_t n_blocks = packed.n_tokens / block_tokens;
  packed.first_items.assign(item_at.begin(), item_at.begin() + n_blocks);
  packed.tokens = at::tensor(at::ArrayRef<std::int64_t>(
                                 all.data(), static_cast<std::size_t>(n_blocks * block_tokens)),
                             at::kLong)
                      .view({n_blocks, block_tokens});
  return packed;
}

std::vector<std::int64_t> order_of_epoch(std::int64_t n_blocks,
                                         std::int64_t seed,
                                         std::int64_t epoch) {
  python::NumpyRandom random(static_cast<std::uint32_t>(seed * 1000003 + epoch));
  const std::vector<int> drawn = random.permutation(static_cast<int>(n_blocks));
  return {drawn.begin(), drawn.end()};
}

std::int64_t steps_per_epoch(std::int64_t n_blocks, const FinetuneSettings& settings) {
  const std::int64_t per_step =
      static_cast<std::int64_t>(settings.batch_size) * settings.n_accumulated;
  return (n_blocks + per_step - 1) / per_step;
}

std::vector<std::vector<std::int64_t>> passes_of_step(std::int64_t n_blocks,
                                                      const FinetuneSettings& settings,
                                                      std::int64_t step) {
  const std::int64_t per_epoch = steps_per_epoch(n_blocks, settings);
  const auto order = order_of_epoch(n_blocks, settings.seed, step / per_epoch);
  std::vector<std::vector<std::int64_t>> passes;
  std::int64_t at = step % per_epoch * settings.batch_size * settings.n_accumulated;
  for (int i = 0; i < settings.n_accumulated && at < n_blocks; ++i) {
    const std::int64_t end = std::min<std::int64_t>(n_blocks, at + settings.batch_size);
    passes.emplace_back(order.begin() + at, order.begin() + end);
    at = end;
  }
  return passes;
}

}  // namespace labelprobe::training
