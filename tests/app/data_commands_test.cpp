// labelprobe data and labelprobe ids: what they print and write, and what they refuse.
#include <sstream>

#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/program.h"

namespace labelprobe {
namespace {

using support::fixture;
using support::ProgramResult;
using support::run_program;
using support::TempFolder;

std::vector<std::string> of_example(const std::string& command,
                                    const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments = {command, "GoEmotions", "--config",
                                        "configs/example/config.yaml"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

TEST_CASE("Shows each role's splits, labels and examples in aligned tables", "[e2e]") {
  const ProgramResult result = run_program(of_example("data", {"--show", "1"}));
  REQUIRE(result.exit_code == 0);
  CHECK(result.err.empty());
  CHECK_THAT(result.out, ContainsSubstring("GoEmotions, train: 129 items of 129 examples"));
  CHECK_THAT(result.out, ContainsSubstring("GoEmotions, test: 40 items of 40 examples"));
  CHECK_THAT(result.out, ContainsSubstring("\n  label       items  share\n"
                                           "  joy            20  15.5%\n"));
  CHECK_THAT(result.out, ContainsSubstring("\n  (several)      37  28.7%\n"));
  CHECK_THAT(result.out, ContainsSubstring("annotators: not read (--annotation-mode both"));
  CHECK_THAT(result.out, ContainsSubstring("\n  x4ymwxu__aggregate: none\n"
                                           "    She moved the plants to the balcony.\n"));
}

TEST_CASE("Tells annotators, agreement and what was dropped", "[e2e]") {
  const TempFolder folder;
  support::write_file(folder.path() / "ids.txt", "x4ymwxu\nx5yiix4\nnowhere\n");
  const ProgramResult result = run_program(
      {"data", "GoEmotions", "--root-dir", "configs/example", "--emotion-clustering-json",
       "configs/example/emotion_clustering.json", "--test-splits", "dev", "--annotation-mode",
       "both", "--test-ids-filename", (folder.path() / "ids.txt").string()});
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.out, !ContainsSubstring("train"));
  CHECK_THAT(result.out, ContainsSubstring("  split  read  kept\n  dev      40     2\n"));
  CHECK_THAT(result.out, ContainsSubstring("dropped: 38, not in the id list\n"));
  CHECK_THAT(result.out, ContainsSubstring("the most productive: "));
  CHECK_THAT(result.out, ContainsSubstring("agreement: of 2 examples with two annotators or more"));
  CHECK_THAT(result.out, ContainsSubstring("1 of 3 ids are not in the data loaded (dev)"));
}

TEST_CASE("Writes items as JSON lines and numbers as one object", "[e2e]") {
  const TempFolder folder;
  const std::string path = (folder.path() / "items.jsonl").string();
  const ProgramResult result = run_program(
      of_example("data", {"--json", "--annotation-mode", "both", "--out", path, "--show", "2"}));
  REQUIRE(result.exit_code == 0);
  const nlohmann::json told = nlohmann::json::parse(result.out);
  REQUIRE(told["roles"].size() == 2);
  std::size_t n_items = 0;
  for (const nlohmann::json& role : told["roles"]) {
    CHECK(role["items"].size() == 2);
    n_items += role["n_items"].get<std::size_t>();
  }
  const std::vector<std::string> lines = split_lines(support::read_file(path));
  REQUIRE(lines.size() == n_items);
  std::size_t n_annotated = 0;
  for (const std::string& line : lines) {
    const nlohmann::json item = nlohmann::json::parse(line);
    CHECK((item["role"] == "train" || item["role"] == "test"));
    CHECK(item["labels"].is_array());
    CHECK(item["id"].get<std::string>().find("__") == std::string::npos);
    n_annotated += item.contains("annotator") ? 1 : 0;
  }
  CHECK(n_annotated == n_items - 129 - 40);
  CHECK(split_lines(run_program(of_example("data", {"--out", "-"})).out).size() == 129 + 40);
}

TEST_CASE("Draws the lists of the example data that CPython draws", "[e2e]") {
  const nlohmann::json reference =
      nlohmann::json::parse(support::read_file(fixture("data/evaluation_lists.json")));
  for (const nlohmann::json& expected : reference["examples"]) {
    CAPTURE(expected.dump());
    const ProgramResult result =
        run_program(of_example("ids", {"--annotation-mode", expected["mode"].get<std::string>(),
                                       "--rule", expected["rule"].get<std::string>(), "--n",
                                       expected["n"].dump(), "--seed", expected["seed"].dump()}));
    REQUIRE(result.exit_code == 0);
    CHECK(split_lines(result.out) == expected["ids"].get<std::vector<std::string>>());
  }
}

TEST_CASE("Says what each cell gave, and takes its own list", "[e2e]") {
  const TempFolder folder;
  const std::string path = (folder.path() / "list.txt").string();
  const ProgramResult result = run_program(of_example("ids", {"--n", "36", "--out", path}));
  REQUIRE(result.exit_code == 0);
  CHECK(result.out ==
        "GoEmotions: 36 ids, rule main, seed 0\n"
        "  examples with   there are  wanted  drawn\n"
        "  no label               13      12     12\n"
        "  one label              14      12     12\n"
        "  several labels         13      12     12\n"
        "  whether annotators agree was not looked at (--annotation-mode both reads them)\n");
  const ProgramResult seen =
      run_program(of_example("data", {"--json", "--test-ids-filename", path}));
  const nlohmann::json test = nlohmann::json::parse(seen.out)["roles"][1];
  CHECK(test["splits"][0]["n_kept"] == 36);
  CHECK(test["aggregate"]["n_without_label"] == 12);
  CHECK(test["aggregate"]["n_with_several"] == 12);
  CHECK_THAT(run_program(of_example("ids", {"--n", "40"})).err,
             ContainsSubstring("too few: no label: wanted 14, found 13"));
}

TEST_CASE("The lists of prob_distr_ids are balanced as they say", "[e2e]") {
  if (!std::filesystem::exists(support::shared("data/GoEmotions/dev.tsv"))) {
    SKIP_ALOUD("no real data sets beside the checkout");
  }
  const auto role_of = [](const std::string& task, const std::string& folder,
                          const std::string& split, const std::string& list,
                          const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"data",
                                          task,
                                          "--json",
                                          "--root-dir",
                                          support::shared("data/" + folder).string(),
                                          "--test-splits",
                                          split,
                                          "--test-ids-filename",
                                          "prob_distr_ids/" + task + "/" + list + ".txt"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProgramResult result = run_program(arguments);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    const nlohmann::json role = nlohmann::json::parse(result.out)["roles"][0];
    CHECK(role["n_examples"] == 200);
    return role;
  };
  const std::vector<std::string> clustered = {
      "--emotion-clustering-json",
      support::shared("data/GoEmotions/emotion_clustering.json").string()};
  const nlohmann::json emotions = role_of("GoEmotions", "GoEmotions", "dev", "ours_200", clustered);
  CHECK(emotions["aggregate"]["n_without_label"] == 67);
  CHECK(emotions["aggregate"]["n_with_several"] == 66);
  CHECK(role_of("GoEmotions", "GoEmotions", "dev", "ours_multilabel_200",
                clustered)["aggregate"]["n_with_several"] == 200);
  const nlohmann::json posts =
      role_of("Hatexplain", "HateXplain", "test", "ours_200", {"--annotation-mode", "both"});
  CHECK(posts["aggregate"]["labels"] ==
        nlohmann::json({{"hate", 67}, {"normal", 67}, {"offensive", 66}}));
  CHECK(posts["agreement"]["n_disputed"] == 101);
  CHECK(role_of("TREC", "TREC", "test", "ours_200", {})["aggregate"]["labels"]["abbreviation"] ==
        9);
  CHECK(role_of("MMLUPro", "MMLU-Pro", "test", "ours_200", {})["aggregate"]["labels"]["j"] == 20);
}

TEST_CASE("Data and ids answer mistakes with the nearest choice or a next step", "[e2e]") {
  struct Mistake {
    std::vector<std::string> arguments;
    int exit_code;
    std::string said;
  };
  const std::vector<Mistake> mistakes = {
      {{"data", "GoEmotion"}, 2, "did you mean 'GoEmotions'?"},
      {{"ids", "Hatexplan"}, 2, "did you mean 'Hatexplain'?"},
      {{"data", "TREC"}, 2, "expected --train-splits, --test-splits or a --config with them"},
      {{"ids", "TREC"}, 2, "expected --test-splits, the splits to draw from"},
      {of_example("data", {"--test-splits", "dve"}), 2, "did you mean 'dev'?"},
      {of_example("ids", {"--test-splits", "tset"}), 2, "did you mean 'test'?"},
      {of_example("ids", {"--rule", "mian"}), 2, "did you mean 'main'?"},
      {of_example("ids", {"--n", "0"}), 2, "expected the number of examples, at least 1, found 0"},
      {of_example("ids", {"--n", "41"}), 3, "expected at least 41 examples to draw from, found 40"},
      {of_example("ids", {"--annotation-mode", "annotator"}), 2,
       "expected annotation_mode both or aggregate"},
      {of_example("ids", {"--n", "3", "--out", "/proc/nowhere/list.txt"}), 2, "/proc/nowhere"},
      {of_example("data", {"--show", "-1"}), 2, "at least 0, found -1"},
      {of_example("data", {"--out", "/proc/nowhere/items.jsonl"}), 2, "cannot be written"},
      {of_example("data", {"--root-dir", "/nowhere"}), 3, "/nowhere"},
  };
  for (const Mistake& mistake : mistakes) {
    const ProgramResult result = run_program(mistake.arguments);
    CAPTURE(mistake.arguments, result.err);
    CHECK(result.exit_code == mistake.exit_code);
    CHECK_THAT(result.err, ContainsSubstring(mistake.said));
    CHECK(result.out.empty());
  }
}

}  // namespace
}  // namespace labelprobe
