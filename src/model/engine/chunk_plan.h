// Which sequences of a prefix tree are decoded together, and which of its nodes are computed
// together, so that every number depends on the plan alone: a call that takes up an interrupted one
// leaves chunks out, but computes the packs of the others as they would have been.
#pragma once

#include <functional>
#include <vector>

#include "model/engine/prefix_tree.h"

namespace labelprobe::model {

class ChunkPlan {
 public:
  // Both must outlive it.
  ChunkPlan(const PrefixTree& tree, int max_rows_per_pack);

  // Makes the sequences after the last chunk, up to `end`, a chunk. It owns the nodes that no
  // earlier chunk needed.
  void add(int end);
  // Takes the last chunk back, to be divided otherwise.
  void drop_last();

  int first_sequence() const;  // of the last chunk
  int end_sequence() const;

  // The packs to compute for the last chunk, in order: its own, and before them those of earlier
  // chunks that hold nodes it needs and `is_there` denies.
  std::vector<const PackedNodes*> missing_packs(const std::function<bool(int)>& is_there) const;

 private:
  struct Chunk {
    int end_sequence = 0;
    int end_node = 0;
    std::vector<PackedNodes> packs;
  };
  const PackedNodes* pack_of(int node) const;

  const PrefixTree& tree_;
  int max_rows_per_pack_;
  std::vector<Chunk> chunks_;
};

}  // namespace labelprobe::model
