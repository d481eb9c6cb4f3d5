#include "labelprobe/data/dataset.h"

#include "data/small_root.h"

namespace labelprobe::data {

namespace {

using Strings = std::vector<std::string>;

const std::string kDetails = "Labels/labels_detailed.csv";
const std::string kConsensus = "Labels/labels_consensus.csv";
const std::string kTexts = "transcripts.csv";

Strings labels_of(const Dataset& dataset, const std::string& item_id) {
  for (const Example& example : dataset.examples) {
    if (example.id() == item_id) {
      return dataset.label_set.names_of(example.labels);
    }
  }
  return {"no such item"};
}

}  // namespace

TEST_CASE("The most frequent primary emotion labels a clip, or the first one", "[data]") {
  FixtureRoot root("msp_podcast");
  const Dataset dataset = load("MSPPodcast", root.options({"train"}));
  REQUIRE(dataset.label_set.kind() == LabelKind::SingleLabel);
  REQUIRE(dataset.annotators == Strings{"aggregate"});
  REQUIRE(labels_of(dataset, "MSP_0001_0001__aggregate") == Strings{"happy"});
  // The worker whose first vote was Sad changed it to Fear.
  REQUIRE(labels_of(dataset, "MSP_0001_0002__aggregate") == Strings{"neutral"});
  REQUIRE(labels_of(dataset, "MSP_0001_0004__aggregate") == Strings{"sad"});
  REQUIRE(labels_of(dataset, "MSP_0003_0003__aggregate") == Strings{"angry"});
  // No transcript; only other emotions.
  REQUIRE(labels_of(dataset, "MSP_0001_0003__aggregate") == Strings{"no such item"});
  REQUIRE(dataset.notes.warnings ==
          Strings{"MSPPodcast, split train: 1 of 5 clips have no vote that counts and are left "
                  "out: MSP_0003_0001"});
}

TEST_CASE("Half of the workers make a secondary emotion a label; neutral is none", "[data]") {
  FixtureRoot root("msp_podcast");
  DatasetOptions options = root.options({"train"});
  options.multilabel = true;
  const Dataset dataset = load("MSPPodcast", options);
  REQUIRE(dataset.label_set.kind() == LabelKind::MultiLabel);
  REQUIRE(dataset.label_set.index_of("neutral") == std::nullopt);
  REQUIRE(labels_of(dataset, "MSP_0001_0001__aggregate") == Strings{"happy"});
  REQUIRE(labels_of(dataset, "MSP_0003_0001__aggregate").empty());
  REQUIRE(labels_of(dataset, "MSP_0001_0002__aggregate") == Strings{"confused"});
}

TEST_CASE("Workers are annotators where they are asked for", "[data]") {
  FixtureRoot root("msp_podcast");
  DatasetOptions options = root.options({"train"});
  options.annotation_mode = AnnotationMode::Both;
  REQUIRE_THROWS_AS(load("MSPPodcast", options), ConfigError);
  REQUIRE_THROWS_WITH(load("MSPPodcast", options),
                      ContainsSubstring("annotators are read with annotator_labels only"));
  options.annotator_labels = true;
  const Dataset dataset = load("MSPPodcast", options);
  REQUIRE(labels_of(dataset, "MSP_0001_0002__W2") == Strings{"fear"});
  REQUIRE(labels_of(dataset, "MSP_0001_0002__aggregate") == Strings{"neutral"});
}

TEST_CASE("Spoilt MSP-Podcast files are reported with file and line", "[data]") {
  expect_spoilt(
      "MSPPodcast", "msp_podcast", "train",
      {{kDetails, "Happy;", "Hapy;", ":2: unknown primary emotion 'Hapy'"},
       {kDetails, "A:4.0; ", "",
        ":2: expected 7 parts separated by ';' in column 'EmoDetail', found 6"},
       {kDetails, "W1", "", ":2: expected an annotator's own name, found ''"},
       {kDetails, "\"W1;", "extra,\"W1;", ":2: expected 2 comma-separated fields, found 3"},
       {kDetails, "EmoDetail", "Details", ":1: expected a column 'EmoDetail', found none"},
       {kConsensus, "Split_Set", "Split", ":1: expected a column 'Split_Set', found none"},
       {kConsensus, "MSP_0001_0002.wav", "MSP_0001_0001.wav",
        ":3: expected every clip once, found 'MSP_0001_0001' again"},
       {kTexts, "id,text", "id,words", ":1: expected a column 'text', found none"},
       {kTexts, "MSP_0001_0002", "MSP_0001_0001", ":3: expected every clip once"},
       {kTexts, "\"Well, that", "Well, that", ":2: expected 2 comma-separated fields, found 3"}});
  FixtureRoot root("msp_podcast");
  root.replace(kTexts, "great", "gr\xFFt");
  expect_data_error("MSPPodcast", root.options({"train"}), ":2: expected a text in UTF-8");
  for (const std::string& name : {kDetails, kConsensus, kTexts}) {
    FixtureRoot missing("msp_podcast");
    missing.write(name, "");
    expect_data_error("MSPPodcast", missing.options({"train"}),
                      missing.path(name) + ":1: expected a header, found an empty file");
    missing.remove(name);
    expect_data_error("MSPPodcast", missing.options({"train"}),
                      missing.path(name) + ": expected a file");
  }
}

}  // namespace labelprobe::data
