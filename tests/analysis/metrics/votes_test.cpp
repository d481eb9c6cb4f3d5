#include "labelprobe/analysis/votes.h"

#include "labelprobe/core/error.h"

#include "support/catch.h"

using labelprobe::Example;
using labelprobe::LabelKind;
using labelprobe::LabelSet;
using labelprobe::analysis::count_votes;
using labelprobe::analysis::mean_labels;
using labelprobe::analysis::mean_shares;
using labelprobe::analysis::Votes;

namespace {

const LabelSet kVotedEmotions({"joy", "fear"}, LabelKind::MultiLabel);

Votes count(const std::vector<Example>& examples) {
  return count_votes(examples, kVotedEmotions);
}

}  // namespace

TEST_CASE("Shares are of an example's annotators, gold is the aggregate's", "[votes]") {
  const Votes votes = count({{"de0", "aggregate", "", {0}},
                             {"de0", "ann1", "", {0}},
                             {"de0", "ann2", "", {0, 1}},
                             {"de0", "ann3", "", {}},
                             {"de0", "ann4", "", {0}},
                             {"de1", "ann1", "", {1}},
                             {"de1", "aggregate", "", {}}});
  REQUIRE(votes.size() == 2);
  CHECK(votes.at("de0").shares == std::vector<double>{0.75, 0.25});
  CHECK(votes.at("de0").n_annotators == 4);
  CHECK(votes.at("de0").gold == labelprobe::Labels{0});
  CHECK(votes.at("de1").shares == std::vector<double>{0.0, 1.0});
  CHECK(votes.at("de1").gold.empty());
  CHECK(mean_shares(votes) == std::vector<double>{0.375, 0.625});
}

TEST_CASE("Examples without an annotator or an aggregate are left out", "[votes]") {
  CHECK(count({{"de0", "aggregate", "", {0}}, {"de1", "ann1", "", {0}}}).empty());
  CHECK(mean_shares({}).empty());
}

TEST_CASE("Base rates of items are the shares that have each label", "[votes]") {
  CHECK(mean_labels({{{"de0", "aggregate", "", {0}},
                      {"de1", "aggregate", "", {0, 1}},
                      {"de2", "aggregate", "", {}},
                      {"de3", "aggregate", "", {0}}}},
                    kVotedEmotions) == std::vector<double>{0.75, 0.25});
}

TEST_CASE("A vote outside the label set is a bug of the caller", "[votes]") {
  CHECK_THROWS_AS(count({{"de0", "ann1", "", {2}}}), labelprobe::InternalError);
}
