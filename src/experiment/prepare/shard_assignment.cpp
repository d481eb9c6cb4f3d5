// Stretches of the prompts' tree. Sorted prompts are its leaves from left to right; a stretch of
// them costs the whole of its first prompt, and of each other what it does not share with the one
// before.
#include <algorithm>
#include <cstddef>
#include <numeric>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/shards.h"

namespace labelprobe::experiment {

namespace {

std::int64_t n_common_tokens(const TokenIds& a, const TokenIds& b) {
  return std::mismatch(a.begin(), a.begin() + std::min(a.size(), b.size()), b.begin()).first -
         a.begin();
}

class Stretches {
 public:
  explicit Stretches(std::span<const TokenIds> sorted) : own_(sorted.size() + 1) {
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      const auto n_tokens = static_cast<std::int64_t>(sorted[i].size());
      const std::int64_t n_shared = i == 0 ? 0 : n_common_tokens(sorted[i - 1], sorted[i]);
      shared_.push_back(n_shared);
      own_[i + 1] = own_[i] + n_tokens - n_shared;
    }
  }

  std::size_t size() const { return shared_.size(); }

  // Distinct tokens of the prompts from `begin` up to before `end`.
  std::int64_t cost(std::size_t begin, std::size_t end) const {
    return begin == end ? 0 : own_[end] - own_[begin] + shared_[begin];
  }

  // The furthest end of a stretch that costs no more; `begin` itself if one prompt is too much.
  std::size_t furthest(std::size_t begin, std::int64_t most) const {
    const std::int64_t up_to = most - shared_[begin] + own_[begin];
    const auto behind =
        std::upper_bound(own_.begin() + static_cast<std::ptrdiff_t>(begin) + 1, own_.end(), up_to);
    return static_cast<std::size_t>(behind - own_.begin()) - 1;
  }

  // How many stretches the prompts from each place on take, of which none costs more.
  std::vector<std::size_t> needed(std::int64_t most) const {
    std::vector<std::size_t> n(size() + 1, 0);
    for (std::size_t begin = size(); begin-- > 0;) {
      const std::size_t end = furthest(begin, most);
      n[begin] = end == begin ? size() + 1 : n[end] + 1;
    }
    return n;
  }

 private:
  std::vector<std::int64_t> shared_;  // with the prompt before
  std::vector<std::int64_t> own_;     // sums of what is not shared, before each
};

// The least cost that no stretch exceeds.
std::int64_t least_most(const Stretches& stretches, std::size_t n_shards) {
  std::int64_t low = 0;  // too little
  std::int64_t high = stretches.cost(0, stretches.size());
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (stretches.needed(middle).front() <= n_shards ? high : low) = middle;
  }
  return high;
}

}  // namespace

std::vector<int> assign_shards(std::span<const TokenIds> prompts, int n_shards) {
  LABELPROBE_CHECK(n_shards >= 1);
  std::vector<std::size_t> order(prompts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return prompts[a] < prompts[b]; });
  std::vector<TokenIds> sorted;
  for (const std::size_t i : order) sorted.push_back(prompts[i]);
  const Stretches stretches(sorted);
  std::vector<int> shard_of(prompts.size(), 1);
  if (prompts.empty()) return shard_of;
  const std::int64_t most = least_most(stretches, static_cast<std::size_t>(n_shards));
  const std::vector<std::size_t> needed = stretches.needed(most);
  std::size_t begin = 0;
  for (int shard = 1; shard <= n_shards && begin < sorted.size(); ++shard) {
    const auto n_left = static_cast<std::size_t>(n_shards - shard);
    // As near to an even part of what is left as the others can still do with.
    const std::int64_t even =
        stretches.cost(begin, sorted.size()) / static_cast<std::int64_t>(n_left + 1);
    const std::size_t furthest = stretches.furthest(begin, most);
    std::size_t end = begin + 1;
    const auto is_enough = [&] {
      return needed[end] <= n_left &&
             (stretches.cost(begin, end) >= even || sorted.size() - end <= n_left);
    };
    while (end < furthest && !is_enough()) ++end;
    // Equal prompts cost nothing together.
    while (end < sorted.size() && sorted[end] == sorted[end - 1]) ++end;
    for (std::size_t i = begin; i < end; ++i) shard_of[order[i]] = shard;
    begin = end;
  }
  LABELPROBE_CHECK(begin == sorted.size());
  return shard_of;
}

std::vector<ShardShare> shares_of(const Preparation& preparation,
                                  std::span<const int> shard_of,
                                  int n_shards) {
  std::vector<std::vector<TokenIds>> prompts(static_cast<std::size_t>(n_shards));
  std::vector<ShardShare> shares(prompts.size());
  for (std::size_t i = 0; i < shard_of.size(); ++i) {
    const auto shard = static_cast<std::size_t>(shard_of[i]) - 1;
    ++shares[shard].n_items;
    prompts[shard].push_back(preparation.prompts[i]);
    if (!preparation.beginnings.empty()) prompts[shard].push_back(preparation.beginnings[i]);
  }
  for (std::size_t i = 0; i < shares.size(); ++i) shares[i].tokens = count_tokens(prompts[i]);
  return shares;
}

}  // namespace labelprobe::experiment
