// Experiments as a person names them.
#include <filesystem>
#include <string>
#include <vector>

#include "labelprobe/record/logged_run.h"
#include "labelprobe/record/run.h"

#include "record/items.h"
#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::record {
namespace {

namespace fs = std::filesystem;

// Logs an item as one experiment and returns its folder.
fs::path log_item(const RunRequest& request) {
  Run run = Run::open(request);
  run.append(std::vector{make_item("a")});
  run.finish(std::vector<std::string>{"a"}, std::nullopt, {});
  return run.folder();
}

}  // namespace

TEST_CASE("A folder's name stands for its experiments, each seed once", "[logged_run]") {
  const support::TempFolder folder;
  fs::path runs;
  for (const int seed : {0, 1, 0}) {
    RunRequest request = make_request(folder.path(), seed);
    request.if_finished = IfFinished::Append;
    request.params.push_back({"log_root", folder.path().string(), false});
    runs = log_item(request);
  }
  std::vector<int> found;
  for (const LoggedRun& run : read_named_runs(runs.string())) found.push_back(run.index);
  CHECK(found == std::vector{1, 2});
  CHECK(task_of(read_run(runs)) == "MFRC");
  CHECK(read_named_runs((runs / "experiment_0").string()).front().index == 0);
  CHECK_THROWS_WITH(read_named_runs((folder.path() / "nothing").string()),
                    ContainsSubstring("expected the log folder of a finished run"));

  // In logs of the published program params.yml tells the last experiment's seed only.
  const fs::path published = folder.path() / "published";
  support::write_file(published / "indexed_metrics.yml",
                      "experiment_0:\n  a:\n    test_gt: [joy]\n  description: ''\n"
                      "experiment_1:\n  a:\n    test_gt: [joy]\n  description: ''\n");
  support::write_file(published / "params.yml", "experiment_1:\n  seed: 1\n");
  CHECK(read_named_runs(published.string()).size() == 2);
  CHECK(task_of(read_run(published)).empty());
}

}  // namespace labelprobe::record
