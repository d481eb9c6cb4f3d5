// Which runs the tables of the paper are made of, and their command lines.
#include "labelprobe/experiment/tables.h"

#include <algorithm>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/program.h"

namespace labelprobe::experiment {
namespace {

using support::TempFolder;

std::vector<std::string> names_of_cells(const std::vector<Cell>& cells) {
  std::vector<std::string> names_of_cells;
  for (const Cell& cell : cells) names_of_cells.push_back(cell.name());
  return names_of_cells;
}

std::vector<std::string> choose(const std::string& table, const std::vector<std::string>& asked) {
  return names_of_cells(choose_cells(find_table(table), asked));
}

// Data of every set under its first name, and id lists.
CellOptions options_in(const std::filesystem::path& root) {
  for (const char* mark :
       {"goemotions/emotions.txt", "mfrc/splits.yaml", "semeval2018task1/English/E-c",
        "HateXplain/post_id_divisions.json", "MSP-Podcast-1.11/transcripts.csv"}) {
    std::filesystem::create_directories(root / "data" / mark);
  }
  for (const char* task : {"GoEmotions", "MFRC", "SemEval", "Hatexplain", "MSPPodcast"}) {
    std::filesystem::create_directories(root / "ids" / task);
    support::write_file(root / "ids" / task / "list.txt", "a\n");
  }
  CellOptions options;
  options.model = "org/model";
  options.id_list = "list";
  options.device = "cuda:3";
  options.data_root = root / "data";
  options.id_root = root / "ids";
  options.log_root = root / "logs";
  return options;
}

}  // namespace

TEST_CASE("A table has the paper's cells, set by set", "[unit]") {
  CHECK(choose("table1", {}) ==
        std::vector<std::string>{"GoEmotions/baseline", "GoEmotions/unary", "GoEmotions/binary",
                                 "MFRC/baseline", "MFRC/unary", "MFRC/binary",
                                 "Hatexplain/baseline", "Hatexplain/unary", "Hatexplain/binary",
                                 "MSPPodcast/baseline", "MSPPodcast/unary", "MSPPodcast/binary"});
  CHECK(choose("table5", {}) == choose("table1", {}));
  CHECK(choose("pipelines", {}).size() == 20);
  CHECK(choose("table1", {"unary", "MFRC/binary"}) ==
        std::vector<std::string>{"GoEmotions/unary", "MFRC/unary", "MFRC/binary",
                                 "Hatexplain/unary", "MSPPodcast/unary"});
  CHECK_THROWS_WITH(choose("table1", {"GoEmotion"}),
                    ContainsSubstring("--cells: ") && ContainsSubstring("'GoEmotions'"));
  CHECK_THROWS_WITH(choose("table1", {"SemEval"}), ContainsSubstring("unknown cell 'SemEval'"));
  CHECK_THROWS_WITH(find_table("table2"), ContainsSubstring("table1"));
}

TEST_CASE("A cell's run has the published arguments", "[unit]") {
  const TempFolder folder;
  const CellOptions options = options_in(folder.path());
  const std::string root = folder.path().string();
  CHECK(run_arguments({"GoEmotions", "unary"}, options) ==
        std::vector<std::string>{"run",
                                 "GoEmotions",
                                 "--config",
                                 "./configs/GoEmotions/pipeline.yaml",
                                 "--root-dir",
                                 root + "/data/goemotions",
                                 "--emotion-clustering-json",
                                 root + "/data/goemotions/emotion_clustering.json",
                                 "--test-ids-filename",
                                 root + "/ids/GoEmotions/list.txt",
                                 "--distribution",
                                 "unary",
                                 "--alternative-experiment-name",
                                 "list/{distribution}/{model_name_or_path}",
                                 "--model-name-or-path",
                                 "org/model",
                                 "--device",
                                 "cuda:3",
                                 "--seed",
                                 "0",
                                 "--log-root",
                                 root + "/logs",
                                 "--accelerate",
                                 "--logging-level",
                                 "debug",
                                 "--load-in-4bit"});
  for (const auto& [task, data] : {std::pair{"MFRC", "mfrc"},
                                   {"SemEval", "semeval2018task1"},
                                   {"Hatexplain", "HateXplain"},
                                   {"MSPPodcast", "MSP-Podcast-1.11"}}) {
    const std::vector<std::string> found = run_arguments({task, "baseline"}, options);
    CAPTURE(task);
    CHECK(found[5] == root + "/data/" + data);
    CHECK(std::count(found.begin(), found.end(), "--trust-remote-code") == 1);
  }
}

TEST_CASE("Flags may keep the weights otherwise, and come last", "[unit]") {
  const TempFolder folder;
  CellOptions options = options_in(folder.path());
  options.limit = 5;
  for (const std::vector<std::string>& flags : std::vector<std::vector<std::string>>{
           {"--quant", "none"}, {"--quant=nf4"}, {"--load_in_8bit"}, {"--load-in-4bit"}}) {
    options.flags = flags;
    const std::vector<std::string> found = run_arguments({"GoEmotions", "baseline"}, options);
    std::vector<std::string> wanted = {"--limit", "5", "{"};
    wanted.insert(wanted.end(), flags.begin(), flags.end());
    wanted.emplace_back("}");
    CHECK(std::vector<std::string>(found.end() - static_cast<std::ptrdiff_t>(wanted.size()),
                                   found.end()) == wanted);
  }
}

TEST_CASE("Data are found under their other names, id lists by name or path", "[unit]") {
  const TempFolder folder;
  CellOptions options = options_in(folder.path());
  std::filesystem::remove_all(folder.path() / "data" / "mfrc");
  try {
    data_arguments("MFRC", options);
    FAIL("expected an error");
  } catch (const ConfigError& error) {
    CHECK_THAT(error.what(), ContainsSubstring("no data of MFRC: expected splits.yaml in one of "
                                               "the folders mfrc, MFRC below") &&
                                 ContainsSubstring("scripts/get_data.sh"));
  }
  std::filesystem::create_directories(folder.path() / "data" / "MFRC" / "splits.yaml");
  CHECK(data_arguments("MFRC", options)[3] == (folder.path() / "data" / "MFRC").string());

  options.id_list = "other";
  CHECK_THROWS_WITH(data_arguments("MFRC", options),
                    ContainsSubstring("no id list ") && ContainsSubstring("or the path of one"));
  support::write_file(folder.path() / "own list.txt", "a\n");
  options.id_list = (folder.path() / "own list.txt").string();
  CHECK(data_arguments("MFRC", options)[5] == options.id_list);
  CHECK(find_id_list("MFRC", options).name == "own list");
}

TEST_CASE("Without a named list the published one is taken, else ours", "[tables]") {
  const TempFolder folder;
  CellOptions options = options_in(folder.path());
  options.id_list.reset();
  const std::filesystem::path ids = options.id_root / "SemEval";
  CHECK_THROWS_WITH(find_id_list("SemEval", options),
                    ContainsSubstring("no id list of SemEval: expected main_test_set.txt or "
                                      "ours_200.txt in ") &&
                        ContainsSubstring("(there are: list)") &&
                        ContainsSubstring("scripts/get_ids.sh"));
  support::write_file(ids / "ours_200.txt", "a\n");
  CHECK(find_id_list("SemEval", options).name == "ours_200");
  support::write_file(ids / "main_test_set.txt", "a\n");
  CHECK(find_id_list("SemEval", options).file == ids / "main_test_set.txt");
  options.id_list = "main";
  CHECK_THROWS_WITH(find_id_list("SemEval", options),
                    ContainsSubstring("(there are: list, main_test_set, ours_200)"));
}

}  // namespace labelprobe::experiment
