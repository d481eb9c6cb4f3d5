// The task files below configs/ against the readers of the same published sets: the same items in
// the same order, and the same votes.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "labelprobe/data/dataset.h"
#include "labelprobe/data/task_file.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::data {

namespace {

struct Set {
  std::string name;    // of the reader
  std::string task;    // below configs/
  std::string folder;  // below shared/data/
  std::vector<std::string> splits;
  bool has_clusters = false;
  bool has_votes = false;  // to compare
};

const std::vector<Set> kSets = {
    {"SemEval", "SemEval/task.yaml", "SemEval_format_sample", {"train", "dev"}},
    {"GoEmotions", "GoEmotions/task.yaml", "GoEmotions", {"dev"}, true},
    {"GoEmotions", "GoEmotions/task_full_emotions.yaml", "GoEmotions", {"dev"}},
    {"GoEmotions", "GoEmotions/task.yaml", "GoEmotions_synthetic_raters", {"test"}, true, true},
    {"MFRC", "MFRC/task.yaml", "MFRC_synthetic_annotations", {"dev"}, false, true},
    {"Hatexplain", "Hatexplain/task.yaml", "HateXplain", {"test"}, false, true},
    {"MMLUPro", "MMLU-Pro/task.yaml", "MMLU-Pro", {"dev"}},
};

DatasetOptions options_of(const Set& set, const std::string& split) {
  DatasetOptions options;
  options.root_dir = support::shared("data/" + set.folder);
  options.splits = {split};
  return options;
}

using Votes = std::map<std::string, std::map<std::string, Labels>>;

Votes votes_of(const Dataset& dataset) {
  Votes votes;
  for (const Example& example : dataset.examples) {
    votes[example.example_id][example.annotator] = example.labels;
  }
  // Items without an annotator say nothing here, and some readers leave them out.
  std::erase_if(votes, [](const auto& entry) { return entry.second.size() < 2; });
  return votes;
}

void compare_items(const Set& set, DatasetOptions options) {
  const std::string task = (support::source_folder() / "configs" / set.task).string();
  const Dataset own = load(task, options);
  if (set.has_clusters) {
    options.emotion_clustering_json = options.root_dir / "emotion_clustering.json";
  }
  const Dataset known = load(set.name, options);
  CHECK(own.label_set == known.label_set);
  REQUIRE(own.examples.size() == known.examples.size());
  const auto other =
      std::mismatch(own.examples.begin(), own.examples.end(), known.examples.begin(),
                    [](const Example& a, const Example& b) {
                      return a.id() == b.id() && a.text == b.text && a.labels == b.labels;
                    });
  CHECK(other.first == own.examples.end());
}

void compare_votes(const Set& set, DatasetOptions options) {
  const std::string task = (support::source_folder() / "configs" / set.task).string();
  options.annotation_mode = AnnotationMode::Both;
  const Votes own = votes_of(load(task, options));
  if (set.has_clusters) {
    options.emotion_clustering_json = options.root_dir / "emotion_clustering.json";
  }
  CHECK(own == votes_of(load(set.name, options)));
}

}  // namespace

TEST_CASE("Task files of published sets say what their readers say", "[data][golden]") {
  if (!std::filesystem::exists(support::shared("data"))) {
    SKIP_ALOUD("the published sets are not here");
  }
  for (const Set& set : kSets) {
    for (const std::string& split : set.splits) {
      INFO(set.task << ", " << set.folder << ", " << split);
      compare_items(set, options_of(set, split));
      if (set.has_votes) compare_votes(set, options_of(set, split));
    }
  }
}

TEST_CASE("The task files that come with the program are without a fault", "[data]") {
  for (const Set& set : kSets) {
    const std::string task = (support::source_folder() / "configs" / set.task).string();
    CHECK(task_info(task).name != set.name);
    CHECK(!task_options(task).empty());
  }
}

}  // namespace labelprobe::data
