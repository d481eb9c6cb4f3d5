// Which prompts go together.
#include <map>
#include <set>

#include "labelprobe/experiment/shards.h"

#include "support/catch.h"

namespace labelprobe::experiment {
namespace {

// Distinct tokens of each shard's prompts, by a set of all their prefixes.
std::vector<std::size_t> costs_of(const std::vector<TokenIds>& prompts,
                                  const std::vector<int>& shard_of,
                                  int n_shards) {
  std::vector<std::set<TokenIds>> prefixes(static_cast<std::size_t>(n_shards));
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    for (std::size_t n = 1; n <= prompts[i].size(); ++n) {
      prefixes[static_cast<std::size_t>(shard_of[i]) - 1].insert(
          TokenIds(prompts[i].begin(), prompts[i].begin() + static_cast<std::ptrdiff_t>(n)));
    }
  }
  std::vector<std::size_t> costs;
  for (const auto& of_shard : prefixes) costs.push_back(of_shard.size());
  return costs;
}

// The least that the largest of `n_shards` stretches of the sorted prompts can cost, by trying all.
std::size_t least_by_trying(const std::vector<TokenIds>& sorted, std::size_t begin, int n_shards) {
  if (begin == sorted.size()) return 0;
  if (n_shards == 0) return 1'000'000;
  std::size_t least = 1'000'000;
  for (std::size_t end = begin + 1; end <= sorted.size(); ++end) {
    const std::vector<TokenIds> part(sorted.begin() + static_cast<std::ptrdiff_t>(begin),
                                     sorted.begin() + static_cast<std::ptrdiff_t>(end));
    const std::size_t cost = costs_of(part, std::vector<int>(part.size(), 1), 1).front();
    least = std::min(least, std::max(cost, least_by_trying(sorted, end, n_shards - 1)));
  }
  return least;
}

}  // namespace

TEST_CASE("Prompts that begin alike go together, and shards weigh as even as they can", "[unit]") {
  const TokenIds head_a(40, 1);
  const TokenIds head_b(40, 2);
  std::vector<TokenIds> prompts;
  for (const auto& [head, n_own] : std::vector<std::pair<TokenIds, int>>{
           {head_a, 9}, {head_b, 1}, {head_a, 1}, {head_b, 30}, {head_a, 2}, {head_b, 3}}) {
    prompts.push_back(head);
    for (int i = 0; i < n_own; ++i) {
      prompts.back().push_back(static_cast<TokenId>(100 * prompts.size()) + i);
    }
  }
  const std::vector<int> two = assign_shards(prompts, 2);
  CHECK(two == std::vector<int>{1, 2, 1, 2, 1, 2});

  std::vector<TokenIds> sorted = prompts;
  std::sort(sorted.begin(), sorted.end());
  for (const int n_shards : {1, 2, 3, 4, 5, 6, 9}) {
    CAPTURE(n_shards);
    const std::vector<int> shard_of = assign_shards(prompts, n_shards);
    const std::vector<std::size_t> costs = costs_of(prompts, shard_of, n_shards);
    CHECK(*std::max_element(costs.begin(), costs.end()) == least_by_trying(sorted, 0, n_shards));
    const std::set<int> used(shard_of.begin(), shard_of.end());
    CHECK(used.size() == std::min<std::size_t>(prompts.size(), static_cast<std::size_t>(n_shards)));
    CHECK(*used.begin() == 1);
    CHECK(static_cast<std::size_t>(*used.rbegin()) == used.size());
  }
}

TEST_CASE("The shard of a prompt depends on the prompts alone, equal ones are together", "[unit]") {
  const std::vector<TokenIds> prompts = {{1, 2, 3}, {4, 5}, {1, 2, 3}, {1}, {4, 5, 6}, {1, 2, 3}};
  const std::vector<int> shard_of = assign_shards(prompts, 3);
  const std::vector<TokenIds> turned(prompts.rbegin(), prompts.rend());
  const std::vector<int> of_turned = assign_shards(turned, 3);
  CHECK(std::vector<int>(of_turned.rbegin(), of_turned.rend()) == shard_of);
  CHECK(shard_of[0] == shard_of[2]);
  CHECK(shard_of[0] == shard_of[5]);
  CHECK(assign_shards({}, 3).empty());
}

}  // namespace labelprobe::experiment
