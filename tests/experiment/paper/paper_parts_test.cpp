// What the paper is made of.
#include <algorithm>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/paper.h"

#include "support/catch.h"
#include "support/program.h"

namespace labelprobe::experiment {
namespace {

std::vector<std::string> names(const std::vector<std::string>& parts,
                               const std::vector<std::string>& sets = {}) {
  std::vector<std::string> found;
  for (const PaperCell& cell : paper_cells(choose_paper_parts(parts), sets, 0)) {
    found.push_back(cell.name());
  }
  return found;
}

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

TEST_CASE("Every part is there, and its runs are made once", "[unit]") {
  std::vector<std::string> parts;
  for (const PaperPart& part : paper_parts()) parts.emplace_back(part.title);
  CHECK(parts == std::vector<std::string>{"Table 1", "Table 2", "Table 3", "Table 4", "Table 5",
                                          "Table 6", "Figure 2", "Figure 3", "Figure 4", "Figure 5",
                                          "Figure 6", "Figure 7", "Figure 8", "Figure 9",
                                          "Figure 10", "Figure 11"});
  for (const PaperPart& part : paper_parts()) {
    if (part.figure.empty()) continue;
    CHECK(analysis::find_figure(part.figure).paper == part.title);
  }
  const std::vector<std::string> all = names({});
  for (const std::string& name : all) {
    CAPTURE(name);
    CHECK(std::count(all.begin(), all.end(), name) == 1);
  }
  CHECK(names({"table4", "table6", "figure2"}) ==
        std::vector<std::string>{"SemEval/steps", "GoEmotions/steps", "MFRC/steps", "Boxes/steps"});
  CHECK(names({"figure4"}) ==
        std::vector<std::string>{"GoEmotions/baseline", "MFRC/baseline", "SemEval/multilabel_ICL"});
  CHECK(names({"figure7"}, {"MFRC"}) == std::vector<std::string>{"MFRC/binary"});
  CHECK(names({"table3"}).empty());
}

TEST_CASE("Unknown parts and sets are told with the nearest", "[unit]") {
  CHECK_THROWS_WITH(names({"table7"}), ContainsSubstring("--parts: unknown part of the paper "
                                                         "'table7'"));
  CHECK_THROWS_WITH(names({"table4"}, {"GoEmotion"}), ContainsSubstring("'GoEmotions'"));
}

TEST_CASE("Plain runs have the published arguments", "[unit]") {
  const support::TempFolder folder;
  std::filesystem::create_directories(folder.path() / "data/boxes/few_shot_boxes_nso_exp2_max3");
  std::filesystem::create_directories(folder.path() / "data/mfrc/splits.yaml");
  std::filesystem::create_directories(folder.path() / "ids/MFRC");
  support::write_file(folder.path() / "ids/MFRC/list.txt", "1\n");
  PaperOptions options;
  options.cells.model = "m";
  options.cells.data_root = folder.path() / "data";
  options.cells.id_root = folder.path() / "ids";
  options.cells.id_list = "list";
  options.cells.limit = 7;
  options.split_limit = 9;
  const auto arguments = [&](const std::string& kind, const std::string& task) {
    const auto kinds = paper_run_kinds();
    const auto found = std::find_if(kinds.begin(), kinds.end(),
                                    [&](const PaperRunKind& one) { return one.name == kind; });
    REQUIRE(found != kinds.end());
    return found->arguments(task, options);
  };
  const std::vector<std::string> boxes = arguments("steps", "Boxes");
  CHECK(boxes[0] == "classify");
  CHECK_FALSE(has(boxes, "--label-format"));  // that of its config
  CHECK(has(boxes, "--linear-probing"));
  CHECK(has(boxes, "9"));
  const std::vector<std::string> steps = arguments("steps", "MFRC");
  CHECK(has(steps, "--label-format"));
  CHECK_FALSE(has(steps, "--test-ids-filename"));
  const std::vector<std::string> scored = arguments("scored", "MFRC");
  CHECK(has(scored, "list/{model_name_or_path}-lb-eval-{shot}-shot"));
  CHECK(has(scored, "7"));
  CHECK_THROWS_WITH(arguments("order", "MFRC"), ContainsSubstring("big_multilabel.txt"));
  CHECK_THROWS_WITH(arguments("tuned", "MFRC"), ContainsSubstring("--tuned"));
  options.tuned = "t";
  CHECK(has(arguments("tuned", "MFRC"), "t"));
  support::write_file(folder.path() / "adapter/adapter_config.json", "{}");
  options.tuned = (folder.path() / "adapter").string();
  CHECK(has(arguments("tuned", "MFRC"), "m"));
  CHECK(has(arguments("tuned", "MFRC"), "--adapter"));
  CHECK(has(arguments("tuned", "MFRC"), "list/{distribution}/SFT-{model_name_or_path}"));
  options.cells.id_list = "none";
  CHECK_FALSE(has(arguments("baseline", "MFRC"), "--test-ids-filename"));
}

}  // namespace labelprobe::experiment
