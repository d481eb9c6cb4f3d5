// What every process of a team does at the same time, told by the first one: a model alone does it
// by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "model/decoder/decoder.h"
#include "model/engine/kv_arena.h"

namespace labelprobe::model {

// Bytes that the process may take that has least of them; of those on one machine each has its
// part. The arena's rows count as free as least_free_bytes() has it. 0 if that is not known.
std::size_t free_bytes_for(const Decoder& decoder,
                           std::int64_t n_arena_rows,
                           std::size_t cache_bytes_per_token);

// Another arena of so many rows instead of the one that is there. Throws as KvArena does, and
// std::bad_alloc where another process could not open its own: then there is none.
void open_arena(const Decoder& decoder, std::int64_t n_rows, std::optional<KvArena>& arena);

// The first process: ends the others' part of the model, if they can hear it.
void close_together(const Decoder& decoder);

// Throws ModelError where memory ran out in the midst of a pass, in which the others go on waiting.
void check_can_go_back(const Decoder& decoder, const std::string& device);

}  // namespace labelprobe::model
