#include "labelprobe/data/dataset.h"

#include "data/small_root.h"

namespace labelprobe::data {

TEST_CASE("The byte of the published TREC file that is no UTF-8 becomes a space", "[data]") {
  FixtureRoot root("trec");
  const Dataset dataset = load("TREC", root.options({"train"}));
  REQUIRE(dataset.examples[1].text == "Who runs the sister city ?");
  REQUIRE(dataset.examples[2].text == "What does `` e.g. '' mean ?");
  REQUIRE(dataset.examples[3].text == " When was it ?");
  REQUIRE(dataset.label_set.names_of(dataset.examples[1].labels) ==
          std::vector<std::string>{"human"});
}

TEST_CASE("Characters of TREC questions that begin with that byte stay", "[data]") {
  FixtureRoot root("trec");
  root.write("TREC_10.label", "LOC:other Where is \U0001F600 ?\nLOC:other Where\xF0is it ?\n");
  const Dataset dataset = load("TREC", root.options({"test"}));
  REQUIRE(dataset.examples[0].text == "Where is \U0001F600 ?");
  REQUIRE(dataset.examples[1].text == "Where is it ?");
}

TEST_CASE("Spoilt TREC lines are reported with file and line", "[data]") {
  const std::string test = "TREC_10.label";
  expect_spoilt(
      "TREC", "trec", "test",
      {{test, "LOC:", "PLACE:",
        ":1: unknown coarse label 'PLACE' (known: ABBR, ENTY, DESC, HUM, LOC, NUM)"},
       {test, "LOC:other", "LOC", ":1: expected a line 'COARSE:fine text', found 'LOC'"},
       {test, "ENTY:animal What is a   lynx ?", "ENTY:animal",
        ":2: expected a question behind 'ENTY:animal', found none"},
       {test, "ENTY:animal What is a   lynx ?", "",
        ":2: expected a line 'COARSE:fine text', found ''"},
       {test, "Z", "\xFC", ":1: expected a text in UTF-8"},
       {test, "?\r\n", "?", ": expected lines that all end in a line break, found a last line"}});
  FixtureRoot root("trec");
  root.write(test, "");
  expect_data_error("TREC", root.options({"dev"}), "found an empty file");
  root.remove(test);
  expect_data_error("TREC", root.options({"test"}), root.path(test) + ": expected a file of");
}

}  // namespace labelprobe::data
