#include "labelprobe/analysis/alignment.h"

#include <cmath>

#include "labelprobe/core/error.h"

#include "analysis/fixture_json.h"
#include "support/catch.h"

using labelprobe::DataError;
using labelprobe::LabelKind;
using labelprobe::Labels;
using labelprobe::LabelSet;
using labelprobe::analysis::align;
using labelprobe::analysis::Alignment;
using labelprobe::analysis::AlignmentDifference;
using labelprobe::analysis::constant_estimates;
using labelprobe::analysis::Difference;
using labelprobe::analysis::Mean;
using labelprobe::analysis::paired_bootstrap;
using labelprobe::analysis::Votes;
using nlohmann::json;
using Probs = std::map<std::string, std::vector<double>>;

namespace {

// Ids whose order is that of the rows.
std::string id_of(std::size_t row) {
  return "de" + std::to_string(100 + row);
}

Probs probs_of(const json& rows) {
  Probs probs;
  for (std::size_t i = 0; i < rows.size(); ++i)
    probs[id_of(i)] = rows[i].get<std::vector<double>>();
  return probs;
}

Votes votes_of(const json& fixture) {
  Votes votes;
  for (std::size_t i = 0; i < fixture["shares"].size(); ++i) {
    Labels gold;
    for (std::size_t label = 0; label < fixture["gold"][i].size(); ++label) {
      if (fixture["gold"][i][label] == 1) gold.push_back(static_cast<int>(label));
    }
    votes[id_of(i)] = {fixture["shares"][i], 3, gold};
  }
  return votes;
}

LabelSet labels_of(std::size_t n, LabelKind kind) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < n; ++i) names.push_back("label" + std::to_string(i));
  return {names, kind};
}

void check_mean(const Mean& found, const json& wanted) {
  CHECK(found.value == Approx(wanted["value"].get<double>()).epsilon(1e-12).margin(1e-12));
  CHECK(found.standard_error ==
        Approx(wanted["standard_error"].get<double>()).epsilon(1e-10).margin(1e-12));
}

void check_difference(const Difference& found, const json& wanted) {
  CHECK(found.value == Approx(wanted["value"].get<double>()).epsilon(1e-10).margin(1e-12));
  CHECK(found.low == Approx(wanted["low"].get<double>()).epsilon(1e-10).margin(1e-12));
  CHECK(found.high == Approx(wanted["high"].get<double>()).epsilon(1e-10).margin(1e-12));
}

}  // namespace

TEST_CASE("Alignment and its bootstrap are those of numpy, scipy and scikit-learn", "[alignment]") {
  for (const json& wanted : labelprobe::analysis::read_fixture("alignment.json")["cases"]) {
    INFO(wanted["name"]);
    const LabelKind kind =
        wanted["kind"] == "multi" ? LabelKind::MultiLabel : LabelKind::SingleLabel;
    const LabelSet label_set = labels_of(wanted["probs"][0].size(), kind);
    const Votes votes = votes_of(wanted);
    const Alignment ours = align("ours", probs_of(wanted["probs"]), votes, label_set);
    CHECK(ours.examples.size() == wanted["probs"].size());
    CHECK(ours.n_without_votes == 0);
    check_mean(ours.nll, wanted["nll"]);
    check_mean(ours.l1, wanted["l1"]);
    check_mean(ours.f1, wanted["f1"]);

    const Alignment others = align("others", probs_of(wanted["other_probs"]), votes, label_set);
    const json& bootstrap = wanted["bootstrap"];
    const AlignmentDifference difference = paired_bootstrap(ours, others, bootstrap["n_resamples"],
                                                            bootstrap["seed"], bootstrap["level"]);
    CHECK(difference.n_examples == wanted["probs"].size());
    check_difference(difference.nll, bootstrap["nll"]);
    check_difference(difference.l1, bootstrap["l1"]);
    check_difference(difference.f1, bootstrap["f1"]);
  }
}

