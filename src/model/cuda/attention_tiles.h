// The sizes that attention is compiled for, and the shared memory that each needs. The one list
// that the launcher, the tests and whoever plans for a card go through; no CUDA in here.
#pragma once

#include <tuple>

#include "model/cuda/attention_item.h"
#include "model/cuda/gpu_limits.h"

namespace labelprobe::model::cuda {

// Threads of a block: kColumns beside each other share a query, kLines queries at a time.
constexpr int kColumns = 16;
constexpr int kLines = 8;
constexpr int kAttendThreads = kColumns * kLines;

// A block takes so many queries and, one after another, so many keys at a time, of heads of at most
// this size.
template <int kTileQueries, int kTileKeys, int kTileHead>
struct AttendTile {
  static constexpr int kQueries = kTileQueries;
  static constexpr int kKeys = kTileKeys;
  static constexpr int kHead = kTileHead;
  // One column more than needed, so that neighbouring rows lie in different banks.
  static constexpr int kStride = kHead + 1;
  static constexpr int kWeightStride = kKeys + 1;
  // The last kKeys are where the arena has the keys at hand.
  static constexpr int kFloats = (kQueries + kKeys) * kStride + kQueries * kWeightStride + kKeys;
  // So many blocks share the registers of a multiprocessor: one waits for memory while another
  // computes. The compiler is told, and else keeps some of the numbers in memory to fit in more.
  static constexpr int kBlocks = kQueries == kNarrowTile ? 4 : 2;
  static constexpr int kBytes = kFloats * int{sizeof(float)};

  static_assert(kQueries % kLines == 0 && kKeys % kColumns == 0 && kHead % kColumns == 0);
  static_assert(fits_every_gpu(kBytes), "take fewer keys at a time");
};

// The order of additions is one of keys, tile by tile. A row's bits must not depend on how many
// rows it is computed with: tiles of a head size take equally many keys.
constexpr int keys_of_tile(int head_size) {
  return head_size <= 128 ? 64 : 16;
}

template <int kQueries, int kHead>
using AttendTileOf = AttendTile<kQueries, keys_of_tile(kHead), kHead>;

// By queries, and then by head size, smallest first.
using AttendTiles = std::tuple<AttendTileOf<kWideTile, 64>,
                               AttendTileOf<kWideTile, 128>,
                               AttendTileOf<kWideTile, 256>,
                               AttendTileOf<kNarrowTile, 64>,
                               AttendTileOf<kNarrowTile, 128>,
                               AttendTileOf<kNarrowTile, 256>>;

constexpr int kMaxHead =
    std::tuple_element_t<std::tuple_size_v<AttendTiles> - 1, AttendTiles>::kHead;

// Calls `visit` with a value of every tile.
template <typename Visit>
void for_each_attend_tile(const Visit& visit) {
  std::apply([&](auto... tiles) { (visit(tiles), ...); }, AttendTiles{});
}

// Calls `visit` with the smallest tile for so many queries (kWideTile or kNarrowTile) of heads of
// this size. False if there is none.
template <typename Visit>
bool with_attend_tile(int n_queries, int head_size, const Visit& visit) {
  bool is_found = false;
  for_each_attend_tile([&](auto tile) {
    if (is_found || tile.kQueries != n_queries || head_size > tile.kHead) return;
    is_found = true;
    visit(tile);
  });
  return is_found;
}

// Shared memory lets fewer blocks run at once where there is little of it: two everywhere in narrow
// tiles, of which decoding is made, and in wide ones of usual heads where 164 KiB are there.
template <typename Tile>
constexpr bool overlaps_on(const GpuLimits& limits) {
  const bool is_expected = Tile::kQueries == kNarrowTile ||
                           (Tile::kHead <= 128 && limits.multiprocessor_bytes >= 164 * 1024);
  const int n_registers = kRegisters / (Tile::kBlocks * kAttendThreads);
  const int n_blocks = blocks_at_once(limits, kAttendThreads, n_registers, Tile::kBytes);
  return n_blocks >= (is_expected ? 2 : 1);
}

template <typename... Tiles>
constexpr bool overlap_everywhere(const std::tuple<Tiles...>&) {
  for (const GpuLimits& limits : kGpuLimits) {
    if (!(overlaps_on<Tiles>(limits) && ...)) return false;
  }
  return true;
}

static_assert(overlap_everywhere(AttendTiles{}));

}  // namespace labelprobe::model::cuda
