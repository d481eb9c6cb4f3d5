// The kernels of the GPU, run on the host by stand-ins for CUDA: their arithmetic, edges and
// barriers, against float64 written out here. What only a GPU can show is in gpu_test.cpp.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "model/attention/attention_plan.h"
#include "model/cuda/attention_kernels.h"
#include "model/cuda/quantized_kernels.h"
#include "model/cuda/reading_kernel.h"
#include "model/cuda/row_kernels.h"
#include "support/catch.h"

namespace labelprobe::model::cuda {
namespace {

template <typename T>
std::vector<T> random_numbers(std::size_t n, unsigned seed, float spread = 1.0f) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.0f, spread);
  std::vector<T> numbers(n);
  for (T& x : numbers) x = from_float<T>(normal(generator));
  return numbers;
}

template <typename T>
double epsilon_of() {
  return std::is_same_v<T, float> ? 2e-6 : std::is_same_v<T, Bf16> ? 4e-3 : 5e-4;
}

// Queries and an arena of one layer; strides are wider than they need be, the rest is NaN.
template <typename T>
struct Layer {
  AttentionShape shape;
  int n_key_heads = 1;
  int head_size = 64;
  std::int64_t n_arena_rows = 0;
  int query_pad = 0;
  int key_pad = 0;
  std::vector<T> queries;
  std::vector<T> keys;
  std::vector<T> values;

  std::int64_t query_stride() const {
    return std::int64_t{n_key_heads} * shape.n_groups * head_size + query_pad;
  }
  std::int64_t key_stride() const { return std::int64_t{n_key_heads} * head_size + key_pad; }
  void fill() {
    queries = random_numbers<T>(shape.n_rows * query_stride(), 1);
    keys = random_numbers<T>(n_arena_rows * key_stride(), 2);
    values = random_numbers<T>(n_arena_rows * key_stride(), 3);
    poison(queries, query_stride(), query_pad);
    poison(keys, key_stride(), key_pad);
    poison(values, key_stride(), key_pad);
  }
  static void poison(std::vector<T>& rows, std::int64_t stride, int pad) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (static_cast<std::int64_t>(i) % stride >= stride - pad) rows[i] = from_float<T>(NAN);
    }
  }
};

// What flash attention is asked for by a level: values [T, H, D] and logs [H, T]; rows without keys
// hold what it leaves there.
template <typename T>
struct LevelResult {
  std::vector<T> values;
  std::vector<float> logs;
};

template <typename T>
double score(const Layer<T>& layer, std::int64_t row, int head, std::int64_t key) {
  const int key_head = head / layer.shape.n_groups;
  double sum = 0;
  for (int d = 0; d < layer.head_size; ++d) {
    sum +=
        double{to_float(layer.queries[row * layer.query_stride() + head * layer.head_size + d])} *
        to_float(layer.keys[key * layer.key_stride() + key_head * layer.head_size + d]);
  }
  return sum / std::sqrt(layer.head_size);
}

// One row and head over any keys, in float64; the log of the denominator comes last.
template <typename T>
std::vector<double> attend_exactly(const Layer<T>& layer,
                                   std::int64_t row,
                                   int head,
                                   const std::vector<std::int64_t>& seen) {
  std::vector<double> result(layer.head_size + 1);
  double total = 0;
  for (const std::int64_t key : seen) total += std::exp(score(layer, row, head, key));
  for (const std::int64_t key : seen) {
    const double weight = std::exp(score(layer, row, head, key)) / total;
    for (int d = 0; d < layer.head_size; ++d) {
      const std::int64_t head_start = head / layer.shape.n_groups * layer.head_size;
      result[d] += weight * to_float(layer.values[key * layer.key_stride() + head_start + d]);
    }
  }
  result[layer.head_size] = std::log(total);
  return result;
}

template <typename T>
LevelResult<T> attend_level(const Layer<T>& layer, const FlashLevel& level) {
  const int n_heads = layer.n_key_heads * layer.shape.n_groups;
  LevelResult<T> result;
  result.values.assign(layer.shape.n_rows * n_heads * layer.head_size, from_float<T>(NAN));
  result.logs.assign(n_heads * layer.shape.n_rows, INFINITY);
  REQUIRE(level.first_rows.back() == layer.shape.n_rows);
  REQUIRE(level.first_keys.size() == level.first_rows.size());
  for (std::size_t s = 0; s < level.n_keys.size(); ++s) {
    const std::int32_t n_rows = level.first_rows[s + 1] - level.first_rows[s];
    REQUIRE(n_rows <= level.n_most_rows);
    REQUIRE(level.n_keys[s] <= level.n_most_keys);
    if (level.mask == Mask::Causal && level.n_keys[s] > 0) REQUIRE(level.n_keys[s] == n_rows);
    for (std::int32_t i = 0; i < n_rows && level.n_keys[s] > 0; ++i) {
      std::vector<std::int64_t> seen(level.mask == Mask::Causal ? i + 1 : level.n_keys[s]);
      for (std::size_t k = 0; k < seen.size(); ++k) {
        seen[k] = level.first_keys[s] + static_cast<std::int64_t>(k);
      }
      const std::int64_t row = level.first_rows[s] + i;
      for (int head = 0; head < n_heads; ++head) {
        const std::vector<double> exact = attend_exactly(layer, row, head, seen);
        for (int d = 0; d < layer.head_size; ++d) {
          result.values[(row * n_heads + head) * layer.head_size + d] =
              from_float<T>(static_cast<float>(exact[d]));
        }
        result.logs[head * layer.shape.n_rows + row] = static_cast<float>(exact.back());
      }
    }
  }
  return result;
}

