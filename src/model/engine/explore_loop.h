// Computes the places that an explorer asks for behind the prompts of a chunk.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "labelprobe/model/explorer.h"

#include "model/decoder/decoder.h"
#include "model/engine/kv_arena.h"
#include "model/engine/place_tree.h"
#include "model/engine/prefix_cache.h"
#include "model/engine/prefix_tree.h"
#include "model/engine/prompt_reader.h"
#include "model/engine/request.h"
#include "model/engine/step_inputs.h"

namespace labelprobe::model {

// The end of a prompt's exploration.
struct Explored {
  std::size_t prompt = 0;
  std::optional<std::string> failure;
};

class ExploreLoop {
 public:
  // All must outlive it; `reader` is null where the prompts themselves are not read. A step has at
  // most `n_rows_per_step` rows.
  ExploreLoop(const Decoder& decoder,
              const PrefixTree& tree,
              const Request& request,
              const ExploreOptions& options,
              Explorer& explorer,
              const PromptReader* reader,
              KvArena& arena,
              StepInputs& inputs,
              int n_rows_per_step);

  // Explores the open prompts of the sequences first to end, whose last tokens' hidden states
  // [n, C] are given. Throws std::bad_alloc where the arena is full.
  std::vector<Explored> run(const at::Tensor& hidden, const PrefixCache& cache, int first, int end);

  // Places computed by run().
  std::int64_t n_places() const { return n_places_; }

 private:
  class Rows;
  class PathFrontier;
  // Who explores along a path of the place tree.
  struct Traveller {
    std::size_t prompt = 0;
    std::optional<std::string> failure;
    bool is_done = false;
  };
  void grow(PlaceTree& places, std::vector<PlaceRow>& rows);
  void compute(PlaceTree& places, std::span<const PlaceRow> rows);
  void tell(const at::Tensor& hidden, std::span<const std::vector<PlaceRow>> places_of_rows);

  const Decoder& decoder_;
  const PrefixTree& tree_;
  const Request& request_;
  const ExploreOptions& options_;
  Explorer& explorer_;
  const PromptReader* reader_;
  KvArena& arena_;
  StepInputs& inputs_;
  int n_rows_per_step_;
  std::vector<Traveller> travellers_;  // by path
  std::int64_t n_places_ = 0;
};

}  // namespace labelprobe::model
