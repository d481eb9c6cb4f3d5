// Which packs a chunk needs, whatever was computed before.
#include "model/engine/chunk_plan.h"

#include <numeric>
#include <random>
#include <set>

#include "support/catch.h"

namespace labelprobe::model {
namespace {

std::vector<TokenIds> random_prompts() {
  std::mt19937 random(23);
  std::vector<TokenIds> prompts(60);
  for (TokenIds& prompt : prompts) {
    prompt.resize(1 + random() % 14);
    for (TokenId& id : prompt) id = static_cast<TokenId>(random() % 2);
  }
  return prompts;
}

PrefixTree tree_of(const std::vector<TokenIds>& prompts) {
  std::vector<std::size_t> chosen(prompts.size());
  std::iota(chosen.begin(), chosen.end(), std::size_t{0});
  return PrefixTree(prompts, chosen, Sharing::Prefixes, 8);
}

void check_path_is_computed(const PrefixTree& tree, int sequence, const std::set<int>& computed) {
  for (int i = tree.sequences()[sequence].last_node; i >= 0; i = tree.nodes()[i].parent) {
    CHECK(computed.contains(i));
  }
}

}  // namespace

TEST_CASE("A chunk computes what its prompts need, in an order that can be computed", "[unit]") {
  const auto prompts = random_prompts();
  const PrefixTree tree = tree_of(prompts);
  const auto n_sequences = static_cast<int>(tree.sequences().size());
  std::mt19937 random(GENERATE(1, 2, 3, 4));
  ChunkPlan plan(tree, 16);
  std::set<int> computed;
  std::set<const PackedNodes*> packs;
  for (int end = 0; end < n_sequences;) {
    const int first = end;
    end = std::min(n_sequences, end + 1 + static_cast<int>(random() % 9));
    plan.add(end);
    CHECK(plan.first_sequence() == first);
    CHECK(plan.end_sequence() == end);
    if (random() % 3 == 0) continue;  // answered already
    for (const PackedNodes* pack :
         plan.missing_packs([&](int i) { return computed.contains(i); })) {
      CHECK(packs.insert(pack).second);
      for (const int i : pack->nodes) {
        const int parent = tree.nodes()[i].parent;
        CHECK((parent < 0 || computed.contains(parent)));
        CHECK(computed.insert(i).second);
      }
    }
    for (int s = first; s < end; ++s) check_path_is_computed(tree, s, computed);
  }
}

TEST_CASE("A chunk taken back can be divided", "[unit]") {
  const auto prompts = random_prompts();
  const PrefixTree tree = tree_of(prompts);
  ChunkPlan plan(tree, 16);
  plan.add(20);
  plan.drop_last();
  plan.add(5);
  plan.add(20);
  CHECK(plan.first_sequence() == 5);
  std::set<int> nodes;
  for (const PackedNodes* pack : plan.missing_packs([](int) { return false; })) {
    for (const int i : pack->nodes) CHECK(nodes.insert(i).second);
  }
  for (int s = 5; s < 20; ++s) check_path_is_computed(tree, s, nodes);
}

}  // namespace labelprobe::model
