#include "model/engine/chunk_plan.h"

#include <algorithm>
#include <set>

#include "labelprobe/core/error.h"

namespace labelprobe::model {

ChunkPlan::ChunkPlan(const PrefixTree& tree, int max_rows_per_pack)
    : tree_(tree), max_rows_per_pack_(max_rows_per_pack) {}

void ChunkPlan::add(int end) {
  const int first_node = chunks_.empty() ? 0 : chunks_.back().end_node;
  int end_node = first_node;
  const auto n_nodes = static_cast<int>(tree_.nodes().size());
  while (end_node < n_nodes && tree_.nodes()[end_node].first_sequence < end) ++end_node;
  chunks_.push_back({end, end_node, pack_nodes(tree_, first_node, end_node, max_rows_per_pack_)});
}

void ChunkPlan::drop_last() {
  chunks_.pop_back();
}

int ChunkPlan::first_sequence() const {
  return chunks_.size() < 2 ? 0 : chunks_[chunks_.size() - 2].end_sequence;
}

int ChunkPlan::end_sequence() const {
  return chunks_.back().end_sequence;
}

const PackedNodes* ChunkPlan::pack_of(int node) const {
  const auto chunk =
      std::partition_point(chunks_.begin(), chunks_.end(),
                           [node](const Chunk& other) { return other.end_node <= node; });
  LABELPROBE_CHECK(chunk != chunks_.end());
  const auto pack =
      std::partition_point(chunk->packs.begin(), chunk->packs.end(),
                           [node](const PackedNodes& other) { return other.nodes.back() < node; });
  return &*pack;
}

std::vector<const PackedNodes*> ChunkPlan::missing_packs(
    const std::function<bool(int)>& is_there) const {
  std::vector<const PackedNodes*> packs;
  for (const PackedNodes& pack : chunks_.back().packs) packs.push_back(&pack);
  std::vector<int> wanted;
  if (first_sequence() < static_cast<int>(tree_.sequences().size())) {
    wanted.push_back(tree_.sequences()[first_sequence()].last_node);
  }
  // A pack is computed whole, so whatever its nodes descend from is needed too.
  std::set<const PackedNodes*> known(packs.begin(), packs.end());
  std::vector<const PackedNodes*> earlier;
  while (!wanted.empty()) {
    const int node = wanted.back();
    wanted.pop_back();
    if (node < 0 || is_there(node)) continue;
    wanted.push_back(tree_.nodes()[node].parent);
    const PackedNodes* pack = pack_of(node);
    if (!known.insert(pack).second) continue;
    earlier.push_back(pack);
    for (const int other : pack->nodes) wanted.push_back(tree_.nodes()[other].parent);
  }
  std::sort(earlier.begin(), earlier.end(), [](const PackedNodes* a, const PackedNodes* b) {
    return a->nodes.front() < b->nodes.front();
  });
  packs.insert(packs.begin(), earlier.begin(), earlier.end());
  return packs;
}

}  // namespace labelprobe::model