TEST_CASE("Hard predictions obey NLL = 18.42 L1, as the published cells do", "[alignment]") {
  const LabelSet label_set = labels_of(3, LabelKind::MultiLabel);
  const Votes votes = {{"de0", {{0.25, 1.0, 0.0}, 4, {1}}}, {"de1", {{0.5, 0.5, 0.75}, 4, {}}}};
  const double epsilon = 1e-8;
  const Probs hard = {{"de0", {1 - epsilon, 1 - epsilon, epsilon}},
                      {"de1", {epsilon, 1 - epsilon, epsilon}}};
  const Alignment alignment = align("hard", hard, votes, label_set);
  CHECK(alignment.l1.value == Approx((0.75 + 1.75) / 2));
  CHECK(alignment.nll.value == Approx(-std::log(1e-8) * alignment.l1.value).epsilon(1e-7));
}

TEST_CASE("Estimated examples without votes are counted, voted ones without estimate are not asked",
          "[alignment]") {
  const LabelSet label_set = labels_of(1, LabelKind::MultiLabel);
  const Votes votes = {{"de0", {{0.5}, 2, {}}}, {"de9", {{1.0}, 2, {0}}}};
  const Alignment alignment =
      align("some", {{"de0", {0.5}}, {"de1", {0.5}}, {"de2", {0.5}}}, votes, label_set);
  CHECK(alignment.examples.size() == 1);
  CHECK(alignment.n_without_votes == 2);
  CHECK(alignment.nll.value == Approx(std::log(2.0)));
  CHECK(alignment.nll.standard_error == 0.0);
  CHECK_THROWS_WITH(align("some", {{"de1", {0.5}}}, votes, label_set),
                    ContainsSubstring("some: expected examples that people voted on"));
  CHECK_THROWS_AS(align("none", {}, votes, label_set), DataError);
}

TEST_CASE("Rounding does not decide ties", "[alignment]") {
  const double rounding = 1e-15;
  const Votes nobody = {{"de0", {{0.0, 0.0}, 2, {}}}};
  const LabelSet labels = labels_of(2, LabelKind::MultiLabel);
  CHECK(align("ties", {{"de0", {0.5 + rounding, 0.5}}}, nobody, labels).f1.value == 1.0);
  CHECK(align("no ties", {{"de0", {0.5 + 1e-5, 0.5}}}, nobody, labels).f1.value == 0.0);

  const Votes first = {{"de0", {{1.0, 0.0}, 2, {0}}}};
  const LabelSet classes = labels_of(2, LabelKind::SingleLabel);
  CHECK(align("ties", {{"de0", {0.5, 0.5 + rounding}}}, first, classes).f1.value == 1.0);
  CHECK(align("no ties", {{"de0", {0.5, 0.5 + 1e-5}}}, first, classes).f1.value == 0.0);
}

TEST_CASE("The constant predictor says the same of every example", "[alignment]") {
  const Votes votes = {{"de0", {{0.5, 0.0}, 2, {}}}, {"de1", {{1.0, 0.5}, 2, {0}}}};
  const Probs constant = constant_estimates({0.75, 0.25}, votes);
  CHECK(constant == Probs{{"de0", {0.75, 0.25}}, {"de1", {0.75, 0.25}}});
}

TEST_CASE("The bootstrap pairs the examples that both methods have", "[alignment]") {
  Alignment a;
  a.name = "a";
  a.examples = {{"de0", {1.0, 1.0, 1.0}}, {"de1", {5.0, 1.0, 1.0}}, {"de3", {9.0, 9.0, 9.0}}};
  Alignment b;
  b.name = "b";
  b.examples = {{"de0", {0.5, 2.0, 1.0}}, {"de1", {4.5, 2.0, 1.0}}, {"de2", {7.0, 7.0, 7.0}}};
  const AlignmentDifference difference = paired_bootstrap(a, b, 50, 1);
  CHECK(difference.n_examples == 2);
  // The same on every example, so on every resample.
  CHECK(difference.nll.low == 0.5);
  CHECK(difference.nll.high == 0.5);
  CHECK(difference.l1.value == -1.0);
  CHECK(difference.f1.high == 0.0);
  b.examples = {{"de2", {}}};
  CHECK_THROWS_WITH(paired_bootstrap(a, b, 50, 1), ContainsSubstring("'a' and 'b'"));
}
