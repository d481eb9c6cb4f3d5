// Which rows of the arena are given out, and that what is written can be read where it belongs.
#include "model/engine/kv_arena.h"

#include <algorithm>
#include <new>
#include <random>
#include <set>
#include <vector>

#include <ATen/ATen.h>

#include "labelprobe/core/error.h"

#include "support/catch.h"

namespace labelprobe::model {

TEST_CASE("Rows are given out from the lowest hole that is large enough", "[unit]") {
  RowRanges ranges(10);
  CHECK(ranges.reserve(3) == 0);
  CHECK(ranges.reserve(2) == 3);
  CHECK(ranges.reserve(4) == 5);
  CHECK_FALSE(ranges.reserve(2));
  CHECK(ranges.n_free() == 1);
  ranges.release(3, 2);
  CHECK_FALSE(ranges.reserve(3));
  CHECK(ranges.reserve(1) == 3);
  ranges.release(0, 3);
  ranges.release(3, 1);
  CHECK(ranges.reserve(5) == 0);
  ranges.release(5, 4);
  CHECK(ranges.reserve(5) == 5);
  CHECK(ranges.n_free() == 0);
}

TEST_CASE("Rows given back in parts and in any order are whole again", "[unit]") {
  std::mt19937 random(GENERATE(1, 2, 3));
  RowRanges ranges(200);
  std::vector<bool> is_taken(200);
  std::vector<std::int64_t> taken;
  for (int i = 0; i < 500; ++i) {
    const auto n = static_cast<std::int64_t>(1 + random() % 20);
    if (const auto first = ranges.reserve(n)) {
      for (std::int64_t row = *first; row < *first + n; ++row) {
        REQUIRE_FALSE(is_taken[row]);
        is_taken[row] = true;
        taken.push_back(row);
      }
    }
    std::shuffle(taken.begin(), taken.end(), random);
    for (std::size_t k = random() % (taken.size() + 1); k > 0; --k) {
      ranges.release(taken.back(), 1);
      is_taken[taken.back()] = false;
      taken.pop_back();
    }
    REQUIRE(ranges.n_free() == 200 - static_cast<std::int64_t>(taken.size()));
  }
  for (const std::int64_t row : taken) ranges.release(row, 1);
  CHECK(ranges.reserve(200) == 0);
}

TEST_CASE("Rows that are free cannot be given back", "[unit]") {
  RowRanges ranges(10);
  ranges.reserve(6);
  CHECK_THROWS_AS(ranges.release(5, 2), InternalError);
  ranges.release(2, 2);
  CHECK_THROWS_AS(ranges.release(1, 2), InternalError);
  CHECK_THROWS_AS(ranges.release(3, 1), InternalError);
}

TEST_CASE("A full arena says so as memory does", "[unit]") {
  KvArena arena(c10::Device(at::kCPU), 1, 8, 1, 4, at::kFloat);
  CHECK(arena.reserve(5) == 0);
  CHECK_THROWS_AS(arena.reserve(4), std::bad_alloc);
  CHECK(arena.reserve(3) == 5);
}

TEST_CASE("Keys and values are read from the rows where they were written", "[unit]") {
  KvArena arena(c10::Device(at::kCPU), 2, 9, 3, 4, at::kFloat);
  // As parts of a fused projection: rows wider than what is written of them.
  const at::Tensor projected = at::randn({3, 8, 4});
  const at::Tensor keys = projected.narrow(1, 2, 3);
  const at::Tensor values = projected.narrow(1, 5, 3);
  arena.write(1, 4, keys, values);
  CHECK(at::equal(arena.keys(1).narrow(0, 4, 3), keys));
  CHECK(at::equal(arena.values(1).narrow(0, 4, 3), values));
  const at::Tensor rows = at::tensor({8, 0, 5}, at::kLong);
  arena.write(0, rows, keys, values);
  CHECK(at::equal(arena.keys(0).index_select(0, rows), keys));
  CHECK(at::equal(arena.values(0).index_select(0, rows), values));
  // Heads that do not follow one another.
  const at::Tensor spread = at::randn({3, 6, 4}).slice(1, 0, 6, 2);
  arena.write(0, rows, spread, spread);
  CHECK(at::equal(arena.keys(0).index_select(0, rows), spread));
}

}  // namespace labelprobe::model
