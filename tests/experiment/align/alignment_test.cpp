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

}  // namespace
}  // namespace labelprobe::experiment