// As the launcher does it.
template <typename T>
void run_items(AttendArguments<T> arguments,
               const AttentionItem* items,
               std::size_t n_items,
               int n_queries,
               int n_key_heads) {
  if (n_items == 0) return;
  arguments.items = items;
  const bool is_found = with_attend_tile(n_queries, arguments.head_size, [&](auto tile) {
    using Tile = decltype(tile);
    launch_on_host({static_cast<unsigned>(n_items), static_cast<unsigned>(n_key_heads)},
                   kAttendThreads, Tile::kFloats,
                   [&] { attend_items<T, Tile::kQueries, Tile::kKeys, Tile::kHead>(arguments); });
  });
  REQUIRE(is_found);
}

template <typename T>
std::vector<T> attend_by_kernels(const Layer<T>& layer,
                                 const AttentionPlan& plan,
                                 bool is_aligned,
                                 const std::int32_t* n_steps = nullptr) {
  const int n_heads = layer.n_key_heads * layer.shape.n_groups;
  std::vector<float> parts(plan.n_parts * n_heads * layer.head_size, NAN);
  std::vector<float> logs(plan.n_parts * n_heads, NAN);
  AttendArguments<T> arguments;
  arguments.queries = layer.queries.data();
  arguments.keys = layer.keys.data();
  arguments.values = layer.values.data();
  arguments.n_steps = n_steps;
  arguments.runs = plan.runs.data();
  arguments.n_seen = plan.n_seen.data();
  arguments.parts = parts.data();
  arguments.logs = logs.data();
  arguments.query_stride = layer.query_stride();
  arguments.key_stride = layer.key_stride();
  arguments.value_stride = layer.key_stride();
  arguments.n_groups = layer.shape.n_groups;
  arguments.head_size = layer.head_size;
  arguments.scale = 1.0f / std::sqrt(static_cast<float>(layer.head_size));
  arguments.is_aligned = is_aligned;
  run_items(arguments, plan.items.data(), plan.n_wide, kWideTile, layer.n_key_heads);
  run_items(arguments, plan.items.data() + plan.n_wide, plan.items.size() - plan.n_wide,
            kNarrowTile, layer.n_key_heads);

  std::vector<LevelResult<T>> levels;
  for (const FlashLevel& level : plan.levels) levels.push_back(attend_level(layer, level));
  std::vector<T> result(layer.shape.n_rows * n_heads * layer.head_size, from_float<T>(NAN));
  MergeArguments<T> merge;
  merge.parts = parts.data();
  merge.logs = logs.data();
  for (std::size_t i = 0; i < levels.size(); ++i) {
    merge.level_values[i] = levels[i].values.data();
    merge.level_logs[i] = levels[i].logs.data();
  }
  merge.first_parts = plan.first_parts.data();
  merge.part_ids = plan.part_ids.data();
  merge.result = result.data();
  merge.n_rows = static_cast<int>(layer.shape.n_rows);
  merge.n_heads = n_heads;
  merge.head_size = layer.head_size;
  launch_on_host({static_cast<unsigned>(layer.shape.n_rows), static_cast<unsigned>(n_heads)},
                 kMergeThreads, 0, [&] { merge_parts<T>(merge); });
  return result;
}

template <typename T>
void expect_attention(const Layer<T>& layer,
                      const std::vector<KeySegment>& segments,
                      const std::vector<T>& result) {
  const int n_heads = layer.n_key_heads * layer.shape.n_groups;
  double worst = 0;
  for (std::int64_t row = 0; row < layer.shape.n_rows; ++row) {
    std::vector<std::int64_t> seen;
    for (const KeySegment& segment : segments) {
      if (row < segment.first_row || row >= segment.end_row) continue;
      const std::int64_t n_seen = segment.mask == Mask::Causal
                                      ? std::min(segment.n_keys, row - segment.first_row + 1)
                                      : segment.n_keys;
      for (std::int64_t k = 0; k < n_seen; ++k) seen.push_back(segment.first_key + k);
    }
    for (int head = 0; head < n_heads; ++head) {
      const std::vector<double> exact = attend_exactly(layer, row, head, seen);
      for (int d = 0; d < layer.head_size; ++d) {
        const double found = to_float(result[(row * n_heads + head) * layer.head_size + d]);
        const double error = std::abs(found - exact[d]);
        worst = std::isnan(error) ? INFINITY : std::max(worst, error);
      }
    }
  }
  CHECK(worst < 4 * epsilon_of<T>());
}

