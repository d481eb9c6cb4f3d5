#include "labelprobe/core/error.h"
#include "labelprobe/data/dataset.h"

#include "data/small_root.h"
#include "support/catch.h"

namespace labelprobe::data {

namespace {

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("A later split overwrites an example that it repeats, in place", "[data]") {
  const SmallGoEmotions root;
  const Dataset dataset = load("GoEmotions", root.options({"train", "dev"}));
  REQUIRE(ids_of(dataset) ==
          Strings{"b2__aggregate", "a1__aggregate", "c3__aggregate", "d4__aggregate"});
  REQUIRE(dataset.examples[0].text == "A new first text");
  REQUIRE(dataset.examples[0].labels == Labels{14});
}

TEST_CASE("An id list keeps the order of the data and filters every split", "[data]") {
  SmallGoEmotions root;
  DatasetOptions options = root.options({"train", "dev"});
  options.ids_filenames = {root.write("ids.txt", "d4\n\n  c3 \r\na1")};
  const Dataset dataset = load("GoEmotions", options);
  REQUIRE(ids_of(dataset) == Strings{"a1__aggregate", "c3__aggregate", "d4__aggregate"});
  REQUIRE(dataset.notes.warnings.empty());
}

TEST_CASE("An empty entry beside a split allows all of its ids", "[data]") {
  SmallGoEmotions root;
  DatasetOptions options = root.options({"dev", "train"});
  options.ids_filenames = {"", root.write("ids.txt", "c3\n")};
  REQUIRE(ids_of(load("GoEmotions", options)) ==
          Strings{"d4__aggregate", "b2__aggregate", "c3__aggregate"});
}

TEST_CASE("Ids that no split has are counted in a warning", "[data]") {
  SmallGoEmotions root;
  DatasetOptions options = root.options({"train"});
  const std::string path = root.write("ids.txt", "n1\nb2\nn2\nn1\nn3\nn4\nn5\nn6\n");
  options.ids_filenames = {path, "surplus.txt"};
  const Dataset dataset = load("GoEmotions", options);
  REQUIRE(ids_of(dataset) == Strings{"b2__aggregate"});
  REQUIRE(dataset.notes.warnings ==
          Strings{path + ": 6 of 7 ids are not in the data loaded (train) and are ignored: n1, n2, "
                         "n3, n4, n5, ...",
                  "surplus.txt: this id list is ignored, because there are fewer splits than id "
                  "lists"});
}

TEST_CASE("A missing id list and one that leaves nothing are errors", "[data]") {
  SmallGoEmotions root;
  DatasetOptions options = root.options({"train"});
  options.ids_filenames = {root.path("nowhere.txt")};
  REQUIRE_THROWS_AS(load("GoEmotions", options), DataError);
  REQUIRE_THROWS_WITH(
      load("GoEmotions", options),
      ContainsSubstring(root.path("nowhere.txt") +
                        ": expected a list of ids, one a line, found no such file"));
  options.ids_filenames = {root.write("empty.txt", "")};
  REQUIRE_THROWS_AS(load("GoEmotions", options), DataError);
  REQUIRE_THROWS_WITH(
      load("GoEmotions", options),
      ContainsSubstring("GoEmotions: expected at least one example, found none of 3 "
                        "left after: ids_filename"));
}

TEST_CASE("The debugging range of examples may reach beyond their end", "[data]") {
  const SmallGoEmotions root;
  DatasetOptions options = root.options({"train"});
  options.debug_len = PositionRange{1, 1000};
  REQUIRE(ids_of(load("GoEmotions", options)) == Strings{"a1__aggregate", "c3__aggregate"});
  options.debug_len = PositionRange{1000, 2000};
  REQUIRE_THROWS_WITH(load("GoEmotions", options), ContainsSubstring("left after: debug_len"));
}

TEST_CASE("Annotators of the training data leave aggregate-only examples alone", "[data]") {
  const SmallGoEmotions root;
  DatasetOptions options = root.options({"train"});
  options.annotator_ids = Strings{"somebody"};
  REQUIRE(load("GoEmotions", options).examples.size() == 3);
  options.annotation_mode = AnnotationMode::Annotator;
  REQUIRE_THROWS_WITH(
      load("GoEmotions", options),
      ContainsSubstring("left after: annotation_mode, annotators of the training data"));
}

TEST_CASE("Choosing annotators in aggregate mode leaves nothing and says so", "[data]") {
  const SmallGoEmotions root;
  DatasetOptions options = root.options({"train"});
  options.debug_ann = PositionRange{0, 2};
  options.keep_same_examples = true;
  REQUIRE_THROWS_WITH(load("GoEmotions", options),
                      ContainsSubstring("left after: debug_ann, keep_same_examples"));
}

TEST_CASE("Loading a collapsed selection gives every example once, with its aggregate", "[data]") {
  const SmallGoEmotions root;
  DatasetOptions options = root.options({"train"});
  options.annotation_mode = AnnotationMode::Both;
  options.debug_ann = PositionRange{0, 1};
  options.keep_one_after_filtering = true;
  const Dataset dataset = load("GoEmotions", options);
  REQUIRE(ids_of(dataset) == Strings{"a1__aggregate", "b2__aggregate"});
  REQUIRE(dataset.examples[0].labels == Labels{2, 7});
  REQUIRE(dataset.annotators == Strings{"7"});
}

}  // namespace labelprobe::data
