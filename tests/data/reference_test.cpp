// Compares whole data sets with what pandas, PyYAML, openpyxl and Python read of the same files
// (tests/fixtures/data/reference.json, made by scripts/fixtures/data_reference.py).
#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "labelprobe/data/dataset.h"

#include "data/small_root.h"
#include "support/catch.h"

namespace labelprobe::data {

namespace {

using Json = nlohmann::ordered_json;
using Strings = std::vector<std::string>;

std::filesystem::path place_of(const Json& options, const std::string& relative) {
  return options.at("place") == "real" ? support::shared(relative)
                                       : support::source_folder() / relative;
}

DatasetOptions options_of(const Json& json) {
  DatasetOptions options;
  options.root_dir = place_of(json, json.at("root_dir"));
  options.splits = json.at("splits").get<Strings>();
  for (const std::string& name : json.value("ids_filenames", Strings{})) {
    options.ids_filenames.push_back(name.empty() ? "" : place_of(json, name).string());
  }
  const std::string mode = json.value("annotation_mode", "aggregate");
  options.annotation_mode = mode == "both"        ? AnnotationMode::Both
                            : mode == "annotator" ? AnnotationMode::Annotator
                                                  : AnnotationMode::Aggregate;
  if (json.contains("debug_len")) {
    options.debug_len = PositionRange{json["debug_len"][0], json["debug_len"][1]};
  }
  if (json.contains("debug_ann")) {
    options.debug_ann = PositionRange{json["debug_ann"][0], json["debug_ann"][1]};
  }
  if (json.contains("annotator_ids")) {
    options.annotator_ids = json["annotator_ids"].get<Strings>();
  }
  options.allows_quoted_rows = true;  // as pandas, whose reading the reference is
  options.keep_same_examples = json.value("keep_same_examples", false);
  options.keep_one_after_filtering = json.value("keep_one_after_filtering", false);
  options.language = json.value("language", options.language);
  options.subset = json.value("subset", options.subset);
  options.delimiter = json.value("delimiter", options.delimiter);
  options.multilabel = json.value("multilabel", false);
  options.annotator_labels = json.value("annotator_labels", false);
  options.type = json.value("type", options.type);
  options.discard_ambiguous = json.value("discard_ambiguous", false);
  if (json.value("clustering", false)) {
    options.emotion_clustering_json = options.root_dir / "emotion_clustering.json";
  }
  return options;
}

// 64-bit FNV-1a of one line "id<TAB>text<TAB>labels" per example.
std::string fnv1a_of(const Dataset& dataset) {
  std::uint64_t state = 0xCBF29CE484222325u;
  for (const Example& example : dataset.examples) {
    std::string line = example.id() + "\t" + example.text + "\t";
    for (const std::string& name : dataset.label_set.names_of(example.labels)) {
      line += (line.ends_with('\t') ? "" : ",") + name;
    }
    for (const char c : line + "\n") {
      state = (state ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
    }
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (int shift = 60; shift >= 0; shift -= 4) {
    hex += kDigits[(state >> shift) & 0xF];
  }
  return hex;
}

// How often each label of the set occurs, in the order of the set.
Json histogram_of(const Dataset& dataset) {
  Json histogram = Json::object();
  for (LabelIndex i = 0; i < dataset.label_set.size(); ++i) {
    histogram[dataset.label_set.names()[static_cast<std::size_t>(i)]] =
        std::count_if(dataset.examples.begin(), dataset.examples.end(), [&](const Example& e) {
          return std::find(e.labels.begin(), e.labels.end(), i) != e.labels.end();
        });
  }
  return histogram;
}

void expect_equal(const Dataset& dataset, const Json& facts) {
  const Strings ids = ids_of(dataset);
  REQUIRE(ids.size() == facts.at("n_items").get<std::size_t>());
  REQUIRE(Strings(ids.begin(), ids.begin() + std::min<long>(3, static_cast<long>(ids.size()))) ==
          facts.at("first_ids").get<Strings>());
  REQUIRE(ids.back() == facts.at("last_id").get<std::string>());
  const Strings& annotators = dataset.annotators;
  REQUIRE(annotators.size() == facts.at("n_annotators").get<std::size_t>());
  REQUIRE(Strings(annotators.begin(),
                  annotators.begin() + std::min<long>(5, static_cast<long>(annotators.size()))) ==
          facts.at("first_annotators").get<Strings>());
  REQUIRE(histogram_of(dataset) == facts.at("labels"));
  REQUIRE(fnv1a_of(dataset) == facts.at("fnv1a").get<std::string>());
}

// Compares the cases of `place` ("project" or "real"); returns how many there were.
int compare_cases(const std::string& place) {
  const Json reference = Json::parse(std::ifstream(support::fixture("data/reference.json")));
  int n_cases = 0;
  for (const Json& facts : reference.at("cases")) {
    const Json& options = facts.at("options");
    if (options.at("place") != place) {
      continue;
    }
    INFO(options.dump());
    expect_equal(load(options.at("dataset").get<std::string>(), options_of(options)), facts);
    ++n_cases;
  }
  return n_cases;
}

}  // namespace

TEST_CASE("Reads the bundled data as Python reads it", "[data]") {
  REQUIRE(compare_cases("project") == 55);
}

TEST_CASE("Reads the real data as Python reads it", "[data]") {
  if (!std::filesystem::exists(support::shared("data/GoEmotions/train.tsv"))) {
    SKIP_ALOUD("the real GoEmotions and HateXplain files are not here");
  }
  REQUIRE(compare_cases("real") == 42);
}

TEST_CASE("The real splits have their published sizes", "[data]") {
  if (!std::filesystem::exists(support::shared("data/GoEmotions/train.tsv"))) {
    SKIP_ALOUD("the real GoEmotions files are not here");
  }
  DatasetOptions options;
  options.root_dir = support::shared("data/GoEmotions");
  for (const auto& [split, n_rows] :
       std::map<std::string, std::size_t>{{"train", 43410}, {"dev", 5426}, {"test", 5427}}) {
    options.splits = {split};
    REQUIRE(load("GoEmotions", options).examples.size() == n_rows);
  }
}

TEST_CASE("The real id lists are found whole", "[data]") {
  if (!std::filesystem::exists(support::shared("prob_distr_ids"))) {
    SKIP_ALOUD("the real id lists are not here");
  }
  DatasetOptions options;
  options.root_dir = support::shared("data/GoEmotions");
  options.splits = {"dev"};
  options.ids_filenames = {support::shared("prob_distr_ids/GoEmotions/main_test_set.txt").string()};
  const Dataset emotions = load("GoEmotions", options);
  REQUIRE(emotions.examples.size() == 231);
  REQUIRE(emotions.notes.warnings.empty());
  options.root_dir = support::shared("data/HateXplain");
  options.splits = {"test"};
  options.ids_filenames = {support::shared("prob_distr_ids/Hatexplain/main_test_set.txt").string()};
  const Dataset posts = load("Hatexplain", options);
  REQUIRE(posts.examples.size() == 200);
  REQUIRE(posts.notes.warnings.empty());
}

TEST_CASE("Pooled labels agree with those that the authors' other project published", "[data]") {
  const std::filesystem::path sample = support::shared("data/GoEmotions/pooled_sample.csv");
  if (!std::filesystem::exists(sample)) {
    SKIP_ALOUD("the real GoEmotions files are not here");
  }
  DatasetOptions options;
  options.root_dir = support::shared("data/GoEmotions");
  options.splits = {"train"};
  options.emotion_clustering_json = options.root_dir / "emotion_clustering.json";
  const Dataset dataset = load("GoEmotions", options);
  std::map<std::string, std::set<std::string>> labels_of;
  for (const Example& example : dataset.examples) {
    const Strings names = dataset.label_set.names_of(example.labels);
    labels_of[example.example_id] = {names.begin(), names.end()};
  }
  std::ifstream lines(sample);
  std::string line;
  std::getline(lines, line);
  int n_rows = 0;
  while (std::getline(lines, line)) {
    // id,text,"['joy', 'anger']": the list is the last bracket of the row.
    std::string list = line.substr(line.rfind('['), line.rfind(']') - line.rfind('[') + 1);
    std::replace(list.begin(), list.end(), '\'', '"');
    INFO(line);
    REQUIRE(labels_of.at(line.substr(0, line.find(','))) ==
            Json::parse(list).get<std::set<std::string>>());
    ++n_rows;
  }
  REQUIRE(n_rows == 45);
}

TEST_CASE("The bundled example shows every kind of row", "[data]") {
  DatasetOptions options;
  options.root_dir = support::source_folder() / "configs" / "example";
  options.emotion_clustering_json = options.root_dir / "emotion_clustering.json";
  for (const std::string split : {"train", "dev", "test"}) {
    options.splits = {split};
    std::set<std::size_t> kinds;
    for (const Example& example : load("GoEmotions", options).examples) {
      kinds.insert(std::min<std::size_t>(2, example.labels.size()));
    }
    REQUIRE(kinds == std::set<std::size_t>{0, 1, 2});
    DatasetOptions by_rater = options;
    by_rater.annotation_mode = AnnotationMode::Annotator;
    const Dataset rated = load("GoEmotions", by_rater);
    REQUIRE(rated.notes.warnings.empty());
    std::map<std::string, std::vector<Labels>> votes;
    for (const Example& example : rated.examples) {
      votes[example.example_id].push_back(example.labels);
    }
    const auto n_disputed = std::count_if(votes.begin(), votes.end(), [](const auto& entry) {
      return std::set<Labels>(entry.second.begin(), entry.second.end()).size() > 1;
    });
    REQUIRE(n_disputed >= 2);
    REQUIRE(std::all_of(votes.begin(), votes.end(),
                        [](const auto& e) { return e.second.size() >= 3; }));
  }
}

}  // namespace labelprobe::data
