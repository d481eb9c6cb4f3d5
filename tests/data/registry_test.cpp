#include <functional>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/data/dataset.h"
#include "labelprobe/files/mapped_file.h"

#include "data/small_root.h"
#include "support/catch.h"

namespace labelprobe::data {

TEST_CASE("Knows the data sets by name", "[data]") {
  REQUIRE(datasets().size() >= 2);
  REQUIRE(dataset_info("GoEmotions").label_kinds == "multi-label");
  REQUIRE(dataset_info("Hatexplain").label_kinds == "single-label");
  REQUIRE_THROWS_AS(dataset_info("GoEmotion"), ConfigError);
  REQUIRE_THROWS_WITH(load("hatexplain", {}), ContainsSubstring("unknown data set 'hatexplain'"));
  REQUIRE_THROWS_WITH(load("hatexplain", {}), ContainsSubstring("did you mean 'Hatexplain'?"));
}

TEST_CASE("Options that a data set does not have are refused before anything is read", "[data]") {
  const auto expect_error = [](const std::string& name, const std::string& message,
                               const std::function<void(DatasetOptions&)>& spoil) {
    DatasetOptions options;
    options.root_dir = "no/such/folder";
    options.splits = {"train"};
    spoil(options);
    INFO(message);
    REQUIRE_THROWS_AS(load(name, options), ConfigError);
    REQUIRE_THROWS_WITH(load(name, options), ContainsSubstring(message));
  };
  for (const std::string name : {"GoEmotions", "Hatexplain"}) {
    expect_error(name, name + ": expected at least one split, found none",
                 [](DatasetOptions& o) { o.splits.clear(); });
    expect_error(name, name + ": expected root_dir, the folder with",
                 [](DatasetOptions& o) { o.root_dir.clear(); });
    expect_error(name,
                 "unknown " + name + " split 'tets'; did you mean 'test'? (known: train, dev, test",
                 [](auto& o) { o.splits = {"tets"}; });
    expect_error(name, "debug_len: expected positions 0 <= begin <= end, found 5 2", [](auto& o) {
      o.debug_len = PositionRange{5, 2};
    });
    expect_error(name, "debug_ann: expected positions 0 <= begin <= end, found -1 2", [](auto& o) {
      o.debug_ann = PositionRange{-1, 2};
    });
    expect_error(name, "keep_one_after_filtering makes aggregate items", [](DatasetOptions& o) {
      o.keep_one_after_filtering = true;
      o.annotation_mode = AnnotationMode::Annotator;
    });
  }
  expect_error("Hatexplain", "emotion_clustering_json is no option of this data set",
               [](auto& o) { o.emotion_clustering_json = "clusters.json"; });
  expect_error("GoEmotions", "word_statistics serves text_preprocessor only",
               [](DatasetOptions& o) { o.word_statistics = "counts"; });
  expect_error("GoEmotions", "counts/counts_1grams.txt: expected the counts of word_statistics",
               [](DatasetOptions& o) {
                 o.text_preprocessor = true;
                 o.word_statistics = "counts";
               });
}

TEST_CASE("The text preprocessor of a set without a domain changes nothing", "[data]") {
  DatasetOptions options;
  options.root_dir = support::fixture("data/hatexplain");
  options.splits = {"val"};
  options.text_preprocessor = true;
  const Dataset loaded = load("Hatexplain", options);
  REQUIRE(loaded.examples[1].text == "<user> you lot \xF0\x9F\x98\xA0");
  // What was read is told, with what was in it.
  REQUIRE_FALSE(loaded.notes.files.empty());
  for (const SourceFile& file : loaded.notes.files) {
    REQUIRE(file.path.string().starts_with(options.root_dir.string()));
    REQUIRE(file.fingerprint == fingerprint(files::MappedFile(file.path).text()));
  }
}

}  // namespace labelprobe::data
