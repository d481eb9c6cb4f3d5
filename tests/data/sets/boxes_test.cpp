#include "labelprobe/data/dataset.h"

#include "data/small_root.h"

namespace labelprobe::data {

namespace {

using Strings = std::vector<std::string>;

const std::string kBoxesRows = "few_shot_boxes_nso_exp2_max3_move_contents/dev-t5.jsonl";

}  // namespace

TEST_CASE("Articles and `and` are words; names that contain them stay whole", "[data]") {
  FixtureRoot root("boxes");
  const Dataset train = load("Boxes", root.options({"train"}));
  REQUIRE(train.label_set.names() == Strings{"rose", "feather", "hand", "bandage", "apple"});
  REQUIRE(train.label_set.names_of(train.examples[1].labels) == Strings{"feather", "hand"});
  REQUIRE(train.examples[2].labels.empty());
  REQUIRE(train.examples[0].text ==
          "Story 1: Box 0 contains the rose, Box 1 contains the feather and the hand. Box 0 "
          "contains");
}

TEST_CASE("Objects that the list does not have are counted and left out", "[data]") {
  FixtureRoot root("boxes");
  REQUIRE(load("Boxes", root.options({"dev"})).notes.warnings ==
          Strings{"Boxes, split dev: 1 mentions of objects that objects.txt does not list are left "
                  "out: pencil"});
}

TEST_CASE("Spoilt Boxes files are reported with file and line", "[data]") {
  expect_spoilt(
      "Boxes", "boxes", "dev",
      {{kBoxesRows, "\"sample_id\": 0", "\"sample_id\": 1.5",
        ":1: key 'sample_id': expected an integer or a string, found 1.5"},
       {kBoxesRows, "\"sample_id\": 0", "\"sample\": 0", ":1: key 'sample_id' is missing"},
       {kBoxesRows, "contains <extra_id_0>", "contains",
        ":1: key 'sentence_masked': expected <extra_id_0> in the sentence"},
       {kBoxesRows, "\": \"<extra_id_0> the bandage", "\": \"the bandage",
        ":1: key 'masked_content': expected a text that begins with <extra_id_0>, found \"the"},
       {kBoxesRows, "{\"sentence\"", "[\"sentence\"", ":1: expected JSON, found an error at byte"},
       {kBoxesRows, "Third", "Th\xFFird", ":3: expected JSON, found an error at byte"},
       {"objects.txt", "hand", "rose", ":1: "},
       {"objects.txt", "hand", "", ":1: "},
       {"objects.txt", "hand", "\xFFh", ":1: expected text in UTF-8"},
       {"objects.txt", "rose,feather,hand,bandage,apple", "",
        ":1: expected comma-separated names of objects, found an empty line"}});
  FixtureRoot root("boxes");
  root.replace(kBoxesRows, "\"sample_id\": 0", "\"sample_id\": 2");
  root.replace(kBoxesRows, "\"sample_id\": 1", "\"sample_id\": 3");
  root.replace(kBoxesRows, "\"sample_id\": 1", "\"sample_id\": 2");
  expect_data_error("Boxes", root.options({"dev"}), ":3: expected distinct ids within a split");
  root.write(kBoxesRows, "");
  expect_data_error("Boxes", root.options({"dev"}), ":1: expected rows, found an empty file");
  root.remove(kBoxesRows);
  expect_data_error("Boxes", root.options({"dev"}), root.path(kBoxesRows) + ": expected a file");
  DatasetOptions options = root.options({"dev"});
  options.subset = "boxes";
  REQUIRE_THROWS_AS(load("Boxes", options), ConfigError);
  REQUIRE_THROWS_WITH(
      load("Boxes", options),
      ContainsSubstring("unknown Boxes subset 'boxes' (known: few_shot_boxes_nso_"));
}

}  // namespace labelprobe::data
