#include "model/engine/prefix_tree.h"

#include <numeric>
#include <random>
#include <set>

#include "support/catch.h"

namespace labelprobe::model {
namespace {

std::vector<std::size_t> all_of(const std::vector<TokenIds>& prompts) {
  std::vector<std::size_t> chosen(prompts.size());
  std::iota(chosen.begin(), chosen.end(), std::size_t{0});
  return chosen;
}

// The tokens on the path from the root to a node.
TokenIds path_tokens(const PrefixTree& tree, int i) {
  TokenIds tokens;
  for (; i >= 0; i = tree.nodes()[i].parent) {
    const auto run = tree.tokens(tree.nodes()[i]);
    tokens.insert(tokens.begin(), run.begin(), run.end());
  }
  return tokens;
}

int n_tokens(const PrefixTree& tree) {
  int n = 0;
  for (const PrefixNode& node : tree.nodes()) n += node.n_tokens;
  return n;
}

// Distinct non-empty prefixes: what has to be computed, found without a tree.
int n_distinct_prefixes(const std::vector<TokenIds>& prompts) {
  std::set<TokenIds> prefixes;
  for (const TokenIds& prompt : prompts) {
    for (std::size_t n = 1; n <= prompt.size(); ++n) {
      prefixes.emplace(prompt.begin(), prompt.begin() + n);
    }
  }
  return static_cast<int>(prefixes.size());
}

void check_tree(const PrefixTree& tree, const std::vector<TokenIds>& prompts, int max_node_tokens) {
  std::vector<int> n_answers(prompts.size());
  for (const PrefixSequence& sequence : tree.sequences()) {
    for (const std::size_t i : sequence.prompts) {
      ++n_answers.at(i);
      TokenIds path = path_tokens(tree, sequence.last_node);
      REQUIRE(path.size() >= prompts[i].size());
      const PrefixNode& last = tree.nodes()[sequence.last_node];
      CHECK(last.first_position < static_cast<int>(prompts[i].size()));
      CHECK(last.first_position + tree.n_tokens_of(last, sequence) ==
            static_cast<int>(prompts[i].size()));
      path.resize(prompts[i].size());
      CHECK(path == prompts[i]);
    }
  }
  CHECK(n_answers == std::vector<int>(prompts.size(), 1));
  for (std::size_t i = 0; i < tree.nodes().size(); ++i) {
    const PrefixNode& node = tree.nodes()[i];
    REQUIRE(node.n_tokens > 0);
    CHECK(node.n_tokens <= max_node_tokens);
    CHECK(node.first_sequence < node.end_sequence);
    REQUIRE(node.parent < static_cast<int>(i));
    if (node.parent < 0) {
      CHECK(node.first_position == 0);
      continue;
    }
    const PrefixNode& parent = tree.nodes()[node.parent];
    CHECK(node.first_position == parent.first_position + parent.n_tokens);
    CHECK(node.first_sequence >= parent.first_sequence);
    CHECK(node.end_sequence <= parent.end_sequence);
  }
}

}  // namespace

TEST_CASE("A tree holds every distinct prefix once", "[unit]") {
  const std::vector<TokenIds> prompts = {{1, 2, 3, 4}, {1, 2, 5}, {1, 2}, {9}, {1, 2, 5}};
  const PrefixTree tree(prompts, all_of(prompts), Sharing::Prefixes, 100);
  check_tree(tree, prompts, 100);
  CHECK(n_tokens(tree) == 6);
  CHECK(tree.nodes().size() == 4);  // [1 2] [3 4] [5] [9]
  REQUIRE(tree.sequences().size() == 4);
  CHECK(tree.sequences()[2].prompts == std::vector<std::size_t>{1, 4});
  CHECK(tree.n_common(1) == 2);
}

TEST_CASE("Without sharing every prompt is a path of its own, in the order given", "[unit]") {
  const std::vector<TokenIds> prompts = {{2, 2}, {1, 2, 5}, {1, 2}, {2, 2}};
  const PrefixTree tree(prompts, all_of(prompts), Sharing::None, 2);
  check_tree(tree, prompts, 2);
  CHECK(n_tokens(tree) == 9);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    CHECK(tree.sequences()[i].prompts == std::vector<std::size_t>{i});
  }
}

TEST_CASE("Only the chosen prompts are in the tree", "[unit]") {
  const std::vector<TokenIds> prompts = {{}, {1, 2}, {3}};
  const std::vector<std::size_t> chosen = {2};
  const PrefixTree tree(prompts, chosen, Sharing::Prefixes, 10);
  CHECK(n_tokens(tree) == 1);
  const PrefixTree none(prompts, std::vector<std::size_t>{}, Sharing::Prefixes, 10);
  CHECK(none.nodes().empty());
}