// A tree: eleven rows below two nodes of one ancestor, one row without siblings, and decoding rows.
std::vector<KeySegment> tree_segments() {
  return {
      {100, 70, 0, 12, Mask::None},   {3, 300, 0, 7, Mask::None},   {310, 9, 7, 12, Mask::None},
      {400, 5, 0, 5, Mask::Causal},   {405, 2, 5, 7, Mask::Causal}, {407, 5, 7, 12, Mask::Causal},
      {412, 1, 12, 13, Mask::Causal}, {0, 257, 13, 14, Mask::None}, {420, 1, 13, 14, Mask::None}};
}

template <typename T>
void check_tree(int head_size, int n_groups, bool allows_flash, int key_pad) {
  CAPTURE(head_size, n_groups, allows_flash, key_pad);
  Layer<T> layer;
  layer.shape = {14, n_groups, std::is_same_v<T, float>, true, allows_flash};
  layer.n_key_heads = 2;
  layer.head_size = head_size;
  layer.n_arena_rows = 424;
  layer.query_pad = 3;
  layer.key_pad = key_pad;
  layer.fill();
  const std::vector<KeySegment> segments = tree_segments();
  const AttentionPlan plan = make_attention_plan(layer.shape, segments);
  CHECK(plan.levels.empty() != allows_flash);
  const bool is_aligned = head_size % 8 == 0 && key_pad % 8 == 0;
  expect_attention(layer, segments, attend_by_kernels(layer, plan, is_aligned));
}

}  // namespace

TEST_CASE("The attention kernels agree with float64 over a tree of segments", "[cuda]") {
  check_tree<float>(64, 3, false, 0);
  check_tree<float>(32, 1, false, 8);
  check_tree<float>(20, 2, false, 1);
  check_tree<float>(128, 4, false, 0);
  check_tree<float>(96, 7, false, 0);
  check_tree<Bf16>(64, 3, false, 0);
  check_tree<Fp16>(80, 2, false, 8);
}

// Two texts: one whose branches lie within, at and behind a cut, with a row that decodes; and a
// short one. Keys lie anywhere in the arena.
std::vector<KeySegment> texts_in_parts() {
  return {{500, 250, 0, 40, Mask::None, 0},     {100, 20, 0, 30, Mask::None, 250},
          {800, 8, 30, 38, Mask::Causal, 250},  {0, 6, 38, 40, Mask::None, 250},
          {900, 2, 38, 40, Mask::Causal, 256},  {200, 240, 0, 30, Mask::None, 270},
          {820, 28, 0, 28, Mask::Causal, 510},  {850, 1, 28, 29, Mask::None, 510},
          {851, 3, 29, 30, Mask::None, 510, 4}, {60, 3, 40, 43, Mask::Causal, 0}};
}

template <typename T>
void check_fixed_cuts(int head_size, int n_groups, std::int64_t row_step = 1) {
  CAPTURE(head_size, n_groups);
  Layer<T> layer;
  layer.shape = {43, n_groups, std::is_same_v<T, float>};
  layer.n_key_heads = 2;
  layer.head_size = head_size;
  layer.n_arena_rows = 910;
  layer.fill();
  const std::vector<KeySegment> segments = texts_in_parts();
  const AttentionPlan plan = make_attention_plan(layer.shape, segments);
  CHECK(plan.levels.empty());
  const std::vector<T> together = attend_by_kernels(layer, plan, true);
  expect_attention(layer, segments, together);

  // Rows alone, their keys in one piece at the arena's end: the same bits.
  const int n_heads = layer.n_key_heads * n_groups;
  const std::int64_t row_size = std::int64_t{n_heads} * head_size;
  for (std::int64_t row = 0; row < 43; row += row_step) {
    CAPTURE(row);
    std::vector<KeySegment> path;
    for (const KeySegment& segment : segments) {
      if (segment.first_row <= row && row < segment.end_row) path.push_back(segment);
    }
    std::sort(path.begin(), path.end(), [](const KeySegment& a, const KeySegment& b) {
      return a.first_position < b.first_position;
    });
    Layer<T> alone = layer;
    alone.shape.n_rows = 1;
    alone.queries.assign(layer.queries.begin() + row * layer.query_stride(),
                         layer.queries.begin() + (row + 1) * layer.query_stride());
    const std::int64_t stride = layer.key_stride();
    std::int64_t n_keys = 0;
    for (const KeySegment& segment : path) {
      const std::int64_t n =
          segment.mask == Mask::Causal ? row - segment.first_row + 1 : segment.n_keys;
      for (auto& [from, to] :
           {std::pair(&layer.keys, &alone.keys), std::pair(&layer.values, &alone.values)}) {
        std::copy_n(from->begin() + segment.first_key * stride, n * stride,
                    to->begin() + n_keys * stride);
      }
      n_keys += n;
    }
    const AttentionPlan own =
        make_attention_plan(alone.shape, std::vector<KeySegment>{{0, n_keys, 0, 1, Mask::None, 0}});
    const std::vector<T> result = attend_by_kernels(alone, own, true);
    CHECK(std::memcmp(result.data(), together.data() + row * row_size, row_size * sizeof(T)) == 0);
  }
}

