// Where places lie and which keys they see, of a tree small enough to write down.
#include "model/engine/place_tree.h"

#include <numeric>

#include "support/catch.h"

namespace labelprobe::model {
namespace {

// Two tokens, behind them two and one.
const std::vector<TokenIds> kPlacePrompts = {{1, 2, 3, 4}, {1, 2, 5}};
// Where the arena has the nodes.
const std::vector<std::int64_t> kNodeRows = {10, 20, 30};

PrefixTree tree() {
  std::vector<std::size_t> chosen(kPlacePrompts.size());
  std::iota(chosen.begin(), chosen.end(), std::size_t{0});
  return PrefixTree(kPlacePrompts, chosen, Sharing::Prefixes, 100);
}

std::vector<int> places_of(const std::vector<PlaceRow>& rows) {
  std::vector<int> places;
  for (const PlaceRow& row : rows) places.push_back(row.place);
  return places;
}

struct Seen {
  std::int64_t first_key, n_keys, first_row, end_row, first_position;
  Mask mask;
  bool operator==(const Seen&) const = default;
};

std::vector<Seen> seen_by(const PlaceTree& places, const std::vector<PlaceRow>& rows) {
  std::vector<Seen> seen;
  for (const KeySegment& s : places.segments(rows)) {
    seen.push_back({s.first_key, s.n_keys, s.first_row, s.end_row, s.first_position, s.mask});
  }
  return seen;
}

}  // namespace

TEST_CASE("Places are computed depth first, and lie so", "[unit]") {
  const PrefixTree prefixes = tree();
  PlaceTree places(prefixes, kNodeRows);
  const int path = places.add_path(0, 100);
  CHECK(places.add(path, 0, 7) == 1);
  CHECK(places.add(path, 0, 8) == 2);
  CHECK(places.add(path, 1, 9) == 3);
  CHECK(places.add(path, 1, 6) == 4);
  CHECK(places.add(path, 3, 5) == 5);
  std::vector<PlaceRow> rows;
  places.append_new(path, rows);
  CHECK(places_of(rows) == std::vector<int>{1, 3, 5, 4, 2});
  CHECK(places.arena_row({path, 5}) == 102);
  CHECK(places.position({path, 5}) == 6);
  CHECK(places.depth({path, 5}) == 3);
  CHECK(places.token({path, 5}) == 5);
  places.append_new(path, rows);
  CHECK(rows.size() == 5);
}

TEST_CASE("Places see the prompt, their ancestors and themselves", "[unit]") {
  const PrefixTree prefixes = tree();
  PlaceTree places(prefixes, kNodeRows);
  const int path = places.add_path(0, 100);
  const int other = places.add_path(1, 200);
  places.add(path, 0, 7);   // 1: row 100
  places.add(path, 1, 9);   // 2: row 101
  places.add(path, 1, 6);   // 3: row 102
  places.add(other, 0, 7);  // row 200
  std::vector<PlaceRow> rows;
  places.append_new(path, rows);
  places.append_new(other, rows);
  CHECK(seen_by(places, rows) == std::vector<Seen>{{20, 2, 0, 3, 2, Mask::None},
                                                   {10, 2, 0, 4, 0, Mask::None},
                                                   {100, 2, 0, 2, 4, Mask::Causal},
                                                   {100, 1, 2, 3, 4, Mask::None},
                                                   {102, 1, 2, 3, 5, Mask::None},
                                                   {30, 1, 3, 4, 2, Mask::None},
                                                   {200, 1, 3, 4, 3, Mask::None}});
  rows.clear();
  places.add(path, 2, 3);  // row 103: behind rows 100 and 101, which are one run
  places.add(path, 3, 3);  // row 104: behind rows 100 and 102
  places.append_new(path, rows);
  CHECK(seen_by(places, rows) == std::vector<Seen>{{100, 2, 0, 1, 4, Mask::None},
                                                   {20, 2, 0, 2, 2, Mask::None},
                                                   {10, 2, 0, 2, 0, Mask::None},
                                                   {103, 1, 0, 1, 6, Mask::None},
                                                   {102, 1, 1, 2, 5, Mask::None},
                                                   {100, 1, 1, 2, 4, Mask::None},
                                                   {104, 1, 1, 2, 6, Mask::None}});
}

TEST_CASE("Places may follow a prompt without its last tokens", "[unit]") {
  const PrefixTree prefixes = tree();
  PlaceTree places(prefixes, kNodeRows);
  const int path = places.add_path(0, 100);
  CHECK(places.add(path, -1, 4) == 1);  // the prompt's last token once more
  CHECK(places.add(path, -3, 9) == 2);
  CHECK(places.add(path, 2, 9) == 3);
  CHECK(places.position({path, 1}) == 3);
  CHECK(places.position({path, 2}) == 1);
  CHECK(places.depth({path, 1}) == 0);
  CHECK(places.depth({path, 3}) == -1);
  std::vector<PlaceRow> rows;
  places.append_new(path, rows);
  CHECK(places_of(rows) == std::vector<int>{2, 3, 1});
  CHECK(seen_by(places, rows) == std::vector<Seen>{{10, 1, 0, 2, 0, Mask::None},
                                                   {100, 2, 0, 2, 1, Mask::Causal},
                                                   {20, 1, 2, 3, 2, Mask::None},
                                                   {10, 2, 2, 3, 0, Mask::None},
                                                   {102, 1, 2, 3, 3, Mask::None}});
}

TEST_CASE("A chain that is cut between two steps goes on where it was", "[unit]") {
  const PrefixTree prefixes = tree();
  PlaceTree places(prefixes, kNodeRows);
  const int path = places.add_path(1, 200);
  int last = 0;
  for (int i = 0; i < 3; ++i) last = places.add(path, last, 7);
  std::vector<PlaceRow> rows;
  places.append_new(path, rows);
  CHECK(seen_by(places, {rows[0], rows[1]}) == std::vector<Seen>{{30, 1, 0, 2, 2, Mask::None},
                                                                 {10, 2, 0, 2, 0, Mask::None},
                                                                 {200, 2, 0, 2, 3, Mask::Causal}});
  CHECK(seen_by(places, {rows[2]}) == std::vector<Seen>{{200, 2, 0, 1, 3, Mask::None},
                                                        {30, 1, 0, 1, 2, Mask::None},
                                                        {10, 2, 0, 1, 0, Mask::None},
                                                        {202, 1, 0, 1, 5, Mask::None}});
}

}  // namespace labelprobe::model
