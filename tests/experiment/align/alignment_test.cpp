#include "labelprobe/experiment/alignment.h"

#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::experiment {
namespace {

const std::string kTask = "GoEmotions";

data::DatasetOptions example_data(const std::string& split) {
  data::DatasetOptions options;
  options.root_dir = "configs/example";
  options.emotion_clustering_json = "configs/example/emotion_clustering.json";
  options.splits = {split};
  return options;
}

// A scores file of the votes themselves.
std::filesystem::path write_votes(const analysis::VotedSet& set,
                                  const std::filesystem::path& folder) {
  std::string text;
  for (const auto& [id, votes] : set.votes) {
    text += id + ":\n";
    for (std::size_t i = 0; i < votes.shares.size(); ++i) {
      text += fmt::format("  {}: {:.17g}\n", set.label_set.names()[i], votes.shares[i]);
    }
  }
  support::write_file(folder / "scores.yml", text);
  return folder / "scores.yml";
}

TEST_CASE("Scores that are the votes have no distance from them, base rates have", "[align]") {
  const support::TempFolder folder;
  AlignmentRequest request;
  request.task = kTask;
  request.train = example_data("train");
  analysis::VotedSet votes = load_votes(kTask, example_data("dev"));
  REQUIRE(votes.votes.size() == 40);
  request.scores = {{"Votes", write_votes(votes, folder.path()), {}}};
  request.bootstrap = {.n_resamples = 10};
  const analysis::AlignmentTable table = align_runs(request, votes);
  REQUIRE(table.rows.size() == 2);
  CHECK(table.n_examples_with_votes == 40);
  CHECK(table.rows[0].alignment->find("l1")->value == Approx(0.0).margin(1e-12));
  CHECK(table.rows[1].alignment->find("l1")->value > 0.1);
  CHECK(table.rows[1].note == "mean aggregate labels of the 129 examples of train");
  REQUIRE(table.differences.size() == 1);
  CHECK(table.differences[0].against == 0);

  request.train.splits.clear();
  CHECK_THAT(align_runs(request, votes).rows[1].note,
             ContainsSubstring("mean vote shares of the evaluated examples themselves"));
}

TEST_CASE("A data set without annotators has no votes", "[align]") {
  CHECK_THROWS_WITH(load_votes("TREC", {}),
                    ContainsSubstring("TREC: expected a data set with several annotators") &&
                        ContainsSubstring("with annotators: GoEmotions"));
}

// A task file of three items, with labels as given.
class SoftTask {
 public:
  SoftTask(const std::string& labels, const std::string& rows) {
    support::write_file(folder_.path() / "soft.csv", "id,text,joy,fear\n" + rows);
    support::write_file(folder_.path() / "soft.yaml",
                        "files: soft.csv\nid: id\ntext: text\nlabels: " + labels + "\n");
  }
  std::string path() const { return (folder_.path() / "soft.yaml").string(); }
  static data::DatasetOptions options() {
    data::DatasetOptions options;
    options.splits = {"all"};
    return options;
  }

 private:
  support::TempFolder folder_;
};

TEST_CASE("Shares of people stand for votes where a task has no annotators", "[align]") {
  const SoftTask task("{columns: [joy, fear]}", "a,A,0.25,0.75\nb,B,1,0\nc,C,0.5,0.5\n");
  const analysis::VotedSet set = load_votes(task.path(), SoftTask::options());
  REQUIRE(set.votes.size() == 3);
  CHECK(set.votes.at("a").shares == std::vector<double>{0.25, 0.75});
  CHECK(set.votes.at("a").gold == Labels{1});
  CHECK(set.votes.at("c").gold == Labels{0, 1});
  CHECK(set.votes.at("c").n_annotators == 0);
  CHECK(set.example_ids.size() == 3);

  const support::TempFolder folder;
  AlignmentRequest request;
  request.task = task.path();
  request.scores = {{"Shares", write_votes(set, folder.path()), {}}};
  const analysis::AlignmentTable table = align_runs(request, set);
  CHECK(table.rows[0].alignment->find("l1")->value == Approx(0.0).margin(1e-12));
}

TEST_CASE("Shares of one label are distributions, and others count for nothing", "[align]") {
  const SoftTask task("{columns: [joy, fear], largest: true}",
                      "a,A,0.33,0.66\nb,B,1,0\nc,C,0.9,0.8\n");
  const analysis::VotedSet set = load_votes(task.path(), SoftTask::options());
  REQUIRE(set.votes.size() == 2);
  CHECK(set.votes.at("a").shares[0] == Approx(1.0 / 3));
  CHECK(set.votes.at("a").gold == Labels{1});
  REQUIRE(set.warnings.size() == 1);
  CHECK_THAT(set.warnings.front(),
             ContainsSubstring("1 of 3 examples have shares that do not sum"));
}

TEST_CASE("Columns of 0 and 1 say nothing about people", "[align]") {
  const SoftTask task("{columns: [joy, fear]}", "a,A,0,1\nb,B,1,0\nc,C,0,0\n");
  CHECK_THROWS_WITH(load_votes(task.path(), SoftTask::options()),
                    ContainsSubstring("or with shares between 0 and 1 as labels"));
  const analysis::VotedSet set = load_votes_if_any(task.path(), SoftTask::options());
  CHECK(set.votes.empty());
  CHECK(set.example_ids.size() == 3);
}

}  // namespace
}  // namespace labelprobe::experiment
