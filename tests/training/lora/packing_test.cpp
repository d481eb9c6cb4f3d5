#include "training/lora/packing.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "support/catch.h"

namespace labelprobe::training {

TEST_CASE("Items are packed end to end, with an end token behind each", "[unit]") {
  const std::vector<TrainingItem> items = {
      {"a", {1, 2, 3}}, {"b", {4}}, {"c", {5, 6, 7, 8, 9}}, {"d", {10}}};
  const Packed packed = pack(items, 0, 4);
  // 1 2 3 0 | 4 0 5 6 | 7 8 9 0 | 10 0 is left over
  CHECK(packed.n_tokens == 14);
  REQUIRE(packed.n_blocks() == 3);
  CHECK(at::equal(packed.tokens,
                  at::tensor({1, 2, 3, 0, 4, 0, 5, 6, 7, 8, 9, 0}, at::kLong).view({3, 4})));
  CHECK(packed.first_items == std::vector<std::size_t>{0, 1, 2});
  CHECK(packed.last_items == std::vector<std::size_t>{0, 2, 2});
  CHECK(packed.longest_item == 6);
  CHECK(packed.n_split == 1);
}

TEST_CASE("Fewer tokens than a block make none", "[unit]") {
  CHECK(pack(std::vector<TrainingItem>{{"a", {1, 2}}}, 0, 4).n_blocks() == 0);
  CHECK(pack({}, 0, 4).n_blocks() == 0);
}

TEST_CASE("Every epoch takes every block once, in an order of its own", "[unit]") {
  FinetuneSettings settings;
  settings.batch_size = 3;
  settings.n_accumulated = 2;
  CHECK(steps_per_epoch(10, settings) == 2);
  std::vector<std::vector<std::int64_t>> epochs;
  for (std::int64_t epoch = 0; epoch < 2; ++epoch) {
    std::vector<std::int64_t> taken;
    for (std::int64_t step = 2 * epoch; step < 2 * epoch + 2; ++step) {
      for (const auto& pass : passes_of_step(10, settings, step))
        taken.insert(taken.end(), pass.begin(), pass.end());
    }
    epochs.push_back(taken);
    std::sort(taken.begin(), taken.end());
    CHECK(taken == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  }
  CHECK(epochs[0] != epochs[1]);
  CHECK(passes_of_step(10, settings, 1) == passes_of_step(10, settings, 1));
  REQUIRE(passes_of_step(10, settings, 1).size() == 2);  // 3 and what is left
  CHECK(passes_of_step(10, settings, 1)[1].size() == 1);
}

}  // namespace labelprobe::training
