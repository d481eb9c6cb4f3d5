// The plan of a run's shards as shards.json holds it, and where things lie in their folder.
#pragma once

#include <filesystem>
#include <string>

#include "labelprobe/record/shards.h"

namespace labelprobe::record {

inline constexpr const char* kPlanName = "shards.json";
inline constexpr const char* kShardJournalName = "journal.jsonl";
inline constexpr const char* kShardFinishedName = "finished.json";
inline constexpr const char* kShardProvenanceName = "provenance.json";
inline constexpr const char* kShardClaimName = ".claim";

// Below the log root.
std::filesystem::path place_of(const RunRequest& request);

std::string encode_plan(const ShardPlan& plan);

// The inverse. Throws DataError (file, what is wrong).
ShardPlan load_plan(const std::filesystem::path& shards_folder);

// Throws ConfigError if shards of the plan `here` cannot join those begun by the plan `there`.
void check_same(const ShardPlan& there,
                const ShardPlan& here,
                const std::filesystem::path& shards_folder);

std::filesystem::path folder_of_shard(const std::filesystem::path& shards_folder,
                                      int shard,
                                      int n_shards);

// Tells a shard's journal by all its bytes; where there is none, as if it were empty.
std::string fingerprint_of_journal(const std::filesystem::path& shard_folder);

// Whether the shard was finished with the journal that is there.
bool is_finished_shard(const std::filesystem::path& shard_folder);

}  // namespace labelprobe::record
