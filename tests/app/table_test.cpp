// `labelprobe table`, with the example data as GoEmotions and the tiny model that has learned to
// answer.
#include <algorithm>

#include "app/e2e_run.h"
#include "support/catch.h"

namespace labelprobe {
namespace {

using support::fixture;
using support::ProgramResult;
using support::read_file;
using support::run_program;
using support::TempFolder;
using support::write_file;

namespace fs = std::filesystem;

// Folders that hold GoEmotions and none of the other sets.
void make_roots_of_two_tasks(const fs::path& root) {
  fs::create_directories(root / "data");
  fs::create_directory_symlink(fs::absolute("configs/example"), root / "data" / "goemotions");
  for (const char* task : {"GoEmotions", "MFRC"}) {
    write_file(root / "ids" / task / "list.txt", "x4ymwxu\nx5yiix4\nx8adbq4\n");
  }
}

std::vector<std::string> table(const fs::path& root,
                               const std::vector<std::string>& cells,
                               const std::vector<std::string>& more = {},
                               const std::vector<std::string>& run_flags = {}) {
  std::vector<std::string> arguments = {"table", "table5", fixture("e2e/model").string()};
  const auto add = [&](const std::vector<std::string>& words) {
    arguments.insert(arguments.end(), words.begin(), words.end());
  };
  add({"--data-root", (root / "data").string(), "--id-root", (root / "ids").string()});
  add({"--log-root", (root / "logs").string(), "--id-list", "list", "--device", "cpu", "--cells"});
  add(cells);
  add(more);
  add({"--", "--quant", "none", "--shot", "2"});
  add(run_flags);
  return arguments;
}

}  // namespace

TEST_CASE("Runs the cells of a table once and prints it", "[e2e]") {
  const TempFolder folder;
  make_roots_of_two_tasks(folder.path());
  const std::vector<std::string> cells = {"GoEmotions/baseline", "GoEmotions/unary"};
  const ProgramResult first = run_program(table(folder.path(), cells, {"--limit", "2"}));
  INFO(first.err);
  REQUIRE(first.exit_code == 0);
  for (const char* part : {"# Distribution alignment: list, first 2 examples\n",
                           "\n### GoEmotions\n", "Compare-to-None", "Unary"}) {
    CAPTURE(part);
    CHECK_THAT(first.out, ContainsSubstring(part));
  }
  CHECK_THAT(first.out, !ContainsSubstring("### Missing"));
  for (const char* part : {"Made by labelprobe 0.2.0", "- float32; seed 0, 2 shots\n",
                           "Id list: list (3 ids, hash "}) {
    CAPTURE(part);
    CHECK_THAT(first.out, ContainsSubstring(part));
  }
  CHECK(first.out ==
        read_file(folder.path() / "logs/tables/table5-list-2-GoEmotions-baseline-GoEmotions-unary-"
                                  "model-none-float32-seed0.md"));

  const ProgramResult again = run_program(table(folder.path(), cells, {"--limit", "2"}));
  CHECK(again.out == first.out);
  CHECK_THAT(again.err,
             ContainsSubstring("finished before: ") && !ContainsSubstring("parameters loaded in"));
}

TEST_CASE("Says which cells are missing and why, by the exit code too", "[e2e]") {
  const TempFolder folder;
  make_roots_of_two_tasks(folder.path());
  const std::vector<std::string> cells = {"GoEmotions/baseline", "MFRC/unary"};
  const ProgramResult states = run_program(table(folder.path(), cells, {"--dry-run"}));
  CHECK(states.exit_code == 0);
  CHECK_THAT(states.out, ContainsSubstring("GoEmotions/baseline  to run: 3 items") &&
                             ContainsSubstring("cannot be run: no data of MFRC"));
  CHECK_FALSE(fs::exists(folder.path() / "logs"));

  const ProgramResult result = run_program(table(folder.path(), cells));
  CHECK(result.exit_code == 1);
  CHECK_THAT(result.out, ContainsSubstring("### GoEmotions") && ContainsSubstring("### Missing") &&
                             ContainsSubstring("- MFRC/unary: no data of MFRC"));
  CHECK_THAT(run_program(table(folder.path(), cells, {"--dry-run"})).out,
             ContainsSubstring("GoEmotions/baseline  finished: "));

  const ProgramResult failed =
      run_program(table(folder.path(), {"GoEmotions/binary"}, {}, {"--max-new-tokens", "100000"}));
  CHECK(failed.exit_code == 1);
  CHECK_THAT(failed.out,
             ContainsSubstring("- GoEmotions/binary: ") && ContainsSubstring("items failed"));
}

TEST_CASE("Shows the command line of each cell, and finds what these have run", "[e2e]") {
  const TempFolder folder;
  make_roots_of_two_tasks(folder.path());
  const ProgramResult shown =
      run_program(table(folder.path(), {"GoEmotions/unary"}, {"--commands"}));
  REQUIRE(shown.exit_code == 0);
  CHECK_THAT(shown.out, ContainsSubstring("labelprobe run GoEmotions --config ") &&
                            ContainsSubstring("'list/{distribution}/{model_name_or_path}'") &&
                            ContainsSubstring(" '{' --quant none --shot 2 '}'\n"));
  std::vector<std::string> words;
  std::string line = shown.out.substr(0, shown.out.size() - 1);
  line.erase(std::remove(line.begin(), line.end(), '\''), line.end());
  for (std::size_t start = 0; start < line.size();) {
    const std::size_t end = std::min(line.find(' ', start), line.size());
    words.push_back(line.substr(start, end - start));
    start = end + 1;
  }
  words.erase(words.begin());
  REQUIRE(run_program(words).exit_code == 0);
  CHECK_THAT(run_program(table(folder.path(), {"GoEmotions/unary"}, {"--dry-run"})).out,
             ContainsSubstring("finished: "));
}

TEST_CASE("Mistakes about tables are told before anything runs", "[e2e]") {
  const TempFolder folder;
  make_roots_of_two_tasks(folder.path());
  const auto expect = [&](const std::vector<std::string>& arguments, const std::string& message) {
    const ProgramResult result = run_program(arguments);
    CAPTURE(arguments, result.err);
    CHECK(result.exit_code == 2);
    CHECK_THAT(result.err, ContainsSubstring(message));
  };
  expect({"table", "table5"}, "expected at least one MODEL");
  expect({"table", "table2", "m"}, "did you mean");
  expect(table(folder.path(), {"GoEmotion"}), "unknown cell 'GoEmotion'");
  expect(table(folder.path(), {"MFRC"}, {"--limit", "0"}), "--limit");
  expect(table(folder.path(), {"MFRC"}, {"--seed", "-1"}), "--seed: expected one seed, 0 or more");
  expect(table(folder.path(), {"MFRC"}, {"--paper", "2"}), "table1");
  expect(table(folder.path(), {"MFRC"}, {"--scores", "BERT=b.yml"}),
         "--scores: expected SET/NAME=FILE");
  CHECK_FALSE(fs::exists(folder.path() / "logs"));
}

}  // namespace labelprobe
