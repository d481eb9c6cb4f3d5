#include "labelprobe/core/error.h"
#include "labelprobe/data/dataset.h"

#include "data/small_root.h"
#include "support/catch.h"

namespace labelprobe::data {

namespace {

using Strings = std::vector<std::string>;

DatasetOptions small_options(const std::string& split,
                             AnnotationMode mode = AnnotationMode::Aggregate) {
  DatasetOptions options;
  options.root_dir = support::fixture("data/hatexplain");
  options.splits = {split};
  options.annotation_mode = mode;
  return options;
}

std::string post(const std::string& annotators, const std::string& tokens = R"(["a"])") {
  return R"({"p1": {"post_id": "p1", "annotators": )" + annotators +
         R"(, "rationales": [], "post_tokens": )" + tokens + "}}";
}

const std::string kGoodPost = post(R"([{"label": "normal", "annotator_id": 1, "target": []}])");

// A folder with one post in one split, one of its files replaced; expects "<file><rest>".
void expect_hatexplain_error(const std::string& name,
                             const std::string& content,
                             const std::string& rest) {
  SmallRoot root;
  root.write("dataset.json", kGoodPost);
  root.write("post_id_divisions.json", R"({"test": ["p1"]})");
  if (name == "majority_labels.jsonl") {
    root.write("dataset.json", "{}");
  }
  const std::string path = root.write(name, content);
  INFO(content);
  REQUIRE_THROWS_AS(load("Hatexplain", root.options({"test"})), DataError);
  REQUIRE_THROWS_WITH(load("Hatexplain", root.options({"test"})), ContainsSubstring(path + rest));
}

}  // namespace

TEST_CASE("The majority of three annotators, or the first vote, labels a post", "[data]") {
  const Dataset dataset = load("Hatexplain", small_options("dev"));
  REQUIRE(dataset.label_set.names() == Strings{"hate", "normal", "offensive"});
  REQUIRE_FALSE(dataset.label_set.is_multilabel());
  REQUIRE(ids_of(dataset) == Strings{"p_12_gab__aggregate", "p_11_twitter__aggregate"});
  REQUIRE(dataset.examples[0].labels == Labels{1});
  REQUIRE(dataset.examples[1].labels == Labels{0});
  REQUIRE(dataset.examples[1].text == "<user> you lot \xF0\x9F\x98\xA0");
  REQUIRE(load("Hatexplain", small_options("val")).examples.size() == 2);
  REQUIRE(load("Hatexplain", small_options("test")).examples[0].labels == Labels{0});
}

TEST_CASE("Posts that dataset.json lacks come from majority_labels.jsonl", "[data]") {
  const Dataset dataset = load("Hatexplain", small_options("train"));
  REQUIRE(ids_of(dataset) ==
          Strings{"p_21_gab__aggregate", "p_10_gab__aggregate", "p_20_gab__aggregate"});
  REQUIRE(dataset.examples[0].text == "shut up");
  REQUIRE(dataset.examples[0].labels == Labels{2});
  REQUIRE(dataset.annotators == Strings{"aggregate", "4", "2", "9"});
  REQUIRE(dataset.notes.warnings ==
          Strings{"Hatexplain, split train: 1 posts have no label in majority_labels.jsonl and are "
                  "left out: p_22_twitter"});
}

TEST_CASE("Posts without annotators are counted where annotators were asked for", "[data]") {
  const Dataset dataset = load("Hatexplain", small_options("train", AnnotationMode::Annotator));
  REQUIRE(ids_of(dataset) == Strings{"p_10_gab__4", "p_10_gab__2", "p_10_gab__9"});
  REQUIRE(dataset.notes.warnings.size() == 2);
  REQUIRE_THAT(
      dataset.notes.warnings[0],
      ContainsSubstring("2 posts have a majority label only (majority_labels.jsonl) and no "
                        "annotators: p_21_gab, p_20_gab"));
}

TEST_CASE("Missing Hatexplain files and posts are named", "[data]") {
  SmallRoot root;
  root.write("post_id_divisions.json", R"({"test": ["p1", "p2"]})");
  REQUIRE_THROWS_WITH(
      load("Hatexplain", root.options({"test"})),
      ContainsSubstring(root.path("dataset.json") + ": expected a file of the data set"));
  root.write("dataset.json", kGoodPost);
  REQUIRE_THROWS_AS(load("Hatexplain", root.options({"test"})), DataError);
  REQUIRE_THROWS_WITH(
      load("Hatexplain", root.options({"test"})),
      ContainsSubstring("expected all 2 posts of split 'test', found no post 'p2' here "
                        "or in majority_labels.jsonl; fetch the authors' whole "
                        "dataset.json"));
  root.remove("post_id_divisions.json");
  REQUIRE_THROWS_WITH(
      load("Hatexplain", root.options({"test"})),
      ContainsSubstring(root.path("post_id_divisions.json") + ": expected a file of the data set"));
}

TEST_CASE("Spoilt posts are reported", "[data]") {
  const std::string place = ": key 'p1";
  expect_hatexplain_error(
      "dataset.json", post(R"([{"label": "nice", "annotator_id": 1}])"),
      place + ".annotators[0].label': unknown label 'nice' (known: hatespeech, normal, offensive)");
  expect_hatexplain_error("dataset.json", post(R"([{"label": 1, "annotator_id": 1}])"),
                          place + ".annotators[0].label': expected a string, found 1");
  expect_hatexplain_error("dataset.json", post(R"([{"annotator_id": 1}])"),
                          place + ".annotators[0].label' is missing");
  expect_hatexplain_error("dataset.json", post("[3]"),
                          place + ".annotators[0]': expected an object, found 3");
  expect_hatexplain_error(
      "dataset.json", post(R"([{"label": "normal", "annotator_id": 1.5}])"),
      place + ".annotators[0].annotator_id': expected an integer or a string, found 1.5");
  expect_hatexplain_error(
      "dataset.json", post(R"([{"label": "normal", "annotator_id": "aggregate"}])"),
      place + ".annotators[0]': expected an annotator's own name, found 'aggregate'");
  expect_hatexplain_error("dataset.json", post("[]"),
                          place + ".annotators': expected a list of annotators, found []");
  expect_hatexplain_error("dataset.json", post("{}"),
                          place + ".annotators': expected a list of annotators, found {}");
  expect_hatexplain_error("dataset.json", post(R"([{"label": "normal", "annotator_id": 1}])", "[]"),
                          place + ".post_tokens': expected a list of words, found []");
  expect_hatexplain_error("dataset.json",
                          post(R"([{"label": "normal", "annotator_id": 1}])", "\"a b\""),
                          place + ".post_tokens': expected a list of words, found \"a b\"");
  expect_hatexplain_error("dataset.json",
                          post(R"([{"label": "normal", "annotator_id": 1}])", "[1]"),
                          place + ".post_tokens[0]': expected a string, found 1");
  expect_hatexplain_error("dataset.json", "[]",
                          ": expected an object post id -> post, found array");
  expect_hatexplain_error("dataset.json", "{\"p1\": 1, \"p1\": 2}", ": key 'p1' is there twice");
  expect_hatexplain_error(
      "dataset.json", kGoodPost.substr(0, 40),
      ": expected JSON, found an error at byte 41, the end of the text; it may be cut off");
}

TEST_CASE("Spoilt divisions are reported", "[data]") {
  const std::string name = "post_id_divisions.json";
  expect_hatexplain_error(name, "{}", ": key 'test' is missing");
  expect_hatexplain_error(name, "[]", ": expected an object, found []");
  expect_hatexplain_error(name, R"({"test": []})",
                          ": key 'test': expected a list of post ids, found []");
  expect_hatexplain_error(name, R"({"test": "p1"})",
                          ": key 'test': expected a list of post ids, found \"p1\"");
  expect_hatexplain_error(name, R"({"test": [1]})", ": key 'test[0]': expected a string, found 1");
  expect_hatexplain_error(name, "", ": expected JSON, found an error at byte 1");
  SmallRoot root;
  root.write("dataset.json", kGoodPost);
  root.write(name, R"({"test": ["p1", "p1"]})");
  REQUIRE_THROWS_WITH(load("Hatexplain", root.options({"test"})),
                      ContainsSubstring("expected distinct ids within a split, found 'p1' again"));
}

TEST_CASE("Spoilt majority labels are reported with file and line", "[data]") {
  const std::string name = "majority_labels.jsonl";
  const std::string good = R"({"post_id": "p0", "post_tokens": ["a"], "label": "normal"})"
                           "\n";
  expect_hatexplain_error(name, good + "{\"post_id\": \"p1\"\n",
                          ":2: expected JSON, found an error");
  expect_hatexplain_error(name, good + "\n{\"post_id\": \"p1\", \"label\": \"normal\"}\n",
                          ":3: key 'post_tokens' is missing");
  expect_hatexplain_error(name, good + good, ":2: expected distinct posts, found 'p0' again");
  expect_hatexplain_error(name, good + R"({"post_id": "p1", "post_tokens": ["a"], "label": "bad"})",
                          ":2: key 'label': unknown label 'bad'");
}

}  // namespace labelprobe::data