TEST_CASE("Random tries have one node token per distinct prefix", "[unit]") {
  std::mt19937 random(17);
  for (int round = 0; round < 200; ++round) {
    const int n_prompts = 1 + static_cast<int>(random() % 20);
    const int n_letters = 1 + static_cast<int>(random() % 3);
    std::vector<TokenIds> prompts(n_prompts);
    for (TokenIds& prompt : prompts) {
      prompt.resize(1 + random() % 12);
      for (TokenId& id : prompt) id = static_cast<TokenId>(random() % n_letters);
    }
    const int max_node_tokens = 1 + static_cast<int>(random() % 8);
    const PrefixTree tree(prompts, all_of(prompts), Sharing::Prefixes, max_node_tokens);
    check_tree(tree, prompts, max_node_tokens);
    CHECK(n_tokens(tree) == n_distinct_prefixes(prompts));
  }
}

TEST_CASE("A chain of thousands of prompts, each beginning the next, is no recursion", "[unit]") {
  std::vector<TokenIds> prompts;
  for (int n = 1; n <= 5000; ++n) prompts.emplace_back(n, 7);
  const PrefixTree tree(prompts, all_of(prompts), Sharing::Prefixes, 1000);
  CHECK(n_tokens(tree) == 5000);
  CHECK(tree.nodes().size() == 5);
}

TEST_CASE("A prompt that begins others needs no node of its own", "[unit]") {
  const std::vector<TokenIds> prompts = {{1, 2, 3, 4, 5}, {1, 2, 3, 4}, {1, 2}, {1, 2, 3, 4, 6}};
  const PrefixTree tree(prompts, all_of(prompts), Sharing::Prefixes, 100);
  check_tree(tree, prompts, 100);
  REQUIRE(tree.nodes().size() == 3);
  const PrefixNode& trunk = tree.nodes()[0];
  CHECK(trunk.n_tokens == 4);
  CHECK(trunk.first_sequence == 0);
  CHECK(tree.first_whole_sequence(trunk) == 1);
  CHECK(tree.n_tokens_of(trunk, tree.sequences()[0]) == 2);
}

TEST_CASE("Packs keep to their size, and ancestors come first", "[unit]") {
  const std::vector<TokenIds> prompts = {{1, 1, 1}, {1, 2, 1}, {1, 2, 2},
                                         {1, 3},    {4, 1},    {4, 2, 2}};
  const PrefixTree tree(prompts, all_of(prompts), Sharing::Prefixes, 3);
  const auto n_nodes = static_cast<int>(tree.nodes().size());
  const std::vector<PackedNodes> packs = pack_nodes(tree, 0, n_nodes, 3);
  std::set<int> computed;
  for (const PackedNodes& pack : packs) {
    CHECK(pack.n_rows <= 3);
    int row = 0;
    for (std::size_t i = 0; i < pack.nodes.size(); ++i) {
      CHECK(pack.first_rows[i] == row);
      row += tree.nodes()[pack.nodes[i]].n_tokens;
      const int parent = tree.nodes()[pack.nodes[i]].parent;
      CHECK((parent < 0 || computed.contains(parent)));
      computed.insert(pack.nodes[i]);
    }
    CHECK(pack.n_rows == row);
  }
  CHECK(computed.size() == tree.nodes().size());
}

TEST_CASE("Every row of a pack meets each of its ancestors once", "[unit]") {
  std::mt19937 random(5);
  std::vector<TokenIds> prompts(40);
  for (TokenIds& prompt : prompts) {
    prompt.resize(1 + random() % 9);
    for (TokenId& id : prompt) id = static_cast<TokenId>(random() % 2);
  }
  const PrefixTree tree(prompts, all_of(prompts), Sharing::Prefixes, 4);
  const auto n_nodes = static_cast<int>(tree.nodes().size());
  for (const PackedNodes& pack : pack_nodes(tree, 0, n_nodes, 16)) {
    std::vector<std::multiset<int>> expected(pack.n_rows);
    std::vector<std::multiset<int>> found(pack.n_rows);
    for (std::size_t i = 0; i < pack.nodes.size(); ++i) {
      const PrefixNode& node = tree.nodes()[pack.nodes[i]];
      for (int a = node.parent; a >= 0; a = tree.nodes()[a].parent) {
        for (int t = 0; t < node.n_tokens; ++t) expected[pack.first_rows[i] + t].insert(a);
      }
    }
    for (const AncestorRows& rows : ancestor_rows(tree, pack)) {
      for (int row = rows.first_row; row < rows.end_row; ++row) found[row].insert(rows.node);
    }
    CHECK(found == expected);
  }
}

}  // namespace labelprobe::model
