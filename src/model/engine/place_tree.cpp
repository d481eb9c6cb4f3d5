#include "model/engine/place_tree.h"

#include <algorithm>
#include <map>

#include "labelprobe/core/error.h"

namespace labelprobe::model {

PlaceTree::PlaceTree(const PrefixTree& tree, std::span<const std::int64_t> node_rows)
    : tree_(tree), node_rows_(node_rows) {}

int PlaceTree::add_path(int sequence, std::int64_t first_row) {
  LABELPROBE_CHECK(paths_.empty() || paths_.back().sequence <= sequence);
  const auto n_tokens = static_cast<std::int64_t>(tree_.prompt(tree_.sequences()[sequence]).size());
  paths_.push_back({sequence, n_tokens, first_row, 1, {Place()}});
  return static_cast<int>(paths_.size()) - 1;
}

int PlaceTree::add(int path, int parent, TokenId token) {
  std::vector<Place>& places = paths_[path].places;
  LABELPROBE_CHECK(-parent < paths_[path].n_prompt_tokens &&
                   parent < static_cast<int>(places.size()));
  const int depth = parent < 0 ? parent : places[parent].depth;
  places.push_back({parent, token, depth + 1, -1});
  return static_cast<int>(places.size()) - 1;
}

std::int64_t PlaceTree::position(PlaceRow row) const {
  return paths_[row.path].n_prompt_tokens + place(row).depth - 1;
}

void PlaceTree::append_new(int path_index, std::vector<PlaceRow>& rows) {
  Path& path = paths_[path_index];
  const int first = path.n_placed;
  const auto end = static_cast<int>(path.places.size());
  std::vector<std::vector<int>> children(static_cast<std::size_t>(end - first));
  std::vector<int> waiting;  // the next one last
  for (int i = first; i < end; ++i) {
    const int parent = path.places[i].parent;
    (parent < first ? waiting : children[parent - first]).push_back(i);
  }
  // Those that see the same keys stand together.
  std::stable_sort(waiting.begin(), waiting.end(),
                   [&](int a, int b) { return path.places[a].parent < path.places[b].parent; });
  std::reverse(waiting.begin(), waiting.end());
  while (!waiting.empty()) {
    const int i = waiting.back();
    waiting.pop_back();
    path.places[i].arena_row = path.next_row++;
    rows.push_back({path_index, i});
    const std::vector<int>& next = children[i - first];
    waiting.insert(waiting.end(), next.rbegin(), next.rend());
  }
  path.n_placed = end;
}

// The keys that a child of `parent` sees beside its own, in runs of neighbouring rows.
std::vector<KeySpan> PlaceTree::keys_before(const Path& path, int parent) const {
  std::vector<KeySpan> keys;
  int i = parent;
  for (; i > 0; i = path.places[i].parent) {
    const Place& place = path.places[i];
    if (!keys.empty() && place.arena_row + 1 == keys.back().first_key) {
      --keys.back().first_key;
      --keys.back().first_position;
      ++keys.back().n_keys;
    } else {
      keys.push_back({place.arena_row, 1, path.n_prompt_tokens + place.depth - 1});
    }
  }
  const std::int64_t end = path.n_prompt_tokens + i;
  const PrefixSequence& sequence = tree_.sequences()[path.sequence];
  for (int n = sequence.last_node; n >= 0; n = tree_.nodes()[n].parent) {
    const PrefixNode& node = tree_.nodes()[n];
    const std::int64_t n_keys =
        std::min<std::int64_t>(tree_.n_tokens_of(node, sequence), end - node.first_position);
    if (n_keys > 0) keys.push_back({node_rows_[n], n_keys, node.first_position});
  }
  return keys;
}

std::vector<KeySpan> PlaceTree::keys_of(PlaceRow row) const {
  std::vector<KeySpan> keys = keys_before(paths_[row.path], place(row).parent);
  keys.push_back({arena_row(row), 1, position(row)});
  return keys;
}

std::vector<KeySegment> PlaceTree::segments(std::span<const PlaceRow> rows) const {
  std::vector<KeySegment> segments;
  std::map<std::pair<std::int64_t, std::int64_t>, std::size_t>
      newest;  // keys -> their last segment
  const auto follows = [&](std::size_t i) {
    return rows[i].path == rows[i - 1].path && place(rows[i]).parent == rows[i - 1].place &&
           place(rows[i]).arena_row == place(rows[i - 1]).arena_row + 1;
  };
  for (std::size_t first = 0; first < rows.size();) {
    std::size_t end = first + 1;
    while (end < rows.size() && follows(end)) ++end;
    const auto first_row = static_cast<std::int64_t>(first);
    const auto end_row = static_cast<std::int64_t>(end);
    for (const KeySpan& keys : keys_before(paths_[rows[first].path], place(rows[first]).parent)) {
      const auto [known, is_new] = newest.try_emplace({keys.first_key, keys.n_keys}, 0);
      if (!is_new && segments[known->second].end_row == first_row) {
        segments[known->second].end_row = end_row;
        continue;
      }
      known->second = segments.size();
      segments.push_back(
          {keys.first_key, keys.n_keys, first_row, end_row, Mask::None, keys.first_position});
    }
    segments.push_back({arena_row(rows[first]), end_row - first_row, first_row, end_row,
                        end - first > 1 ? Mask::Causal : Mask::None, position(rows[first])});
    first = end;
  }
  return segments;
}

}  // namespace labelprobe::model
