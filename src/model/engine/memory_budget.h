// How the free memory of a device is divided: how many tokens go through the layers together, and
// how many the arena of keys and values has room for. Knows nothing of tensors.
#pragma once

#include <cstddef>
#include <cstdint>

#include "weights/families/decoder_config.h"

namespace labelprobe::model {

// Fewer rows would take longer and hardly less memory.
constexpr int kFewestRowsPerPack = 32;

// A chunk leaves the room of so many packs: a call that takes up an interrupted one computes packs
// whole of which it needs a part.
constexpr std::int64_t kSparePacks = 2;

// What a model needs, in bytes.
struct MemoryNeeds {
  std::size_t cache_per_token = 1;      // keys and values of all layers
  std::size_t activations_per_row = 0;  // of a pack: what a layer holds at once, about
  std::size_t fixed = 0;                // whatever else there is room for: logits
};

// The needs of a decoder whose activations, keys and values take `n_bytes` each.
//   n_parts      sums of a row's attention that wait to be joined; 0 on the CPU
//   n_head_rows  rows whose logits are computed together
MemoryNeeds memory_needs(const weights::DecoderConfig& config,
                         std::size_t n_bytes,
                         std::int64_t n_parts,
                         std::int64_t n_head_rows);

struct MemoryBudget {
  int rows_per_pack = 0;
  int rows_per_step = 0;        // sequences that are decoded together
  std::int64_t arena_rows = 0;  // that a chunk may fill, spare packs included
};

// What a call may take at most, whatever is free.
struct MemoryBounds {
  int rows_per_pack = 0;
  int rows_per_step = 0;
  std::size_t arena_bytes = 0;
};

// Half of the `n_free` bytes beside what is fixed are for the arena, a quarter for the activations
// of a pack, and an eighth for those of a step, which its recording holds too: what is left are
// pieces too small for use. A pack has fewer rows also where the spare packs would take more than a
// quarter of the arena. Whatever is free, the arena has room for `n_longest`, the tokens of the
// longest prompt with its answer. n_free = 0 means that nobody knows.
MemoryBudget divide_memory(std::size_t n_free,
                           const MemoryNeeds& needs,
                           const MemoryBounds& bounds,
                           std::int64_t n_longest);

}  // namespace labelprobe::model