TEST_CASE("Cut at fixed positions, a row's bits depend on what it sees alone", "[cuda]") {
  check_fixed_cuts<float>(64, 3);
  check_fixed_cuts<float>(24, 1);
  check_fixed_cuts<Bf16>(128, 4);
  check_fixed_cuts<Fp16>(64, 20);
  check_fixed_cuts<float>(136, 1, /*row_step=*/14);
}

TEST_CASE("Rows that go on have the bits of rows that are planned anew", "[cuda]") {
  Layer<Bf16> layer;
  layer.shape = {2, 3, false};
  layer.head_size = 32;
  layer.n_arena_rows = 700;
  layer.fill();
  // The first passes a cut after two steps; the second has no room after three.
  const auto segments_after = [](std::int64_t n_steps, bool is_planned_ahead) {
    std::vector<KeySegment> segments = {{10, 250, 0, 2, Mask::None, 0},
                                        {300, 4, 0, 1, Mask::None, 250, 9},
                                        {400, 1, 1, 2, Mask::None, 250, 3}};
    for (KeySegment& segment : segments) {
      if (is_planned_ahead || segment.n_more == 0) continue;
      segment.n_keys += std::min(n_steps, segment.n_more);
      segment.n_more = 0;
    }
    return segments;
  };
  const AttentionPlan ahead = make_attention_plan(layer.shape, segments_after(0, true));
  for (std::int32_t n_steps = 0; n_steps <= 9; ++n_steps) {
    CAPTURE(n_steps);
    const std::vector<KeySegment> segments = segments_after(n_steps, false);
    const AttentionPlan anew = make_attention_plan(layer.shape, segments);
    const auto grown = attend_by_kernels(layer, ahead, true, &n_steps);
    const auto expected = attend_by_kernels(layer, anew, true);
    expect_attention(layer, segments, grown);
    CHECK(std::memcmp(grown.data(), expected.data(), expected.size() * sizeof(Bf16)) == 0);
  }
}

TEST_CASE("Attention tiles for large heads agree with float64", "[cuda]") {
  for (const int n_groups : {2, 8}) {
    for (const int head_size : {136, 256}) {
      CAPTURE(n_groups, head_size);
      Layer<float> layer;
      layer.shape = {9, n_groups, true, true, false};
      layer.head_size = head_size;
      layer.n_arena_rows = 90;
      layer.fill();
      const std::vector<KeySegment> segments = {
          {0, 70, 0, 9, Mask::None}, {70, 3, 3, 4, Mask::None}, {80, 9, 0, 9, Mask::Causal}};
      const AttentionPlan plan = make_attention_plan(layer.shape, segments);
      REQUIRE(plan.n_wide > 0);
      REQUIRE(plan.n_wide < static_cast<int>(plan.items.size()));
      expect_attention(layer, segments, attend_by_kernels(layer, plan, true));
    }
  }
}

TEST_CASE("Every head size has a tile, whose keys do not depend on its queries", "[cuda]") {
  CHECK_FALSE(with_attend_tile(kWideTile, kMaxHead + 1, [](auto) {}));
  CHECK_FALSE(with_attend_tile(kNarrowTile + 1, 64, [](auto) {}));
  for (int head_size = 1; head_size <= kMaxHead; ++head_size) {
    CAPTURE(head_size);
    const int n_expected = head_size <= 64 ? 64 : head_size <= 128 ? 128 : 256;
    std::vector<int> n_keys;
    for (const int n_queries : {kWideTile, kNarrowTile}) {
      REQUIRE(with_attend_tile(n_queries, head_size, [&](auto tile) {
        CHECK(tile.kQueries == n_queries);
        CHECK(tile.kHead == n_expected);
        n_keys.push_back(tile.kKeys);
      }));
    }
    CHECK(n_keys.at(0) == n_keys.at(1));
  }
  // What the smallest of the GPUs has, as its maker says.
  for_each_attend_tile([](auto tile) { CHECK(int{tile.kBytes} <= 101376); });
}

