#include "labelprobe/data/dataset.h"

#include "data/small_root.h"

namespace labelprobe::data {

namespace {

const std::string kDev = "English/E-c/2018-E-c-En-dev.txt";

}  // namespace

TEST_CASE("A quote at the start of a tweet opens a quoted field, as in pandas", "[data]") {
  FixtureRoot root("sem_eval");
  DatasetOptions options = root.options({"train"});
  options.allows_quoted_rows = true;
  const Dataset dataset = load("SemEval", options);
  REQUIRE(dataset.examples[1].text == "Never again she said, \"never\"");
  REQUIRE(dataset.examples[2].text == "A tweet in quotes with \"inner\" ones");
  REQUIRE(dataset.examples[3].text == "He said \"maybe\" and left");
  REQUIRE(dataset.examples[4].text == "tab\there\nand a second line");
  REQUIRE(dataset.examples[5].text == "  spaces on both sides  ");
}

TEST_CASE("The emotions are sorted whatever the order of the columns", "[data]") {
  FixtureRoot root("sem_eval");
  DatasetOptions options = root.options({"dev"});
  options.language = "Spanish";
  const Dataset dataset = load("SemEval", options);
  REQUIRE(dataset.label_set.names().front() == "anger");
  REQUIRE(dataset.label_set.names().back() == "trust");
  REQUIRE(dataset.label_set.names_of(dataset.examples[0].labels) ==
          std::vector<std::string>{"fear", "surprise"});
}

TEST_CASE("Languages and splits that SemEval does not have are refused", "[data]") {
  FixtureRoot root("sem_eval");
  DatasetOptions options = root.options({"dev"});
  options.language = "spanisch";
  REQUIRE_THROWS_AS(load("SemEval", options), ConfigError);
  REQUIRE_THROWS_WITH(
      load("SemEval", options),
      ContainsSubstring(
          "unknown SemEval language 'spanisch'; did you mean 'spanish'? (known: english, "
          "arabic, spanish)"));
  options = root.options({"test-gold"});
  REQUIRE_THROWS_WITH(load("SemEval", options),
                      ContainsSubstring("unknown SemEval split 'test-gold'"));
  options = root.options({"dev"});
  options.annotation_mode = AnnotationMode::Both;
  REQUIRE_THROWS_WITH(load("SemEval", options), ContainsSubstring("the set has no annotators"));
}

TEST_CASE("Spoilt tweets are reported with file and line", "[data]") {
  expect_spoilt(
      "SemEval", "sem_eval", "dev",
      {{kDev, "ID\t", "Id\t",
        ":1: expected a header that begins with ID and Tweet, found 'Id Tweet'"},
       {kDev, "\ttrust", "", ":1: expected 13 tab-separated fields, found 12"},
       {kDev, "trust", "hope", ":1: unknown emotion 'hope'"},
       {kDev, "trust", "joy", ":1: expected every emotion once, found 'joy' again"},
       {kDev, "First of dev\t", "First of dev\t0\t",
        ":2: expected 13 tab-separated fields, found 14"},
       {kDev, "dev\t0\t1", "dev\t0\tNONE", ":2: expected 0 or 1 for anticipation, found 'NONE'"},
       {kDev, "2018-En-2", "2018-En-1",
        ":3: expected distinct ids within a split, found '2018-En-1' again"},
       {kDev, "2018-En-2", "", ":3: expected an id, found an empty one"},
       {kDev, "Second", "Sec\xFFond", ":3: expected a text in UTF-8, found other bytes"},
       {kDev, "Second", "\"Second", ":3: expected the quoted field that begins in this row to be"},
       {kDev, "0\n", "0", ":2: expected 13 tab-separated fields, found 25"}});
  FixtureRoot root("sem_eval");
  root.write(kDev, "");
  expect_data_error("SemEval", root.options({"dev"}), "found an empty file");
  root.write(kDev,
             "ID\tTweet\tanger\tanticipation\tdisgust\tfear\tjoy\tlove\toptimism\tpessimism\t"
             "sadness\tsurprise\ttrust\n");
  expect_data_error("SemEval", root.options({"dev"}), "found a header only");
  root.remove(kDev);
  expect_data_error("SemEval", root.options({"dev"}), root.path(kDev) + ": expected a file of");
}

}  // namespace labelprobe::data
