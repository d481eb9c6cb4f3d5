#include "model/engine/following.h"

#include <algorithm>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "model/engine/free_memory.h"
#include "model/parallel/orders.h"

namespace labelprobe::model {

std::size_t free_bytes_for(const Decoder& decoder,
                           std::int64_t n_arena_rows,
                           std::size_t cache_bytes_per_token) {
  Team* const team = decoder.team();
  if (team != nullptr && team->is_first()) {
    team->tell(Parcel(Order::TellFree, decoder.number()).put(n_arena_rows).bytes());
  }
  std::size_t n_free =
      least_free_bytes(decoder.placement(), decoder.config().n_layers,
                       static_cast<std::size_t>(n_arena_rows) * cache_bytes_per_token);
  if (team == nullptr) return n_free;
  if (decoder.device().is_cpu()) n_free /= static_cast<std::size_t>(team->n_on_host());
  for (const std::string& text : team->collect(fmt::to_string(n_free))) {
    n_free = std::min<std::size_t>(n_free, std::stoull(text));
  }
  return n_free;
}

void open_arena(const Decoder& decoder, std::int64_t n_rows, std::optional<KvArena>& arena) {
  arena.reset();
  const weights::DecoderConfig& config = decoder.config();
  const auto open = [&] {
    arena.emplace(decoder.placement(), config.n_layers, n_rows, config.n_kv_heads, config.head_dim,
                  decoder.scalar_type());
  };
  Team* const team = decoder.team();
  if (team == nullptr) return open();
  if (team->is_first()) {
    team->tell(Parcel(Order::OpenArena, decoder.number()).put(n_rows).bytes());
  }
  std::exception_ptr failure;
  try {
    open();
  } catch (const std::exception&) {
    failure = std::current_exception();
  }
  const std::vector<std::string> obstacles = team->collect(failure ? "no memory" : "");
  if (failure) std::rethrow_exception(failure);
  if (std::all_of(obstacles.begin(), obstacles.end(), [](const auto& o) { return o.empty(); })) {
    return;
  }
  arena.reset();
  throw std::bad_alloc();
}

void close_together(const Decoder& decoder) {
  Team* const team = decoder.team();
  if (team == nullptr || !team->is_idle()) return;
  try {
    team->tell(Parcel(Order::Close, decoder.number()).bytes());
  } catch (const std::exception&) {
    // Whoever needs the others next finds out.
  }
}

void check_can_go_back(const Decoder& decoder, const std::string& device) {
  const Team* const team = decoder.team();
  if (team == nullptr || team->is_idle()) return;
  throw ModelError(
      fmt::format("out of memory on {} while {} processes compute together, which cannot go back; "
                  "use more processes, a smaller --batch-size or --model-dtype bfloat16",
                  device, team->size()));
}

}  // namespace labelprobe::model