TEST_CASE("Rows that share their keys with no other agree with float64", "[cuda]") {
  // Keys of one, two and more columns of a tile, in one tile and in several.
  for (const int n_groups : {1, 3, 8, 9}) {
    for (const std::int64_t n_keys : {1, 16, 17, 33, 64, 70, 100, 300}) {
      CAPTURE(n_groups, n_keys);
      Layer<Bf16> layer;
      layer.shape = {2, n_groups, false, true, false};
      layer.head_size = 24;
      layer.n_arena_rows = 320;
      layer.fill();
      const std::vector<KeySegment> segments = {
          {3, n_keys, 0, 1, Mask::None}, {310, 2, 0, 2, Mask::None}, {1, 5, 1, 2, Mask::None}};
      const AttentionPlan plan = make_attention_plan(layer.shape, segments);
      expect_attention(layer, segments, attend_by_kernels(layer, plan, true));
    }
  }
}

TEST_CASE("Levels of flash attention are merged with what single rows see", "[cuda]") {
  check_tree<Bf16>(64, 3, true, 0);
  check_tree<Fp16>(40, 1, true, 8);
  const AttentionPlan plan = make_attention_plan({14, 3, false, true, true}, tree_segments());
  // The ancestor; the two nodes below it; the rows' own nodes, which are causal.
  REQUIRE(plan.levels.size() == 3);
  CHECK(plan.levels[0].first_rows == std::vector<std::int32_t>{0, 12, 14});
  CHECK(plan.levels[1].first_rows == std::vector<std::int32_t>{0, 7, 12, 14});
  CHECK(plan.levels[1].n_keys == std::vector<std::int32_t>{300, 9, 0});
  CHECK(plan.levels[2].mask == Mask::Causal);
  CHECK(plan.levels[2].first_keys == std::vector<std::int32_t>{400, 405, 407, 0, 0});
}

TEST_CASE("Long runs of rows do not multiply the blocks of short ones", "[cuda]") {
  // A node of 700 rows, and below it 300 of four rows each; one of those has a parent of its own.
  std::vector<KeySegment> segments = {{0, 700, 0, 700, Mask::Causal},
                                      {0, 700, 700, 1900, Mask::None},
                                      {5000, 9, 1500, 1504, Mask::None}};
  for (std::int64_t row = 700; row < 1900; row += 4) {
    segments.push_back({row, 4, row, row + 4, Mask::Causal});
  }
  const AttentionPlan plan = make_attention_plan({1900, 4, false, true, true}, segments);
  REQUIRE(plan.levels.size() == 4);
  CHECK(plan.items.empty());
  std::int64_t n_blocks = 0;
  for (const FlashLevel& level : plan.levels) {
    CHECK(level.first_rows.back() == 1900);
    const std::int64_t n_tiles = (level.n_most_rows + 127) / 128;
    n_blocks += n_tiles * static_cast<std::int64_t>(level.n_keys.size());
  }
  CHECK(n_blocks < 600);
}

TEST_CASE("More levels than can be merged go through the items", "[cuda]") {
  Layer<Bf16> layer;
  layer.shape = {2, 1, false, true, true};
  layer.head_size = 8;
  layer.n_arena_rows = 40;
  layer.fill();
  std::vector<KeySegment> segments;
  for (int i = 0; i < 20; ++i) segments.push_back({2 * i, 2, 0, 2, Mask::None});
  const AttentionPlan plan = make_attention_plan(layer.shape, segments);
  CHECK(plan.levels.size() == 16);
  expect_attention(layer, segments, attend_by_kernels(layer, plan, true));
}

TEST_CASE("Every row has a part, and no part is written twice", "[cuda]") {
  std::mt19937 generator(5);
  for (int round = 0; round < 50; ++round) {
    const std::int64_t n_rows = static_cast<std::int64_t>(1 + generator() % 200);
    std::vector<KeySegment> segments = {
        {0, static_cast<std::int64_t>(1 + generator() % 900), 0, n_rows, Mask::None}};
    for (std::int64_t row = 0; row < n_rows;) {
      const std::int64_t end =
          std::min<std::int64_t>(n_rows, row + 1 + static_cast<std::int64_t>(generator() % 40));
      segments.push_back({1000 + row, end - row, row, end, Mask::Causal});
      row = end;
    }
    const bool is_wide = round % 2 == 0;
    const AttentionPlan plan = make_attention_plan(
        {n_rows, 1 + round % 8, is_wide, true, !is_wide && round % 4 == 1}, segments);
    std::vector<int> n_uses(plan.n_parts);
    for (const std::int32_t id : plan.part_ids) {
      if (id >= 0) ++n_uses.at(id);
    }
    CHECK(std::all_of(n_uses.begin(), n_uses.end(), [](int n) { return n == 1; }));
    for (const AttentionItem& item : plan.items) {
      REQUIRE(item.n_keys > 0);
      REQUIRE(item.n_rows > 0);
    }
  }
}

