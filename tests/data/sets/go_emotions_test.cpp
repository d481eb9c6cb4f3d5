#include "labelprobe/core/error.h"
#include "labelprobe/data/dataset.h"

#include "data/small_root.h"
#include "support/catch.h"

namespace labelprobe::data {

namespace {

using Strings = std::vector<std::string>;

// Writes `content` to `name` in an otherwise good folder and expects the load to fail with
// "<file><rest>".
void expect_error(const std::string& name,
                  const std::string& content,
                  const std::string& rest,
                  AnnotationMode mode = AnnotationMode::Aggregate) {
  SmallGoEmotions root;
  DatasetOptions options = root.options({"train"});
  options.annotation_mode = mode;
  if (name == "clusters.json") {
    options.emotion_clustering_json = root.path(name);
  }
  const std::string path = root.write(name, content);
  INFO(content);
  REQUIRE_THROWS_AS(load("GoEmotions", options), DataError);
  REQUIRE_THROWS_WITH(load("GoEmotions", options), ContainsSubstring(path + rest));
}

void expect_rater_error(const std::string& content, const std::string& rest) {
  expect_error("goemotions_2.csv", content, rest, AnnotationMode::Annotator);
}

}  // namespace

TEST_CASE("Reads the labels of a GoEmotions split and forgets neutral", "[data]") {
  SmallGoEmotions root;
  root.write("train.tsv", "One\t3,27\tx\nTwo\t27\ty\nThree\t7,2,7\tz\n");
  const Dataset dataset = load("GoEmotions", root.options({"train"}));
  REQUIRE(dataset.label_set.size() == 27);
  REQUIRE(dataset.label_set.is_multilabel());
  REQUIRE(ids_of(dataset) == Strings{"x__aggregate", "y__aggregate", "z__aggregate"});
  REQUIRE(dataset.examples[0].labels == Labels{3});
  REQUIRE(dataset.examples[1].labels.empty());
  REQUIRE(dataset.examples[2].labels == Labels{2, 7});
  REQUIRE(dataset.annotators == Strings{"aggregate"});
}

TEST_CASE("Undoes CSV quoting and keeps spaces, as pandas does", "[data]") {
  SmallGoEmotions root;
  root.write("train.tsv",
             "\xEF\xBB\xBF\"She said \"\"hi\"\" twice\"\t27\ta\n"
             "  spaces around  \t27\tb\n"
             "a \"quote\" inside\t27\tc\r\n"
             "\n"
             "\"two\n\nlines\"\t27\td\n");
  const Dataset dataset = load("GoEmotions", root.options({"train"}));
  REQUIRE(dataset.examples.size() == 4);
  REQUIRE(dataset.examples[0].text == "She said \"hi\" twice");
  REQUIRE(dataset.examples[1].text == "  spaces around  ");
  REQUIRE(dataset.examples[2].text == "a \"quote\" inside");
  REQUIRE(dataset.examples[3].text == "two\n\nlines");
}

TEST_CASE("Clusters come in the order of their file, and any member switches one on", "[data]") {
  SmallGoEmotions root;
  DatasetOptions options = root.options({"train"});
  options.emotion_clustering_json = root.write(
      "clusters.json", R"({"zeal": ["joy", "Curiosity"], "anger": ["anger", "curiosity"]})");
  const Dataset dataset = load("GoEmotions", options);
  REQUIRE(dataset.label_set.names() == Strings{"zeal", "anger"});
  REQUIRE(dataset.examples[0].labels == Labels{0});
  REQUIRE(dataset.examples[1].labels == Labels{0, 1});
  REQUIRE(dataset.notes.warnings.size() == 1);
  REQUIRE_THAT(dataset.notes.warnings[0],
               ContainsSubstring("24 of 27 emotions are in no cluster and count as no label: "
                                 "admiration, amusement, annoyance, approval, caring, ..."));
}

TEST_CASE("Annotator mode sorts the examples by id and leaves out those without raters", "[data]") {
  SmallGoEmotions root;
  DatasetOptions options = root.options({"train"});
  options.annotation_mode = AnnotationMode::Both;
  const Dataset dataset = load("GoEmotions", options);
  REQUIRE(ids_of(dataset) ==
          Strings{"a1__7", "b2__7", "a1__9", "a1__aggregate", "b2__aggregate", "b2__5"});
  REQUIRE(dataset.annotators == Strings{"7", "9", "aggregate", "5"});
  REQUIRE(dataset.examples[2].labels.empty());
  REQUIRE(dataset.examples[5].labels == Labels{0, 18});
  REQUIRE(dataset.notes.warnings.size() == 1);
  REQUIRE_THAT(dataset.notes.warnings[0],
               ContainsSubstring("1 of 3 examples have no rater in goemotions_1.csv to "
                                 "goemotions_3.csv and are left out: c3"));
}

TEST_CASE("The last vote of a rater who rated an example twice counts", "[data]") {
  SmallGoEmotions root;
  root.write("goemotions_3.csv", rater_header() + rater_row("a1", "7", {25}));
  DatasetOptions options = root.options({"train"});
  options.annotation_mode = AnnotationMode::Annotator;
  const Dataset dataset = load("GoEmotions", options);
  REQUIRE(dataset.examples[0].id() == "a1__7");
  REQUIRE(dataset.examples[0].labels == Labels{25});
}

TEST_CASE("A spoilt split is reported with file and line", "[data]") {
  const std::string good = "Fine\t1\ta\n";
  expect_error("train.tsv", good + "No id\t1\n", ":2: expected 3 tab-separated fields, found 2");
  expect_error("train.tsv", good + "A\tB\t1\tc\n", ":2: expected 3 tab-separated fields, found 4");
  expect_error("train.tsv", good + "\nText\tjoy\tb\n",
               ":3: expected comma-separated label numbers, found 'joy'");
  expect_error("train.tsv", "Text\t1,\tb\n",
               ":1: expected comma-separated label numbers, found '1,'");
  expect_error(
      "train.tsv", "Text\t" + std::string(39, '7') + "\xC3\xA9\x01\tb\n",
      ":1: expected comma-separated label numbers, found '" + std::string(39, '7') + "?...'");
  expect_error("train.tsv", "Text\t\tb\n", ":1: expected comma-separated label numbers, found ''");
  expect_error("train.tsv", "Text\t-1\tb\n", ":1: expected comma-separated label numbers");
  expect_error("train.tsv", "Text\t99999999999999999999\tb\n",
               ":1: expected comma-separated label numbers");
  expect_error("train.tsv", good + "Text\t1,28\tb\n",
               ":2: expected label numbers from 0 to 27, found 28");
  expect_error("train.tsv", good + "Text\t1\t\n", ":2: expected an id, found an empty one");
  expect_error("train.tsv", good + "\"more\nlines\"\t1\tb\nText\t1\ta\n",
               ":4: expected distinct ids within a split, found 'a' again");
  expect_error("train.tsv", good + "Text\t1\tx__y\n",
               ":2: expected an id without '__' (it separates id and annotator in the log), found "
               "'x__y'");
  expect_error("train.tsv", good + "caf\xE9\t1\tb\n",
               ":2: expected a text in UTF-8, found other bytes; convert the file");
  expect_error("train.tsv", "Text\t1\tcaf\xE9\n", ":1: expected an id in UTF-8, found other bytes");
  expect_error("train.tsv", "", ":1: expected rows, found an empty file");
  expect_error(
      "train.tsv", good + "\"never closed\t1\tb\nText\t1\tc\n",
      ":2: expected the quoted field that begins in this row to be closed by a '\"', found "
      "the end of the file");
}

TEST_CASE("A split cut off anywhere in its last row is noticed", "[data]") {
  const std::string whole = "First\t1\taa\n\"So \"\"far\"\"\"\t2,27\tbbbb\n";
  const std::size_t first_row = whole.find('\n') + 1;
  for (std::size_t n_bytes = first_row + 1; n_bytes < whole.size(); ++n_bytes) {
    SmallGoEmotions root;
    const std::string path = root.write("train.tsv", whole.substr(0, n_bytes));
    INFO(n_bytes);
    REQUIRE_THROWS_AS(load("GoEmotions", root.options({"train"})), DataError);
    REQUIRE_THROWS_WITH(load("GoEmotions", root.options({"train"})),
                        ContainsSubstring(path + ":2: expected"));
  }
}

TEST_CASE("Missing GoEmotions files are named", "[data]") {
  for (const std::string name : {"emotions.txt", "train.tsv", "goemotions_3.csv"}) {
    SmallGoEmotions root;
    root.remove(name);
    DatasetOptions options = root.options({"train"});
    options.annotation_mode = AnnotationMode::Annotator;
    REQUIRE_THROWS_AS(load("GoEmotions", options), DataError);
    REQUIRE_THROWS_WITH(
        load("GoEmotions", options),
        ContainsSubstring(root.path(name) + ": expected a file of the data set, found no such "
                                            "file; check the path or fetch the file"));
  }
  SmallGoEmotions root;
  DatasetOptions options = root.options({"train"});
  options.emotion_clustering_json = "no/such.json";
  REQUIRE_THROWS_WITH(
      load("GoEmotions", options),
      ContainsSubstring("no/such.json: expected a clustering of the emotions, found "
                        "no such file from the working directory /"));
  options.root_dir = root.path("train.tsv");
  REQUIRE_THROWS_AS(load("GoEmotions", options), DataError);
}

TEST_CASE("A spoilt emotions.txt is reported", "[data]") {
  expect_error("emotions.txt", "joy\nsadness\n",
               ":2: expected 28 names, the last one 'neutral', found 2, the last one 'sadness'");
  expect_error("emotions.txt", "", ":1: expected 28 names, the last one 'neutral', found 0");
  expect_error("emotions.txt", "joy\n\nfear\n",
               ":2: expected the name of an emotion, found an empty");
  expect_error("emotions.txt", "joy\nfear\nJoy\n",
               ":3: expected distinct names, found 'joy' again");
}

TEST_CASE("A spoilt clustering file is reported", "[data]") {
  expect_error("clusters.json", R"({"joy": ["joy", "lov"]})",
               ": cluster 'joy': unknown emotion 'lov'");
  expect_error("clusters.json", R"({"joy": ["joy"],)", ": expected JSON, found an error at byte");
  expect_error(
      "clusters.json", "{\n\"joy\": [\"joy\"],\n",
      ":3: expected JSON, found an error at byte 19, the end of the text; it may be cut off");
  expect_error("clusters.json", "[]",
               ": expected an object cluster -> list of emotions, found array");
  expect_error("clusters.json", "{}",
               ": expected an object cluster -> list of emotions, found an empty");
  expect_error("clusters.json", R"({"a": "joy"})",
               ": cluster 'a': expected a list of emotions, found string");
  expect_error("clusters.json", R"({"a": [1]})",
               ": cluster 'a': expected names of emotions, found number");
  expect_error("clusters.json", R"({"a": [], "a": []})", ": key 'a' is there twice");
  expect_error("clusters.json", R"({"a": [], "A": []})",
               ": label set: expected distinct names, found 'a'");
  expect_error("clusters.json", std::string(100000, '['),
               ": expected JSON at most 32 levels deep, found more");
}

TEST_CASE("A spoilt raters' file is reported with file and line", "[data]") {
  const std::string header = rater_header();
  expect_rater_error("", ":1: expected a header, found an empty file");
  expect_rater_error("text,id\n", ":1: expected a column 'rater_id', found none in the header");
  expect_rater_error("id,rater_id,joy\n", ":1: expected a column 'admiration', found none");
  expect_rater_error(header + "text,a1,author\n",
                     ":2: expected 37 comma-separated fields, found 3");
  expect_rater_error(header + rater_row("zz", "5", {}) + rater_row("a1", "5", {17}, "2"),
                     ":3: expected 0 or 1 in column 'joy', found '2'");
  expect_rater_error(header + rater_row("a1", "", {}), ":2: expected a rater_id, found ''");
  expect_rater_error(header + rater_row("a1", "aggregate", {}),
                     ":2: expected a rater_id, found 'aggr");
  expect_rater_error(header + rater_row("a1", "5", {}).substr(0, 60), ":2: expected");
  SmallGoEmotions root;
  root.write("goemotions_2.csv", header + rater_row("a1", "5__6", {}));
  DatasetOptions options = root.options({"train"});
  options.annotation_mode = AnnotationMode::Annotator;
  REQUIRE_THROWS_WITH(load("GoEmotions", options),
                      ContainsSubstring("expected an annotator name that is UTF-8, not empty and "
                                        "without '__'"));
}

}  // namespace labelprobe::data
