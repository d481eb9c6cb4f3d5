// What a token costs when all is under way: the host waits once a step, no memory is asked for, and
// nothing is computed on a stream where it does not belong.
#include "device/device_run.h"

namespace labelprobe {
namespace {

using support::DeviceRun;
using support::fixture;
using support::TempFolder;

// So many tokens each for a few prompts that never end.
DeviceRun generate(int n_tokens, const std::vector<std::string>& more = {}) {
  const TempFolder folder;
  std::string lines;
  for (int i = 0; i < 12; ++i) {
    lines += "{\"id\": \"" + std::to_string(i) + "\", \"text\": \"Number " + std::to_string(i) +
             " of some, and then what?\"}\n";
  }
  support::write_file(folder.path() / "prompts.jsonl", lines);
  std::vector<std::string> arguments = {"generate",
                                        "--model-name-or-path",
                                        fixture("e2e/model").string(),
                                        "--prompts",
                                        (folder.path() / "prompts.jsonl").string(),
                                        "--max-new-tokens",
                                        std::to_string(n_tokens),
                                        "--ignore-eos",
                                        "--device",
                                        "cuda"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return support::run_well(arguments);
}

}  // namespace

TEST_CASE("A further token costs one launch of a graph, one wait and no memory", "[device]") {
  const DeviceRun fewer = generate(20);
  const DeviceRun more = generate(44);
  CHECK(more.count("graph launches") - fewer.count("graph launches") == 24);
  CHECK(more.count("host waits") - fewer.count("host waits") == 24);
  for (const char* what : {"device allocations", "pinned allocations", "recordings", "graphs",
                           "copies host to device", "work on default streams"}) {
    CAPTURE(what);
    CHECK(more.count(what) == fewer.count(what));
  }
  CHECK(more.peak_bytes() == fewer.peak_bytes());
}

TEST_CASE("Without graphs a further token asks for no memory either", "[device]") {
  const std::vector<std::string> rules = {"--repetition-penalty", "1.2"};  // read before each step
  const DeviceRun fewer = generate(10, rules);
  const DeviceRun more = generate(22, rules);
  CHECK(more.count("device allocations") == fewer.count("device allocations"));
  CHECK(more.count("pinned allocations") == fewer.count("pinned allocations"));
  // The host reads each step before the next one.
  CHECK(more.count("host waits") - fewer.count("host waits") == 12);
}

}  // namespace labelprobe