TEST_CASE("Items grow with the steps taken", "[cuda]") {
  Layer<float> layer;
  layer.shape = {1, 2, true, true, false};
  layer.head_size = 16;
  layer.n_arena_rows = 20;
  layer.fill();
  // Four keys at first, ten at most, in two items of five.
  AttentionPlan plan = make_attention_plan(layer.shape, std::vector<KeySegment>{{2, 4, 0, 1}});
  REQUIRE(plan.items.size() == 1);
  plan.items.push_back(plan.items.front());
  plan.items[0].capacity = plan.items[1].capacity = 5;
  plan.items[1].first_key = 7;
  plan.items[1].n_keys = -1;
  plan.items[1].first_part = 1;
  plan.n_parts = 2;
  plan.first_parts = {0, 2};
  plan.part_ids = {0, 1};
  for (std::int32_t n_steps = 0; n_steps <= 6; ++n_steps) {
    CAPTURE(n_steps);
    expect_attention(layer, {{2, 4 + n_steps, 0, 1, Mask::None}},
                     attend_by_kernels(layer, plan, true, &n_steps));
  }
}

TEST_CASE("A plan leaves room for the keys of further steps", "[cuda]") {
  // Narrow items, of which the second has keys after some steps only, and wide ones.
  const bool is_wide = GENERATE(false, true);
  Layer<float> layer;
  layer.shape = {2, is_wide ? 20 : 2, true, true, false};
  layer.head_size = 16;
  layer.n_arena_rows = 400;
  layer.fill();
  layer.shape.is_fast = GENERATE(false, true);
  const std::vector<KeySegment> segments = {{0, 20, 0, 2, Mask::None},
                                            {30, 254, 0, 1, Mask::None, 20, 10},
                                            {300, 3, 1, 2, Mask::None, 20, 2}};
  const AttentionPlan plan = make_attention_plan(layer.shape, segments);
  CHECK((plan.n_wide > 0) == is_wide);
  for (const std::int32_t n_steps : {0, 1, 2, 3, 9, 10, 11}) {
    CAPTURE(is_wide, n_steps);
    std::vector<KeySegment> grown = segments;
    for (KeySegment& segment : grown) {
      segment.n_keys += std::min<std::int64_t>(n_steps, segment.n_more);
    }
    expect_attention(layer, grown, attend_by_kernels(layer, plan, true, &n_steps));
  }
}

TEMPLATE_TEST_CASE(
    "Rows are normed as libtorch's operators norm them", "[cuda]", float, Bf16, Fp16) {
  using T = TestType;
  // Columns, and what lies between rows: a multiple of eight of both is read in pieces.
  for (const auto& [n_columns, n_between] : std::vector<std::pair<int, int>>{
           {1, 5}, {31, 5}, {256, 5}, {700, 1}, {8, 0}, {704, 8}, {2072, 16}}) {
    CAPTURE(n_columns, n_between);
    constexpr int kRows = 3;
    const std::int64_t stride = n_columns + n_between;
    const bool is_aligned = n_columns % 8 == 0 && n_between % 8 == 0;
    const auto x = random_numbers<T>(kRows * stride, 7, 3.0f);
    const auto weight = random_numbers<float>(n_columns, 8);
    std::vector<T> result(kRows * n_columns, from_float<T>(NAN));
    launch_on_host({kRows, 1}, kRowThreads, 0, [&] {
      rms_norm_rows<T>(x.data(), stride, weight.data(), 1e-5f, n_columns, is_aligned,
                       result.data());
    });
    double worst = 0;
    for (int row = 0; row < kRows; ++row) {
      double squares = 0;
      for (int i = 0; i < n_columns; ++i) squares += std::pow(to_float(x[row * stride + i]), 2.0);
      const double scale = 1.0 / std::sqrt(squares / n_columns + 1e-5);
      for (int i = 0; i < n_columns; ++i) {
        const double exact = to_float(x[row * stride + i]) * scale * weight[i];
        const double found = to_float(result[row * n_columns + i]);
        worst = std::max(worst, std::abs(found - exact) / (std::abs(exact) + 1e-3));
      }
    }
    CHECK(worst < 3 * epsilon_of<T>());
  }
}

