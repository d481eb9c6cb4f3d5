// One run computed by several processes, on one machine or many that share a folder. Each computes
// its shard of the items and has a folder of its own; whoever comes last, or `labelprobe merge`,
// makes of them the log that one process would have written. Non-goals: choosing which items go
// together, and metrics. Nothing here trusts locks of other machines: files appear by link(2) and
// rename(2), and no two processes write the same one.
//
//   <log root>/<category>/<name>.shards-<hash>/   of the parameters that decide the run
//     shards.json          the plan, which all of them agree on
//     shard_<i>_of_<n>/    journal.jsonl, finished.json, log.txt, rows, tokens
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/files/claim.h"
#include "labelprobe/record/item_log.h"
#include "labelprobe/record/item_store.h"
#include "labelprobe/record/row_file.h"
#include "labelprobe/record/run.h"

namespace labelprobe::record {

struct Shard {
  int index = 1;  // from 1
  int n = 1;
  friend bool operator==(const Shard&, const Shard&) = default;
};

// What the shards of a run agree on before one of them computes: enough to end the run without its
// data and its model.
struct ShardPlan {
  RunRequest request;
  int n_shards = 1;
  std::vector<std::string> keys;  // of all items, in the run's order
  std::vector<int> shard_of;      // [keys.size()], from 1
  std::vector<RowLayout> rows;    // of the files beside the log
  std::string scoring;            // JSON, as it was given: what its maker needs for metrics

  std::vector<std::string> keys_of(int shard) const;
};

// Where the shards of this run are, whether one was begun or not.
std::filesystem::path shards_folder(const RunRequest& request);

// One shard as its process writes it.
class ShardLog final : public ItemLog {
 public:
  // Waits for a process that is at this shard. Nothing if the shards were merged meanwhile. Throws
  // ConfigError where the shards were begun with another number of them or with other contents,
  // files::LockedError if the patience ends.
  static std::optional<ShardLog> open(const ShardPlan& plan,
                                      int shard,
                                      files::Disk::BeforeStep before_step = {});
  ~ShardLog() override;
  ShardLog(ShardLog&&) noexcept;
  ShardLog& operator=(ShardLog&&) noexcept;

  const std::filesystem::path& folder() const override;  // the shard's own
  int experiment_index() const override { return 0; }
  const std::vector<std::string>& notes() const override;
  const ItemStore& finished() const override;
  void add_provenance(const Provenance& provenance) override;
  void append(std::span<const ItemRecord> items) override;

  bool was_finished() const;  // by an earlier process
  // Every item of the shard has been appended. Nothing can be appended afterwards.
  void finish();

 private:
  struct State;
  explicit ShardLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

enum class ShardState { NotBegun, Unfinished, Running, Finished };

struct ShardView {
  int index = 1;
  ShardState state = ShardState::NotBegun;
  std::size_t n_items = 0;   // there
  std::size_t n_wanted = 0;  // in the end
  std::string holder;        // the process that is at it
};

// "2 (12 of 30 items, process 12 on ada, since ..., is at it), 3 (not begun)": those that are not
// finished; empty = all are.
std::string describe_left(std::span<const ShardView> shards);

// The shards of a run, read.
class ShardSet {
 public:
  // Throws DataError if the folder holds no shards or their plan is damaged.
  static ShardSet open(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const { return folder_; }
  const ShardPlan& plan() const { return plan_; }  // its log root is where the folder lies now

  std::vector<ShardView> shards() const;
  std::filesystem::path folder_of(int shard) const;
  std::map<std::string, ItemRecord> items_of(int shard) const;
  // The same, each read when it is asked for.
  ItemStore stored_items(int shard) const;
  std::vector<Provenance> provenance_of(int shard) const;

  // Throws files::LockedError or DataError (which shards, what to do) unless all are finished, each
  // with the items that are its own.
  void check_complete() const;

  // The finished experiment that these shards were merged into, by a process that did not live to
  // remove them.
  std::optional<std::filesystem::path> merged_into() const;
  void note_target(const Run& run) const;
  void remove() const;

 private:
  ShardSet(std::filesystem::path folder, ShardPlan plan);

  std::filesystem::path folder_;
  ShardPlan plan_;
};

// Throws ConfigError (what differs, what to do) unless shards of this plan may join those.
void check_joins(const ShardSet& set, const ShardPlan& plan);

// Whether a folder holds the shards of a run.
bool is_shards_folder(const std::filesystem::path& folder);

// Those that are the folder itself or lie below it, sorted. Hidden folders are passed over.
std::vector<std::filesystem::path> find_shards(const std::filesystem::path& folder);

// Held while a set is merged.
std::filesystem::path merging_path(const std::filesystem::path& shards_folder);

}  // namespace labelprobe::record
