// What reads a log refuses one that is not whole, by every command alike.
#include "support/catch.h"
#include "support/program.h"

namespace labelprobe {
namespace {

using support::fixture;
using support::ProgramResult;
using support::read_file;
using support::run_program;
using support::TempFolder;
using support::write_file;

namespace fs = std::filesystem;

TEST_CASE("A half-written experiment is refused by show, compare, align and distributions",
          "[e2e]") {
  const TempFolder folder;
  const std::string whole = fixture("align/logs/GoEmotions/small/baseline/tiny--model_0").string();
  const std::string half = (folder.path() / "half_0").string();
  fs::copy(whole, half);
  const std::string log = read_file(fs::path(whole) / "indexed_metrics.yml");
  write_file(fs::path(half) / "indexed_metrics.yml", log.substr(0, log.find('\n', log.size() / 2)));
  write_file(fs::path(half) / "manifest.json",
             R"({"format": 2, "not_comparable": [], "params": {}, "experiments": [{"index": 0,
                 "state": "writing", "params_changed": {}, "params_absent": [], "sizes": {},
                 "contents_fingerprint": "", "record_version": 2, "provenance": []}]})");
  const std::vector<std::string> data = {
      "--root-dir", "configs/example",           "--test-splits",
      "dev",        "--emotion-clustering-json", "configs/example/emotion_clustering.json"};
  std::vector<std::vector<std::string>> commands = {
      {"show", half},
      {"compare", whole, half},
      {"compare", half + "/experiment_0", whole},
      {"align", "GoEmotions", half},
      {"distributions", "GoEmotions", half, "--out", (folder.path() / "out.yml").string()},
  };
  for (std::size_t i = 3; i < commands.size(); ++i) {
    commands[i].insert(commands[i].end(), data.begin(), data.end());
  }
  for (const auto& command : commands) {
    const ProgramResult result = run_program(command);
    INFO(command[0] << ": " << result.err);
    CHECK(result.exit_code == 3);
    CHECK(result.out.empty());
    CHECK_THAT(result.err, ContainsSubstring(half + ": experiment_0 is unfinished: run the same "
                                                    "command again"));
  }
  CHECK_FALSE(fs::exists(folder.path() / "out.yml"));
}

}  // namespace
}  // namespace labelprobe
