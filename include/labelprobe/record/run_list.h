// The logs below a folder, at a glance.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace labelprobe::record {

enum class RunState { Finished, Unfinished, Running, Damaged };

// "finished", ...
const char* name_of(RunState state);

// One experiment of a folder, the shards of one, or a folder that cannot be read.
struct ListedRun {
  std::filesystem::path folder;
  std::optional<int> index;
  RunState state = RunState::Finished;
  std::optional<std::size_t> n_items;   // there
  std::optional<std::size_t> n_wanted;  // in the end, of one that is not finished
  std::optional<std::size_t> n_failed;  // of those there; unset = not known
  std::string model;                    // empty = the log does not tell
  std::string plan;
  std::string date;     // of its last change, local time: "2026-11-29 21:26"
  std::string finding;  // what is wrong, or who is at it
  std::string damage;   // of a journal: "damaged lines (2, 5)", whose items are computed again
  std::string shards;   // of a run in several shards: "2 of 4 finished; left: 3 (not begun), ..."
};

enum class Verify {
  Sizes,  // whether files have the bytes that the manifest says
  Bytes,  // whether they are the same: reads all of them
};

// Sorted by folder. Folders that cannot be looked into are named in `notes`. Throws ConfigError if
// `root` is no folder.
std::vector<ListedRun> list_runs(const std::filesystem::path& root,
                                 Verify verify,
                                 std::vector<std::string>& notes);

}  // namespace labelprobe::record
