// A run in several shards: which items go together, and what becomes of them once all are computed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/core/example.h"
#include "labelprobe/experiment/job.h"
#include "labelprobe/experiment/preparation.h"
#include "labelprobe/experiment/run.h"
#include "labelprobe/experiment/settings.h"
#include "labelprobe/record/shards.h"

namespace labelprobe::experiment {

// The shard of each prompt, from 1. Shards are stretches of the prompts in the order of their
// tokens, so that what prompts begin with is computed in as few of them as can be; the largest
// number of distinct tokens of a shard is as small as stretches can have it. Depends on the prompts
// alone. Equal prompts are together. With more shards than different prompts some have none.
std::vector<int> assign_shards(std::span<const TokenIds> prompts, int n_shards);

// What one shard has to compute.
struct ShardShare {
  std::int64_t n_items = 0;
  TokenCounts tokens;  // of its prompts, and of what else is looked at
};
std::vector<ShardShare> shares_of(const Preparation& preparation,
                                  std::span<const int> shard_of,
                                  int n_shards);

// All that the shards of a prepared run agree on.
record::ShardPlan plan_shards(const PreparedJob& prepared);

struct Merged {
  std::filesystem::path folder;
  int experiment_index = 0;
  bool was_finished = false;  // by an earlier process: the shards were only removed
  std::vector<std::string> notes;
  Outcome outcome;
};

// Ends the run whose shards are all finished in the bytes that one process would have written, and
// removes them. Waits for a process that merges them; then, what that has made is told, unless the
// shards are gone. Throws files::LockedError or DataError (which, what to do) where shards are
// missing.
std::optional<Merged> merge_shards(const std::filesystem::path& shards_folder,
                                   const files::Patience& patience);

}  // namespace labelprobe::experiment
