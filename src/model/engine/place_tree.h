// The places that explorers asked for behind the prompts of a chunk: what follows what, where the
// arena has them, and which keys their rows see. Knows nothing of tensors.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "labelprobe/core/token.h"

#include "model/attention/key_segment.h"
#include "model/engine/prefix_tree.h"

namespace labelprobe::model {

// A place to compute: a row of a step.
struct PlaceRow {
  int path = 0;
  int place = 0;

  friend auto operator<=>(const PlaceRow&, const PlaceRow&) = default;
};

class PlaceTree {
 public:
  // The tree must outlive it.
  //   node_rows  by node of the tree, where the arena has its first token; the others follow
  PlaceTree(const PrefixTree& tree, std::span<const std::int64_t> node_rows);

  // Begins a path behind a sequence's prompt, with place 0; `first_row` and those after it in the
  // arena are for its other places. Paths come in the order of their sequences. Returns its number,
  // from 0 on.
  int add_path(int sequence, std::int64_t first_row);

  // The place behind `token` at another one of the path, or at -k, behind the prompt without its
  // last k tokens. Returns its id.
  int add(int path, int parent, TokenId token);

  int n_places(int path) const { return static_cast<int>(paths_[path].places.size()); }
  // Tokens between the prompt and the end of the place; less than 1 where it ends inside.
  int depth(PlaceRow row) const { return place(row).depth; }
  TokenId token(PlaceRow row) const { return place(row).token; }
  std::int64_t position(PlaceRow row) const;
  std::int64_t arena_row(PlaceRow row) const { return place(row).arena_row; }

  // Appends the places of a path that were added since the last call, depth first, and gives them
  // their rows of the arena.
  void append_new(int path, std::vector<PlaceRow>& rows);

  // The keys that a place sees, its own included, in runs of neighbouring rows.
  std::vector<KeySpan> keys_of(PlaceRow row) const;

  // What the rows of a step see. A place's ancestors come before it, in the same step or an earlier
  // one.
  std::vector<KeySegment> segments(std::span<const PlaceRow> rows) const;

 private:
  struct Place {
    int parent = 0;  // -k: the prompt without so many tokens
    TokenId token = 0;
    int depth = 0;
    std::int64_t arena_row = -1;
  };
  struct Path {
    int sequence = 0;
    std::int64_t n_prompt_tokens = 0;
    std::int64_t next_row = 0;
    int n_placed = 1;  // places that have their rows
    std::vector<Place> places;
  };
  const Place& place(PlaceRow row) const { return paths_[row.path].places[row.place]; }
  std::vector<KeySpan> keys_before(const Path& path, int parent) const;

  const PrefixTree& tree_;
  std::span<const std::int64_t> node_rows_;
  std::vector<Path> paths_;
};

}  // namespace labelprobe::model
