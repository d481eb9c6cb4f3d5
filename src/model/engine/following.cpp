#include "model/engine/following.h"

#include <algorithm>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "model/engine/free_memory.h"

namespace labelprobe::model {

std::size_t free_bytes_for(const Decoder& decoder,
                           std::int64_t n_arena_rows,
                           std::size_t cache_bytes_per_token) {
  std::size_t n_free =
      least_free_bytes(decoder.placement(), decoder.config().n_layers,
                       static_cast<std::size_t>(n_arena_rows) * cache_bytes_per_token);
  Team* const team = decoder.team();
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

}  // namespace labelprobe::model
