// Commands of a small run, and their deaths: for the tests of what is resumed.
#pragma once

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "record/items.h"
#include "record/run_folder.h"
#include "support/catch.h"

namespace labelprobe::record {

// Thousands of commands, each with its fsyncs: in memory where the system has a folder for that.
[[maybe_unused]] inline const bool kIsInMemory =
    ::access("/dev/shm", W_OK) == 0 && ::setenv("TMPDIR", "/dev/shm", 0) == 0;

inline const std::vector<std::string> kKeys = {"c", "a", "b__rater", "d"};

// The names of the files that one of the two lacks or that differ.
inline std::string differences(const std::map<std::string, std::string>& a,
                               const std::map<std::string, std::string>& b) {
  std::string names;
  for (const auto& [name, text] : a) {
    const auto other = b.find(name);
    names += other != b.end() && other->second == text ? "" : name + " ";
  }
  for (const auto& entry : b) {
    names += a.contains(entry.first) ? "" : entry.first + " ";
  }
  return names;
}

// What the request's plan makes of an item.
inline ItemRecord item_of(const RunRequest& request, const std::string& key) {
  const bool asks_for_numbers =
      std::any_of(request.params.begin(), request.params.end(), [](const Param& param) {
        return param.name == "distribution" && param.value == ParamValue(std::string("verbalized"));
      });
  return asks_for_numbers ? make_verbalized_item(key) : make_item(key);
}

// What is left of an item that could not be computed.
inline ItemRecord failed_item(const ItemRecord& item) {
  ItemRecord failed;
  failed.key = item.key;
  failed.annotator = item.annotator;
  failed.kind = item.kind;
  failed.query_text = item.query_text;
  failed.gold = item.gold;
  failed.checked_label = item.checked_label;
  failed.prompt_fingerprint = item.prompt_fingerprint;
  failed.failure = "the server did not answer";
  return failed;
}

// A whole command: two batches of those items that are not finished yet, then the end. Returns how
// many items it computed.
//   failing  keys of items that cannot be computed
inline int run_command(const RunRequest& request,
                       files::Disk::BeforeStep before_step = {},
                       const std::set<std::string>& failing = {}) {
  RunFolder run(request, std::move(before_step));
  if (run.was_finished()) {
    return 0;
  }
  int n_computed = 0;
  for (std::size_t start = 0; start < kKeys.size(); start += 2) {
    std::vector<ItemRecord> batch;
    for (std::size_t i = start; i < start + 2; ++i) {
      if (!run.finished().contains(kKeys[i])) {
        batch.push_back(item_of(request, kKeys[i]));
        if (failing.contains(kKeys[i])) batch.back() = failed_item(batch.back());
      }
    }
    n_computed += static_cast<int>(batch.size());
    run.append(batch);
  }
  const auto seed = std::find_if(request.params.begin(), request.params.end(),
                                 [](const auto& param) { return param.name == "seed"; });
  const double share = 1.0 / static_cast<double>(2 + std::get<std::int64_t>(seed->value));
  run.finish(kKeys, Metrics{{"micro_f1", share}}, {{"rater", {{"micro_f1", share / 2}}}});
  return n_computed;
}

// Runs the command in a process of its own that is killed before its n-th change on disk. False if
// it came to its end before that.
inline bool is_killed_at(const RunRequest& request, int n) {
  const pid_t child = ::fork();
  if (child == 0) {
    int n_left = n;
    try {
      run_command(request, [&](std::string_view) {
        if (n_left-- == 0) {
          ::kill(::getpid(), SIGKILL);
        }
      });
    } catch (const std::exception& error) {
      std::cerr << error.what() << std::endl;
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE((WIFSIGNALED(status) || WEXITSTATUS(status) == 0));
  return WIFSIGNALED(status);
}

inline RunRequest make_plain_request(const std::filesystem::path& root, std::int64_t seed = 0) {
  RunRequest request = make_request(root, seed);
  request.layout = kPlainLayout;
  return request;
}

// A root as earlier commands left it, and what is then asked for.
struct Scenario {
  std::string name;
  std::function<void(const std::filesystem::path& root)> prepare;
  std::function<RunRequest(const std::filesystem::path& root)> request;
};

}  // namespace labelprobe::record
