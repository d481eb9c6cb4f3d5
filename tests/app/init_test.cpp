// labelprobe init: the task file that it drafts, and what it refuses; data that need none.
#include <set>

#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/json_lines.h"
#include "support/program.h"

namespace labelprobe {
namespace {

using support::ProgramResult;
using support::run_program;
using support::TempFolder;

constexpr const char* kTweets =
    "tweet_id,tweet,labels\n1,so happy,joy|love\n2,so sad,sadness\n3,grr grr,anger\n4,oh,joy\n";

// The items of a file that `data --out` wrote, whatever their order and that of their labels.
std::set<std::string> items_in(const std::string& path) {
  std::set<std::string> items;
  for (nlohmann::json item : support::json_lines(support::read_file(path))) {
    std::sort(item["labels"].begin(), item["labels"].end());
    items.insert(item.dump());
  }
  return items;
}

}  // namespace

TEST_CASE("What data writes is read as it is", "[e2e]") {
  const TempFolder folder;
  const std::string first = (folder.path() / "first.jsonl").string();
  const std::string second = (folder.path() / "second.jsonl").string();
  REQUIRE(run_program({"data", "GoEmotions", "--config", "configs/example/config.yaml",
                       "--annotation-mode", "both", "--out", first})
              .exit_code == 0);
  const ProgramResult result =
      run_program({"data", first, "--annotation-mode", "both", "--out", second});
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.out, ContainsSubstring("read as what labelprobe data --out writes; labelprobe "
                                           "init " +
                                           first + " shows it as a task file"));
  CHECK(items_in(first) == items_in(second));
  CHECK(items_in(first).size() > 200);
}

TEST_CASE("Drafts a task file beside a table and never writes over one", "[e2e]") {
  const TempFolder folder;
  const std::string table = (folder.path() / "tweets.csv").string();
  const std::string task = (folder.path() / "tweets.yaml").string();
  support::write_file(table, kTweets);
  const ProgramResult result = run_program({"init", table, "--out", task});
  REQUIRE(result.exit_code == 0);
  CHECK(result.out.empty());
  const std::string draft = support::read_file(task);
  CHECK_THAT(draft, ContainsSubstring("\nfiles: tweets.csv\n") &&
                        ContainsSubstring("\nlabels: {column: labels, separator: \"|\"}\n"));
  const ProgramResult checked = run_program({"data", task});
  CHECK(checked.exit_code == 0);
  CHECK_THAT(checked.out, ContainsSubstring("tweets, train: 3 items of 3 examples, 4 labels"));
  const ProgramResult again = run_program({"init", table, "--out", task});
  CHECK(again.exit_code == 2);
  CHECK_THAT(again.err,
             ContainsSubstring("tweets.yaml is there already; remove it or name another"));
  CHECK(support::read_file(task) == draft);
}

TEST_CASE("Shows a draft on standard output, its paths from the working directory", "[e2e]") {
  const ProgramResult result = run_program({"init", "configs/example/goemotions_1.csv"});
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.out, ContainsSubstring("\nfiles: configs/example/goemotions_1.csv\n") &&
                             ContainsSubstring("votes: {annotator: rater_id"));
}

TEST_CASE("Says what it cannot draft a task file of", "[e2e]") {
  const TempFolder folder;
  const std::string table = (folder.path() / "n.csv").string();
  support::write_file(table, "a,b\n1,2\n3,4\n");
  const ProgramResult numbers = run_program({"init", table});
  CHECK(numbers.exit_code == 3);
  CHECK_THAT(numbers.err, ContainsSubstring("n.csv: expected a column that looks like texts"));
  const ProgramResult missing = run_program({"init", "none.csv"});
  CHECK(missing.exit_code == 2);
  CHECK_THAT(missing.err, ContainsSubstring("none.csv: expected a table, a folder with tables"));
  CHECK(run_program({"init"}).exit_code == 2);
}

}  // namespace labelprobe
