// Which keys rows see, of a tree small enough to write down.
#include "model/engine/segments.h"

#include <numeric>

#include "support/catch.h"

namespace labelprobe::model {
namespace {

// Two tokens, behind them three (of which the first prompt ends after two) and one.
const std::vector<TokenIds> kSegmentPrompts = {{1, 2, 3, 4}, {1, 2, 3, 4, 6}, {1, 2, 5}};
// Where the arena has the nodes.
const std::vector<std::int64_t> kSegmentRows = {10, 20, 30};
const TokenIds kToken = {7};
const TokenIds kTokens = {7, 8};

PrefixTree segment_tree() {
  std::vector<std::size_t> chosen(kSegmentPrompts.size());
  std::iota(chosen.begin(), chosen.end(), std::size_t{0});
  return PrefixTree(kSegmentPrompts, chosen, Sharing::Prefixes, 100);
}

void check(const KeySegment& found, const KeySegment& expected) {
  CHECK(found.first_key == expected.first_key);
  CHECK(found.n_keys == expected.n_keys);
  CHECK(found.first_row == expected.first_row);
  CHECK(found.end_row == expected.end_row);
  CHECK(found.mask == expected.mask);
  CHECK(found.first_position == expected.first_position);
  CHECK(found.n_more == expected.n_more);
}

void check(const std::vector<KeySegment>& found, const std::vector<KeySegment>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    check(found[i], expected[i]);
  }
}

}  // namespace

TEST_CASE("Rows of a pack see their node up to themselves, and what it descends from", "[unit]") {
  const PrefixTree prefixes = segment_tree();
  const PackedNodes pack = pack_nodes(prefixes, 0, 3, 100).front();
  check(pack_segments(prefixes, pack, kSegmentRows), {{10, 2, 2, 6, Mask::None, 0},
                                                      {10, 2, 0, 2, Mask::Causal, 0},
                                                      {20, 3, 2, 5, Mask::Causal, 2},
                                                      {30, 1, 5, 6, Mask::Causal, 2}});
}

TEST_CASE("Rows of a step see their prompt and what they have generated", "[unit]") {
  const PrefixTree prefixes = segment_tree();
  const std::vector<std::int64_t> n_rows = {4, 4, 4};
  StepSegments steps(prefixes, kSegmentRows, 0, n_rows, 100);
  const std::vector<Continuation> next = {{0, 1, kToken}, {2, 0, kToken}};
  CHECK(steps.place(next) == 2);
  CHECK(steps.step_row(2) == 1);
  std::vector<KeySegment> segments;
  steps.append(next, Repeats::No, segments);
  // The first prompt ends within its node; 1 2 is attended to once for both.
  check(segments, {{20, 2, 0, 1, Mask::None, 2},
                   {10, 2, 0, 2, Mask::None, 0},
                   {30, 1, 1, 2, Mask::None, 2},
                   {100, 2, 0, 1, Mask::None, 4},
                   {108, 1, 1, 2, Mask::None, 3}});

  // With room to go on.
  segments.clear();
  steps.append(next, Repeats::Yes, segments);
  CHECK(segments[3].n_more == 2);
  CHECK(segments[4].n_more == 3);
}

TEST_CASE("Drafted tokens see one another in their order", "[unit]") {
  const PrefixTree prefixes = segment_tree();
  const std::vector<std::int64_t> n_rows = {0, 0, 4};
  StepSegments steps(prefixes, kSegmentRows, 0, n_rows, 100);
  const std::vector<Continuation> next = {{2, 1, kTokens}};
  CHECK(steps.place(next) == 2);
  std::vector<KeySegment> segments;
  steps.append(next, Repeats::No, segments);
  check(segments, {{30, 1, 0, 2, Mask::None, 2},
                   {10, 2, 0, 2, Mask::None, 0},
                   {100, 1, 0, 2, Mask::None, 3},
                   {101, 2, 0, 2, Mask::Causal, 4}});
}

}  // namespace labelprobe::model
