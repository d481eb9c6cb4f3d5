#include <algorithm>

#include "labelprobe/data/dataset.h"

#include "data/small_root.h"
#include "support/small_workbook.h"

namespace labelprobe::data {

using support::cell;
using support::workbook_parts;
using support::write_archive;

namespace {

using Strings = std::vector<std::string>;

const std::string kPosts = "QueerReclaimLex.csv";
const std::string kSplits = "balanced-splits.json";

Strings labels_of_item(const Dataset& dataset, const std::string& item_id) {
  for (const Example& example : dataset.examples) {
    if (example.id() == item_id) {
      return dataset.label_set.names_of(example.labels);
    }
  }
  return {"no such item"};
}

}  // namespace

TEST_CASE("Harm is a mean rating above one half", "[data]") {
  FixtureRoot root("queer_reclaim_lex");
  DatasetOptions options = root.options({"train"});
  options.annotation_mode = AnnotationMode::Both;
  Dataset dataset = load("QueerReclaimLex", options);
  REQUIRE(dataset.label_set.is_multilabel());
  // Rated 0 and 1 by the first (the last rating counts), 1 and 0.5 by the second.
  REQUIRE(labels_of_item(dataset, "0-alpha__aggregate") ==
          Strings{"ingroup harm", "outgroup harm"});
  REQUIRE(labels_of_item(dataset, "0-alpha__Annotator2") == Strings{"ingroup harm"});
  REQUIRE(labels_of_item(dataset, "5-beta__aggregate").empty());
  options.type = "out";
  dataset = load("QueerReclaimLex", options);
  REQUIRE(dataset.label_set.names() == Strings{"no harm", "harm"});
  REQUIRE(dataset.label_set.kind() == LabelKind::SingleLabel);
  REQUIRE(labels_of_item(dataset, "5-beta__aggregate") == Strings{"no harm"});
}

TEST_CASE("An id that comes twice keeps its place and takes the last text", "[data]") {
  FixtureRoot root("queer_reclaim_lex");
  const Dataset dataset = load("QueerReclaimLex", root.options({"train"}));
  REQUIRE(dataset.examples[1].id() == "1-alpha__aggregate");
  REQUIRE(dataset.examples[1].text == "alphas, you know");
}

TEST_CASE("Ambiguous posts are left out where that is asked for", "[data]") {
  FixtureRoot root("queer_reclaim_lex");
  DatasetOptions options = root.options({"train"});
  options.discard_ambiguous = true;
  REQUIRE_THROWS_AS(load("QueerReclaimLex", options), ConfigError);
  REQUIRE_THROWS_WITH(load("QueerReclaimLex", options),
                      ContainsSubstring("discard_ambiguous needs type in or out"));
  options.type = "in";
  const Dataset dataset = load("QueerReclaimLex", options);
  REQUIRE(labels_of_item(dataset, "5-beta__aggregate") == Strings{"no such item"});
  REQUIRE(dataset.notes.warnings ==
          Strings{"QueerReclaimLex, split train: 2 ids are as harmful as not and are left out: "
                  "1-alpha, 5-beta"});
  options.type = "inn";
  REQUIRE_THROWS_WITH(load("QueerReclaimLex", options),
                      ContainsSubstring("unknown QueerReclaimLex type 'inn'"));
}

TEST_CASE("Posts without ratings and ids without posts are named", "[data]") {
  FixtureRoot root("queer_reclaim_lex");
  REQUIRE(load("QueerReclaimLex", root.options({"test"})).notes.warnings ==
          Strings{"QueerReclaimLex, split test: 1 ids have no rating that counts and are left "
                  "out: 4-beta",
                  "QueerReclaimLex, split test: 1 ids of balanced-splits.json are not in "
                  "QueerReclaimLex.csv: 9-alpha"});
}

TEST_CASE("Spoilt QueerReclaimLex files are reported with their place", "[data]") {
  expect_spoilt("QueerReclaimLex", "queer_reclaim_lex", "train",
                {{kPosts, "template,", "text,", ":1: expected a column 'template', found none"},
                 {kPosts, "i am an alpha,0.0", "i am an alpha",
                  ":2: expected 5 comma-separated fields, found 4"},
                 {kPosts, "i am an alpha", "i am\xFF an alpha", ":2: expected a text in UTF-8"},
                 {kSplits, "\"train\"", "\"training\"", ": key 'train' is missing"},
                 {kSplits, "\"1-alpha\"", "1", ": key 'train[0]': expected a string, found 1"},
                 {kSplits, "\"1-alpha\"", "\"0-alpha\"",
                  ": key 'train': expected every id once, found '0-alpha' again"},
                 {kSplits, "\"1-alpha\"", "\"\\ud800\"", ":"},
                 {kSplits, "[", "{", ":"}});
  FixtureRoot root("queer_reclaim_lex");
  root.write(kSplits, "{\"train\": [], \"test\": 3}");
  expect_data_error("QueerReclaimLex", root.options({"train"}),
                    "key 'train': expected a list of ids, found []");
  expect_data_error("QueerReclaimLex", root.options({"test"}),
                    "key 'test': expected a list of ids, found 3");
}

TEST_CASE("Workbooks without the sheets and columns of the ratings are reported", "[data]") {
  FixtureRoot root("queer_reclaim_lex");
  const std::string path = root.path("Annotations/Annotator2.xlsx");
  write_archive(path, workbook_parts(""));
  expect_data_error("QueerReclaimLex", root.options({"train"}),
                    path + ": sheet 'slurs', cell A1: expected a header, found an empty sheet");
  write_archive(path, workbook_parts("<row r=\"3\">" + cell("B3", "POST") + "</row>"));
  expect_data_error("QueerReclaimLex", root.options({"train"}),
                    path +
                        ": sheet 'slurs', cell A3: expected a header with 'HARMFUL_IF_IN', found "
                        "none in this row");
  write_archive(path,
                workbook_parts("<row r=\"1\">" + cell("A1", "POST") + cell("B1", "HARMFUL_IF_IN") +
                               cell("C1", "HARMFUL_IF_OUT") + "</row>"));
  expect_data_error("QueerReclaimLex", root.options({"train"}),
                    path + ": expected a sheet 'identity terms', found slurs");
  root.remove("Annotations/Annotator1.xlsx");
  root.remove("Annotations/Annotator2.xlsx");
  expect_data_error("QueerReclaimLex", root.options({"train"}),
                    "expected workbooks Annotator1.xlsx, Annotator2.xlsx, ..., found none");
}

}  // namespace labelprobe::data