TEMPLATE_TEST_CASE("Heads are rotated, and keys and values put into the arena",
                   "[cuda]",
                   float,
                   Bf16) {
  using T = TestType;
  constexpr int kRows = 2;
  constexpr int kSize = 6;
  constexpr int kHeads = 3 + 2 + 2;
  constexpr std::int64_t kStride = kHeads * kSize + 1;
  constexpr std::int64_t kArenaStride = 2 * kSize + 2;
  const auto before = random_numbers<T>(kRows * kStride, 9);
  const auto angles = random_numbers<float>(kRows * kSize / 2, 10);
  std::vector<float> cosines;
  std::vector<float> sines;
  for (const float angle : angles) {
    cosines.push_back(std::cos(angle));
    sines.push_back(std::sin(angle));
  }
  const std::vector<std::int64_t> arena_rows = {4, 1};
  const T unwritten = from_float<T>(77.0f);
  std::vector<T> keys(5 * kArenaStride, unwritten);
  std::vector<T> values(5 * kArenaStride, unwritten);
  std::vector<T> heads = before;
  RotateArguments<T> arguments;
  arguments.heads = heads.data();
  arguments.cosines = cosines.data();
  arguments.sines = sines.data();
  arguments.keys = keys.data();
  arguments.values = values.data();
  arguments.arena_rows = arena_rows.data();
  arguments.stride = kStride;
  arguments.key_stride = kArenaStride;
  arguments.value_stride = kArenaStride;
  arguments.n_queries = 3;
  arguments.n_keys = 2;
  arguments.n_values = 2;
  arguments.head_size = kSize;
  launch_on_host({kRows, 1}, kRowThreads, 0, [&] { rotate_rows<T>(arguments); });

  for (int row = 0; row < kRows; ++row) {
    for (int head = 0; head < kHeads; ++head) {
      for (int d = 0; d < kSize; ++d) {
        const std::int64_t first = row * kStride + head * kSize;
        const int pair = d % (kSize / 2);
        const double left = to_float(before[first + pair]);
        const double right = to_float(before[first + pair + kSize / 2]);
        const double angle = angles[row * kSize / 2 + pair];
        double exact = d < kSize / 2 ? left * std::cos(angle) - right * std::sin(angle)
                                     : right * std::cos(angle) + left * std::sin(angle);
        if (head >= 5) exact = to_float(before[first + d]);
        const std::int64_t slot = arena_rows[row] * kArenaStride + (head - 3) % 2 * kSize + d;
        const T found = head < 3 ? heads[first + d] : head < 5 ? keys[slot] : values[slot];
        CHECK(std::abs(to_float(found) - exact) <= epsilon_of<T>() * (std::abs(exact) + 0.5));
      }
    }
    const std::int64_t behind = arena_rows[row] * kArenaStride + 2 * kSize;
    CHECK(to_float(keys[behind]) == 77.0f);
    CHECK(to_float(values[behind]) == 77.0f);
  }
  CHECK(std::count_if(keys.begin(), keys.end(), [](T x) { return to_float(x) == 77.0f; }) ==
        static_cast<std::ptrdiff_t>(keys.size()) - kRows * 2 * kSize);
}

TEMPLATE_TEST_CASE("Gates are applied in one pass", "[cuda]", float, Bf16, Fp16) {
  using T = TestType;
  for (const bool is_aligned : {false, true}) {
    CAPTURE(is_aligned);
    const int width = is_aligned ? kGateColumns<T> + 24 : kGateColumns<T> + 3;
    const std::int64_t stride = 2 * width + (is_aligned ? 8 : 3);
    auto gate_up = random_numbers<T>(2 * stride, 11, 4.0f);
    gate_up[0] = from_float<T>(-200.0f);
    gate_up[1] = from_float<T>(200.0f);
    std::vector<T> result(2 * width, from_float<T>(NAN));
    launch_on_host({2, 2}, kRowThreads, 0,
                   [&] { gate_rows<T>(gate_up.data(), stride, width, is_aligned, result.data()); });
    double worst = 0;
    for (int row = 0; row < 2; ++row) {
      for (int i = 0; i < width; ++i) {
        const double gate = to_float(gate_up[row * stride + i]);
        const double exact =
            gate / (1 + std::exp(-gate)) * to_float(gate_up[row * stride + width + i]);
        const double error = std::abs(to_float(result[row * width + i]) - exact);
        worst = std::isnan(error) ? INFINITY : std::max(worst, error / (std::abs(exact) + 1e-3));
      }
    }
    CHECK(worst < 3 * epsilon_of<T>());
  }
}

