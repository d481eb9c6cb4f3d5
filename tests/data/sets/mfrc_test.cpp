#include <algorithm>

#include "labelprobe/data/dataset.h"

#include "data/small_root.h"

namespace labelprobe::data {

namespace {

using Strings = std::vector<std::string>;

constexpr const char* kMfrcRows = "final_mfrc_data.csv";
constexpr const char* kMfrcSplits = "splits.yaml";

}  // namespace

TEST_CASE("A tie of two annotators is a label, and the last vote of one counts", "[data]") {
  FixtureRoot root("mfrc");
  DatasetOptions options = root.options({"test"});
  options.annotation_mode = AnnotationMode::Both;
  const Dataset dataset = load("MFRC", options);
  REQUIRE(dataset.label_set.names() ==
          Strings{"authority", "care", "equality", "loyalty", "proportionality", "purity"});
  const auto tie = std::find_if(dataset.examples.begin(), dataset.examples.end(),
                                [](const Example& e) { return e.id() == "23__aggregate"; });
  REQUIRE(tie != dataset.examples.end());
  REQUIRE(tie->labels == Labels{1});

  options.splits = {"train"};
  const Dataset train = load("MFRC", options);
  const auto revised = std::find_if(train.examples.begin(), train.examples.end(),
                                    [](const Example& e) { return e.id() == "1__annotator01"; });
  REQUIRE(revised->labels == Labels{4});
}

TEST_CASE("MFRC says which rows and texts it leaves out", "[data]") {
  FixtureRoot root("mfrc");
  const Dataset train = load("MFRC", root.options({"train"}));
  REQUIRE(train.notes.warnings ==
          Strings{"MFRC, split train: 1 of 4 texts of splits.yaml have no annotation that counts "
                  "and are left out"});
  const Dataset dev = load("MFRC", root.options({"dev"}));
  REQUIRE(dev.notes.warnings ==
          Strings{"MFRC, split dev: 2 rows that have Non-Moral or Thin Morality beside another "
                  "label are left out"});
}

TEST_CASE("The label set of MFRC holds the labels of the last split", "[data]") {
  FixtureRoot root("mfrc");
  root.replace(kMfrcRows, "\"Purity,Loyalty,Authority,Proportionality\"", "Purity");
  REQUIRE(load("MFRC", root.options({"train"})).label_set.names() ==
          Strings{"care", "equality", "proportionality", "purity"});
  expect_data_error("MFRC", root.options({"dev", "train"}),
                    "MFRC: expected the same labels in all splits, found 'Authority' in split dev "
                    "and not in split train");
  REQUIRE(load("MFRC", root.options({"train", "dev"})).label_set.size() == 6);
}

TEST_CASE("Missing MFRC annotations are asked for by name and source", "[data]") {
  FixtureRoot root("mfrc");
  root.remove(kMfrcRows);
  expect_data_error("MFRC", root.options({"dev"}),
                    root.path(kMfrcRows) +
                        ": expected the annotations of the corpus, the CSV file of "
                        "USC-MOLA-Lab/MFRC on the Hugging Face hub (text,subreddit,bucket,");
}

TEST_CASE("Spoilt MFRC rows are reported with file and line", "[data]") {
  expect_spoilt(
      "MFRC", "mfrc", "train",
      {{kMfrcRows, "Care,Equality\"", "Care,Hope\"",
        ":2: unknown label 'Hope' (known: Authority, Care, Equality, Loyalty, Proportionality, "
        "Purity, Non-Moral, Thin Morality)"},
       {kMfrcRows, "\"Care,Equality\"", "", ":2: unknown label ''"},
       {kMfrcRows, "\"Care,Equality\"", "Ca\xC3", ":2: expected a text in UTF-8"},
       {kMfrcRows, "bucket,annotator00", "annotator00",
        ":2: expected 6 comma-separated fields, found 5"},
       {kMfrcRows, "annotator00", "aggregate",
        ":2: expected an annotator's own name, found 'aggregate'"},
       {kMfrcRows, "annotator00", "", ":2: expected an annotator's own name, found ''"},
       {kMfrcRows, "annotation,", "label,", ":1: expected a column 'annotation', found none"},
       {kMfrcRows, "annotator01", "a__b", ":3: expected an annotator name that is UTF-8"}});
  FixtureRoot root("mfrc");
  root.write(kMfrcRows, "");
  expect_data_error("MFRC", root.options({"dev"}), ":1: expected a header, found an empty file");
  root.write(kMfrcRows, "text,annotator,annotation\n");
  expect_data_error("MFRC", root.options({"dev"}), "split dev: expected examples with labels");
  root.write(kMfrcRows, "text,annotator,annotation\n\"Care and");
  expect_data_error("MFRC", root.options({"train"}), ":2: expected the last row to end");
}

TEST_CASE("A spoilt splits.yaml is reported with its line", "[data]") {
  expect_spoilt(
      "MFRC", "mfrc", "train",
      {{kMfrcSplits, "train:", "trial:", ": expected a split 'train', found none"},
       {kMfrcSplits, "train:", "dev:", ":26: expected every split once, found 'dev' again"},
       {kMfrcSplits, "Never annotated.: '4'", "Never annotated.: '3'",
        ":30: expected every id once in a split, found '3' again"},
       {kMfrcSplits, "Never annotated.:", "Nothing moral.:",
        ":30: expected every text once in a split, found 'Nothing moral.' again"},
       {kMfrcSplits, "Never annotated.: '4'", "Never annotated.:", ":30: expected an id, found ''"},
       {kMfrcSplits, "Never annotated.: '4'", "Never annotated.: [4]",
        ":30: expected an id, found a list"},
       {kMfrcSplits, "Never annotated.: '4'", "Never annotated.: {a: b}",
        ":30: expected an id, found a map"},
       {kMfrcSplits, "Never annotated.: '4'", "? [a]\n  : b", ":30: expected a text, found a list"},
       {kMfrcSplits, "Never annotated.: '4'", "Never annotated.: *x",
        ":30: expected an id, found an alias"},
       {kMfrcSplits, "'4'\n", "'4'\n---\na: b\n", ":31: expected one document, found another one"},
       {kMfrcSplits, "dev:", "- dev:", ":"},
       {kMfrcSplits, "Never annotated.: '4'", "Never annotated.: '4",
        ":31: expected YAML, found an error"},
       {kMfrcSplits, "Never", "Ne\xFFver", ":30: expected text in UTF-8, found other bytes"},
       {kMfrcSplits, "'4'\n", "'4'", ": expected the last line to end in a line break"}});
  FixtureRoot root("mfrc");
  for (const std::string& text :
       {std::string(), std::string("one\n"), std::string("- a\n"), std::string("dev: x\n"),
        std::string("dev:\n- x\n"), std::string(100000, '[') + "\n",
        std::string(100000, '{') + "\n", std::string("&a [*a,*a]\n"), std::string("%YAML 9.9\n")}) {
    root.write(kMfrcSplits, text);
    expect_data_error("MFRC", root.options({"dev"}), root.path(kMfrcSplits) + ":");
  }
}

TEST_CASE("Splits that are cut off anywhere but behind an id end in an error", "[data]") {
  FixtureRoot root("mfrc");
  std::stringstream content;
  content << std::ifstream(root.path(kMfrcSplits)).rdbuf();
  const std::string whole = content.str();
  for (std::size_t n_bytes = 0; n_bytes < whole.size(); ++n_bytes) {
    const std::string cut = whole.substr(0, n_bytes);
    root.write(kMfrcSplits, cut);
    INFO(n_bytes);
    if (!cut.ends_with("'\n")) {
      REQUIRE_THROWS_AS(load("MFRC", root.options({"train"})), DataError);
    }
  }
}

}  // namespace labelprobe::data
