// What an engine does for prompts and answers, counted from the plan that it makes of them: the
// same prefix tree, chunks, packs, segments and attention items.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/attention/attention_plan.h"
#include "model/engine/limits.h"
#include "model/engine/request.h"
#include "weights/families/decoder_config.h"

namespace labelprobe::model::cost {

// Attention of one pass and layer; what the key heads do alike is counted once.
struct AttentionWork {
  std::int64_t n_pairs = 0;  // of a row and a key that it sees

  // Items of the GPU's own kernel. A tile is 64 keys of an item: a thin item has at most 8 queries,
  // a narrow one at most 16, a wide one at most 64.
  struct Items {
    std::int64_t n = 0;
    std::int64_t n_tiles = 0;
    std::int64_t n_keys = 0;
    std::int64_t n_most_tiles = 0;  // of one item
  };
  Items thin;
  Items narrow;
  Items wide;
  std::int64_t n_parts = 0;  // that are written, read and merged

  // Blocks of flash attention by query heads: tiles of 128 queries and 64 keys.
  std::int64_t n_flash_levels = 0;
  std::int64_t n_flash_blocks = 0;
  std::int64_t n_flash_tiles = 0;
};

// Rows that go through the layers together.
struct Pass {
  std::int64_t n_rows = 0;
  std::int64_t n_kept = 0;   // of them, that the last layer finishes
  bool is_recorded = false;  // repeated as a graph
  bool is_awaited = false;   // the host reads the tokens before the next step
  AttentionWork attention;
};

struct Workload {
  std::vector<Pass> packs;
  std::vector<Pass> steps;
  std::vector<Pass> explored;  // places behind the prompts, one depth after the other
  // Rows whose logits are read, of the prompts' ends, by chunk.
  std::vector<std::int64_t> n_first_rows;
  std::int64_t n_prompt_tokens = 0;
  std::int64_t n_prompt_rows = 0;  // after sharing
  std::int64_t n_arena_rows = 0;
  std::int64_t n_sequences = 0;
};

// How attention is divided.
struct AttentionKind {
  bool is_gpu = false;
  cuda::AttentionShape shape;  // of any number of rows
};

//   n_places_each  that explorers ask for behind each prompt, where the request is one of explore()
Workload count_workload(const Request& request,
                        std::int64_t n_places_each,
                        const Limits& limits,
                        const DecoderMemory& memory,
                        const AttentionKind& kind);

}  // namespace labelprobe::model::cost