TEMPLATE_TEST_CASE("Codes of 4 and 8 bits become what they stand for", "[cuda]", float, Bf16) {
  using T = TestType;
  constexpr std::int64_t kElements = 64 * 300 + 7;
  std::mt19937 generator(12);
  std::vector<std::uint8_t> codes((kElements + 1) / 2);
  for (std::uint8_t& code : codes) code = static_cast<std::uint8_t>(generator());
  const auto levels = random_numbers<float>(16, 13);
  const auto absmax = random_numbers<float>(301, 14);
  std::vector<T> result(kElements + 1, from_float<T>(NAN));
  Dequantize4BitArguments<T> arguments;
  arguments.codes = codes.data();
  std::copy(levels.begin(), levels.end(), arguments.levels);
  arguments.absmax = absmax.data();
  arguments.n = kElements;
  arguments.result = result.data();
  const auto run = [&](bool is_aligned) {
    std::fill(result.begin(), result.end(), from_float<T>(NAN));
    arguments.is_aligned = is_aligned;
    launch_on_host({3, 1}, kDequantizeThreads, 0, [&] { dequantize_4bit<T>(arguments); });
  };
  const auto expect_all = [&](const std::function<float(std::int64_t)>& absmax_of) {
    std::int64_t n_wrong = 0;
    for (std::int64_t i = 0; i < kElements; ++i) {
      const int code = i % 2 == 0 ? codes[i / 2] >> 4 : codes[i / 2] & 15;
      const float exact = levels[code] * absmax_of(i / 64);
      n_wrong += to_float(result[i]) != to_float(from_float<T>(exact));
    }
    CHECK(n_wrong == 0);
    CHECK(std::isnan(to_float(result[kElements])));
  };
  for (const bool is_aligned : {false, true}) {
    run(is_aligned);
    expect_all([&](std::int64_t block) { return absmax[block]; });
  }

  std::vector<std::uint8_t> absmax_codes(301);
  for (std::uint8_t& code : absmax_codes) code = static_cast<std::uint8_t>(generator());
  const auto absmax_levels = random_numbers<float>(256, 15);
  const auto outer = random_numbers<float>(2, 16);
  arguments.absmax = nullptr;
  arguments.absmax_codes = absmax_codes.data();
  arguments.absmax_levels = absmax_levels.data();
  arguments.outer_absmax = outer.data();
  arguments.offset = 0.0625f;
  for (const bool is_aligned : {false, true}) {
    run(is_aligned);
    expect_all([&](std::int64_t block) {
      const volatile float product = absmax_levels[absmax_codes[block]] * outer[block / 256];
      return product + 0.0625f;
    });
  }

  const std::vector<std::int8_t> rows = {-128, 127, 0, 3, -1, 100};
  const std::vector<float> row_absmax = {2.5f, 0.3f};
  std::vector<T> wide(6);
  launch_on_host({2, 1}, kDequantizeThreads, 0,
                 [&] { dequantize_rows<T>(rows.data(), row_absmax.data(), 3, wide.data()); });
  for (int i = 0; i < 6; ++i) {
    const volatile float product = static_cast<float>(rows[i]) * row_absmax[i / 3];
    CHECK(to_float(wide[i]) == to_float(from_float<T>(product * 7.874015718698502e-3f)));
  }
}

TEST_CASE("A step is read in one launch", "[cuda]") {
  constexpr int kVocab = 1100;
  constexpr int kTop = 4;
  const std::vector<std::int64_t> watched = {1099, 0, 512};
  constexpr int kColumnsOfReading = kFirstTopOfReading + 2 * kTop + 3;
  auto logits = random_numbers<float>(4 * kVocab, 17, 5.0f);
  // Ties, of both zeros too; a NaN; the largest at the end.
  std::fill(logits.begin(), logits.begin() + kVocab, -1.0f);
  logits[700] = -0.0f;
  logits[30] = 0.0f;
  logits[31] = 0.0f;
  logits[2 * kVocab + 5] = NAN;
  logits[4 * kVocab - 1] = 90.0f;
  std::vector<double> readings(4 * kColumnsOfReading, -5);
  ReadArguments<float> arguments;
  arguments.logits = logits.data();
  arguments.stride = kVocab;
  arguments.n_vocab = kVocab;
  arguments.n_top = kTop;
  arguments.watched = watched.data();
  arguments.n_watched = 3;
  arguments.readings = readings.data();
  launch_on_host({4, 1}, kReadThreads, 0, [&] { read_rows<float>(arguments); });

  for (int row = 0; row < 4; ++row) {
    CAPTURE(row);
    const float* of_row = logits.data() + row * kVocab;
    const double* reading = readings.data() + row * kColumnsOfReading;
    CHECK(reading[0] == (row == 2 ? 1 : 0));
    for (int i = 0; i < 3; ++i)
      CHECK(reading[kFirstTopOfReading + 2 * kTop + i] == of_row[watched[i]]);
    if (row == 2) continue;
    std::vector<int> ids(kVocab);
    for (int i = 0; i < kVocab; ++i) ids[i] = i;
    std::stable_sort(ids.begin(), ids.end(), [&](int a, int b) { return of_row[a] > of_row[b]; });
    double total = 0;
    double weighted = 0;
    for (int i = 0; i < kVocab; ++i) {
      total += std::exp(double{of_row[i]});
      weighted += std::exp(double{of_row[i]}) * of_row[i];
    }
    for (int i = 0; i < kTop; ++i) {
      CHECK(reading[kFirstTopOfReading + i] == ids[i]);
      CHECK(reading[kFirstTopOfReading + kTop + i] == of_row[ids[i]]);
    }
    CHECK(std::abs(reading[1] - std::log(total)) < 1e-5);
    CHECK(std::abs(reading[2] - (std::log(total) - weighted / total)) < 1e-5);
  }
}

}  // namespace labelprobe::model::cuda
