// The task files below configs/ against the readers of the same published sets: the same items in
// the same order, and the same votes.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "labelprobe/data/dataset.h"
#include "labelprobe/data/task_file.h"

#include "data/small_root.h"
#include "support/catch.h"
#include "support/files.h"
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
  std::string type = "both";
};

const std::vector<Set> kSets = {
    {"SemEval", "SemEval/task.yaml", "SemEval_format_sample", {"train", "dev"}},
    {"GoEmotions", "GoEmotions/task.yaml", "GoEmotions", {"dev"}, true},
    {"GoEmotions", "GoEmotions/task_full_emotions.yaml", "GoEmotions", {"dev"}},
    {"GoEmotions", "GoEmotions/task.yaml", "GoEmotions_synthetic_raters", {"test"}, true, true},
    {"MFRC", "MFRC/task.yaml", "MFRC_synthetic_annotations", {"dev"}, false, true},
    {"Hatexplain", "Hatexplain/task.yaml", "HateXplain", {"test"}, false, true},
    {"MMLUPro", "MMLU-Pro/task.yaml", "MMLU-Pro", {"dev"}},
    {"TREC", "TREC/task.yaml", "TREC", {"train", "test"}},
    {"Boxes", "Boxes/task.yaml", "Boxes", {"train", "dev"}},
    {"QueerReclaimLex",
     "QueerReclaimLex/task.yaml",
     "QueerReclaimLex",
     {"train", "test"},
     false,
     true},
    {"QueerReclaimLex",
     "QueerReclaimLex/task_ingroup.yaml",
     "QueerReclaimLex",
     {"train"},
     false,
     true,
     "in"},
};

// Small stand-ins for sets with traps that the published files may lack.
const std::vector<Set> kSmallSets = {
    {"TREC", "TREC/task.yaml", "trec", {"train", "test"}},
    {"Boxes", "Boxes/task.yaml", "boxes", {"train", "dev", "test"}},
    {"QueerReclaimLex",
     "QueerReclaimLex/task.yaml",
     "queer_reclaim_lex",
     {"train", "test"},
     false,
     true},
    {"QueerReclaimLex",
     "QueerReclaimLex/task_ingroup.yaml",
     "queer_reclaim_lex",
     {"train", "test"},
     false,
     true,
     "in"},
};

DatasetOptions options_of(const Set& set,
                          const std::filesystem::path& root,
                          const std::string& split) {
  DatasetOptions options;
  options.root_dir = root;
  options.splits = {split};
  options.type = set.type;
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
      const DatasetOptions options = options_of(set, support::shared("data/" + set.folder), split);
      compare_items(set, options);
      if (set.has_votes) compare_votes(set, options);
    }
  }
}

TEST_CASE("Task files of sets in small say what their readers say", "[data]") {
  for (const Set& set : kSmallSets) {
    for (const std::string& split : set.splits) {
      INFO(set.task << ", " << split);
      FixtureRoot root(set.folder);
      // The reader takes the first line; the published file has no other.
      if (set.name == "Boxes") root.replace("objects.txt", "second line\n", "");
      const DatasetOptions options = options_of(set, root.path(""), split);
      compare_items(set, options);
      if (set.has_votes) compare_votes(set, options);
    }
  }
}

// The set itself is under licence. The reader's label set is what its last split has, so that every
// split has every emotion here.
TEST_CASE("Task files of MSP-Podcast say what its reader says", "[data]") {
  FixtureRoot root("msp_podcast");
  std::string details = support::read_file(root.path("Labels/labels_detailed.csv"));
  std::string consensus = support::read_file(root.path("Labels/labels_consensus.csv"));
  std::string texts = support::read_file(root.path("transcripts.csv"));
  for (const std::string split : {"Train", "Development", "Test1"}) {
    const std::string clip = "MSP_1_" + split;
    texts += clip + ",\"So, this is said.\"\n";
    consensus += clip + ".wav,N,4.0,3.0,5.0,7,Female," + split + "\n";
    for (const std::string emotion :
         {"Surprise", "Angry", "Contempt", "Disgust", "Fear", "Happy", "Neutral", "Sad"}) {
      details +=
          clip + ".wav,\"W" + emotion + "; " + emotion +
          "; Amused,Angry,Annoyed,Concerned,Confused,Contempt,Depressed,Disappointed,Disgust,"
          "Excited,Fear,Frustrated,Happy,Sad,Surprise,Other-" +
          emotion + ", and more; A:4.0; V:3.0; D:5.0; \"\n";
    }
  }
  root.write("Labels/labels_detailed.csv", details);
  root.write("Labels/labels_consensus.csv", consensus);
  root.write("transcripts.csv", texts);
  for (const bool is_multilabel : {false, true}) {
    const Set set = {"MSPPodcast",
                     is_multilabel ? "MSPPodcast/task_secondary.yaml" : "MSPPodcast/task.yaml"};
    for (const std::string split : {"train", "dev", "test"}) {
      INFO(set.task << ", " << split);
      DatasetOptions options = options_of(set, root.path(""), split);
      options.multilabel = is_multilabel;
      options.annotator_labels = true;
      compare_items(set, options);
      compare_votes(set, options);
    }
  }
}

TEST_CASE("The task files that come with the program are without a fault", "[data]") {
  std::vector<std::string> tasks = {"MSPPodcast/task.yaml", "MSPPodcast/task_secondary.yaml"};
  for (const Set& set : kSets) tasks.push_back(set.task);
  for (const std::string& name : tasks) {
    INFO(name);
    const std::string task = (support::source_folder() / "configs" / name).string();
    CHECK(!task_info(task).name.empty());
    CHECK(!task_options(task).empty());
  }
}

}  // namespace labelprobe::data
