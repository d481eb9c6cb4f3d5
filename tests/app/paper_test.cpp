// `labelprobe paper`, with the example data as GoEmotions and the tiny model that has learned to
// answer.
#include <algorithm>

#include <nlohmann/json.hpp>

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
void make_roots(const fs::path& root) {
  fs::create_directories(root / "data");
  fs::create_directory_symlink(fs::absolute("configs/example"), root / "data" / "goemotions");
  write_file(root / "ids/GoEmotions/list.txt", "x4ymwxu\nx5yiix4\nx8adbq4\n");
}

std::vector<std::string> paper(const fs::path& root, const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"paper",       fixture("e2e/model").string(),
                                        "--name",      "tiny",
                                        "--data-root", (root / "data").string(),
                                        "--id-root",   (root / "ids").string(),
                                        "--log-root",  (root / "logs").string(),
                                        "--id-list",   "list",
                                        "--device",    "cpu",
                                        "--out",       (root / "out").string(),
                                        "--data-only"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  arguments.insert(arguments.end(), {"--", "--quant", "none", "--shot", "2"});
  return arguments;
}

// The lines of a CSV file that hold all of the words.
std::vector<std::string> lines_with(const fs::path& path, const std::vector<std::string>& words) {
  std::vector<std::string> found;
  const std::string text = read_file(path);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    if (std::all_of(words.begin(), words.end(), [&](const std::string& word) {
          return line.find(word) != std::string::npos;
        })) {
      found.push_back(line);
    }
    begin = end + 1;
  }
  return found;
}

}  // namespace

TEST_CASE("Makes the paper's parts once, with published numbers and reasons", "[e2e]") {
  const TempFolder folder;
  const fs::path& root = folder.path();
  make_roots(root);
  const std::vector<std::string> flags = {
      "--sets", "GoEmotions", "--limit", "3",       "--split-limit", "8",        "--parts",
      "table1", "table3",     "table4",  "figure7", "figure11",      "--answer", "first"};
  const ProgramResult first = run_program(paper(root, flags));
  INFO(first.err);
  CHECK(first.exit_code == 1);  // no fine-tuned model, no BERT
  CHECK_THAT(first.out, ContainsSubstring("report.html"));

  const fs::path numbers = root / "out/numbers.csv";
  CHECK(
      lines_with(numbers, {"table1,Unary,\"published, Llama3 70B\",GoEmotions,nll,3.6,"}).size() ==
      1);
  const auto ours = lines_with(numbers, {"table1,Binary,tiny,GoEmotions,nll,"});
  REQUIRE(ours.size() == 1);
  // What `align` says of the same run.
  const nlohmann::json table =
      nlohmann::json::parse(read_file(root / "out/alignment/tiny-GoEmotions.json"));
  for (const auto& row : table["rows"]) {
    if (row["estimator"] != "binary") continue;
    CHECK_THAT(ours.front(), ContainsSubstring("," + row["nll"]["value"].dump() + ","));
  }
  CHECK(lines_with(numbers, {"SFT outputs,tiny,GoEmotions,nll,,", "--tuned"}).size() == 1);
  CHECK(lines_with(numbers, {"BERT (Demux),tiny", "nll,,", "--scores"}).size() == 1);
  CHECK(lines_with(numbers, {"table4,,tiny,GoEmotions,second_not_predicted_ever,"}).size() == 1);
  CHECK(lines_with(numbers, {"MFRC"}).empty());  // not asked for

  CHECK_THAT(read_file(root / "out/tables/table1.md"),
             ContainsSubstring("| Unary | published, Llama3 70B |") &&
                 ContainsSubstring("| Unary | tiny |"));
  CHECK_THAT(read_file(root / "out/tables/table3.md"),
             ContainsSubstring("## GoEmotions, binary: x4ymwxu__aggregate_binary_joy_optimism"));
  CHECK(fs::exists(root / "out/figures/figure7-binary.json"));
  CHECK_FALSE(fs::exists(root / "out/figures/figure11-base_chat.csv"));
  CHECK_THAT(read_file(root / "out/report.html"),
             ContainsSubstring("expected two models, the base and the chat form of one") &&
                 ContainsSubstring("id=\"paper-table1\"") &&
                 ContainsSubstring("Figure 7 is not drawn: --data-only"));
  CHECK(lines_with(root / "out/runs.csv", {"tiny,GoEmotions,tuned,,,", "no fine-tuned form"})
            .size() == 1);

  const std::string before = read_file(numbers);
  const ProgramResult again = run_program(paper(root, flags));
  CHECK_THAT(again.err,
             ContainsSubstring("finished before: ") && !ContainsSubstring("parameters loaded in"));
  CHECK(read_file(numbers) == before);
}

TEST_CASE("Tells what it would run, and begins nothing that would not be over in time", "[e2e]") {
  const TempFolder folder;
  const fs::path& root = folder.path();
  make_roots(root);
  const ProgramResult told = run_program(
      paper(root, {"--parts", "figure7", "--limit", "2", "--dry-run", "--time-limit", "1h30m"}));
  INFO(told.err);
  CHECK(told.exit_code == 0);
  CHECK_THAT(told.out, ContainsSubstring("GoEmotions/binary") &&
                           ContainsSubstring("to run: 56 items") &&
                           ContainsSubstring("MFRC/binary") &&
                           ContainsSubstring("cannot be run: no data of MFRC") &&
                           ContainsSubstring("--time-limit 1h30m: ") &&
                           ContainsSubstring("Figure 7  binary of GoEmotions, MFRC, "));
  CHECK_FALSE(fs::exists(root / "logs"));

  const ProgramResult late = run_program(
      paper(root, {"--parts", "figure4", "--sets", "GoEmotions", "--time-limit", "0s"}));
  CHECK(late.exit_code == 1);
  CHECK_THAT(read_file(root / "out/runs.csv"), ContainsSubstring("of the time limit is left"));
  CHECK_THAT(late.err, ContainsSubstring("there is no report, as no run is finished"));
}

TEST_CASE("Mistakes about the paper are told before anything runs", "[e2e]") {
  const TempFolder folder;
  make_roots(folder.path());
  const auto expect = [&](const std::vector<std::string>& flags, const std::string& message) {
    const ProgramResult result = run_program(paper(folder.path(), flags));
    CAPTURE(flags, result.err);
    CHECK(result.exit_code == 2);
    CHECK_THAT(result.err, ContainsSubstring(message));
  };
  expect({"--parts", "table7"}, "unknown part of the paper 'table7'");
  expect({"--sets", "GoEmotion"}, "did you mean 'GoEmotions'?");
  expect({"--tuned", "a", "b"}, "--tuned: expected as many as models, 1, found 2");
  expect({"--scores", "BERT=b.yml"}, "--scores: expected SET/NAME=FILE");
  expect({"--time-limit", "soon"}, "--time-limit: expected a duration such as 45s, 90m or 3h50m");
  expect({"--answer", "last"}, "greedy");
  CHECK_FALSE(fs::exists(folder.path() / "logs"));
  CHECK_THAT(run_program({"paper", "--out", "x"}).err, ContainsSubstring("at least one MODEL"));
}

}  // namespace labelprobe
