#include "labelprobe/analysis/alignment.h"

#include <array>
#include <cmath>
#include <set>

#include "labelprobe/core/error.h"

#include "analysis/fixture_json.h"
#include "support/catch.h"

using labelprobe::DataError;
using labelprobe::LabelKind;
using labelprobe::Labels;
using labelprobe::LabelSet;
using labelprobe::analysis::align;
using labelprobe::analysis::align_labels;
using labelprobe::analysis::Alignment;
using labelprobe::analysis::constant_estimates;
using labelprobe::analysis::Difference;
using labelprobe::analysis::Distributions;
using labelprobe::analysis::LabelNumbers;
using labelprobe::analysis::Measured;
using labelprobe::analysis::Metric;
using labelprobe::analysis::metrics;
using labelprobe::analysis::paired_bootstrap;
using labelprobe::analysis::Votes;
using nlohmann::json;

namespace {

// Ids whose order is that of the rows.
std::string id_of(std::size_t row) {
  return "de" + std::to_string(100 + row);
}

LabelNumbers probs_of(const json& rows) {
  LabelNumbers probs;
  for (std::size_t i = 0; i < rows.size(); ++i)
    probs[id_of(i)] = rows[i].get<std::vector<double>>();
  return probs;
}

Votes votes_of_fixture(const json& fixture) {
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

void check_mean(const Measured& found, const json& wanted) {
  REQUIRE(found.value);
  CHECK(*found.value == Approx(wanted["value"].get<double>()).epsilon(1e-12).margin(1e-12));
  if (found.by_example.size() == 1) {  // the reference says 0 there, as if it were known
    CHECK_FALSE(found.standard_error);
    return;
  }
  REQUIRE(found.standard_error);
  CHECK(*found.standard_error ==
        Approx(wanted["standard_error"].get<double>()).epsilon(1e-10).margin(1e-12));
}

const Metric* metric_of(std::string_view name) {
  for (const Metric& metric : metrics()) {
    if (metric.name == name) return &metric;
  }
  return nullptr;
}

double value_of(const Alignment& alignment, std::string_view metric) {
  const Measured* measured = alignment.find(metric);
  REQUIRE(measured);
  return measured->value.value();
}

void check_difference(const Difference& found, const json& wanted) {
  CHECK(found.value == Approx(wanted["value"].get<double>()).epsilon(1e-10).margin(1e-12));
  CHECK(found.low == Approx(wanted["low"].get<double>()).epsilon(1e-10).margin(1e-12));
  CHECK(found.high == Approx(wanted["high"].get<double>()).epsilon(1e-10).margin(1e-12));
}

}  // namespace

TEST_CASE("Alignment and its bootstrap are those of numpy, scipy and scikit-learn", "[alignment]") {
  const json fixture = labelprobe::analysis::read_fixture("alignment.json");
  for (const json& wanted : fixture["cases"]) {
    INFO(wanted["name"]);
    const LabelKind kind =
        wanted["kind"] == "multi" ? LabelKind::MultiLabel : LabelKind::SingleLabel;
    const LabelSet label_set = labels_of(wanted["probs"][0].size(), kind);
    const Votes votes = votes_of_fixture(wanted);
    const Alignment ours = align({"ours", probs_of(wanted["probs"])}, votes, label_set);
    CHECK(ours.example_ids.size() == wanted["probs"].size());
    CHECK(ours.n_without_votes == 0);
    const Alignment others = align({"others", probs_of(wanted["other_probs"])}, votes, label_set);
    const json& bootstrap = wanted["bootstrap"];
    const auto difference = paired_bootstrap(
        ours, others, {bootstrap["n_resamples"], bootstrap["seed"], bootstrap["level"]});
    REQUIRE(difference);
    CHECK(difference->n_examples == wanted["probs"].size());
    // Every metric there is has reference numbers.
    REQUIRE_FALSE(ours.metrics.empty());
    for (const Measured& measured : ours.metrics) {
      const std::string name(measured.metric->name);
      INFO(name);
      check_mean(measured, wanted[name]);
      REQUIRE(difference->find(name));
      check_difference(*difference->find(name), bootstrap[name]);
    }
  }
}

// A number, a mean with its error, or null where it is not defined.
void check_measured(const Measured& found, const json& wanted) {
  REQUIRE(found.value.has_value() == !wanted.is_null());
  if (wanted.is_object()) {
    check_mean(found, wanted);
  } else if (found.value) {
    CHECK(*found.value == Approx(wanted.get<double>()).epsilon(1e-12).margin(1e-12));
    CHECK_FALSE(found.standard_error);
  }
}

TEST_CASE("What a metric says of single labels is scikit-learn's and numpy's", "[alignment]") {
  std::size_t n_undefined = 0;
  const json fixture = labelprobe::analysis::read_fixture("alignment.json");
  for (const json& wanted : fixture["cases"]) {
    INFO(wanted["name"]);
    const LabelKind kind =
        wanted["kind"] == "multi" ? LabelKind::MultiLabel : LabelKind::SingleLabel;
    const LabelSet label_set = labels_of(wanted["probs"][0].size(), kind);
    const auto labels =
        align_labels({"ours", probs_of(wanted["probs"])}, votes_of_fixture(wanted), label_set);
    REQUIRE(labels.size() == wanted["labels"].size());
    for (std::size_t label = 0; label < labels.size(); ++label) {
      INFO("label " << label);
      CHECK(labels[label].example_ids.size() == wanted["probs"].size());
      CHECK(labels[label].metrics.size() == wanted["labels"][label].size());
      for (const Measured& measured : labels[label].metrics) {
        INFO(measured.metric->name);
        check_measured(measured, wanted["labels"][label][std::string(measured.metric->name)]);
        n_undefined += measured.value ? 0 : 1;
      }
    }
  }
  CHECK(n_undefined > 0);
}

TEST_CASE("Terms of the labels sum to the metrics that are sums over labels", "[alignment]") {
  const LabelSet label_set = labels_of(2, LabelKind::MultiLabel);
  const Votes votes = {{"de0", {{0.25, 1.0}, 4, {1}}}, {"de1", {{0.5, 0.0}, 4, {}}}};
  const Distributions estimates{"mine", {{"de0", {0.9, 0.2}}, {"de1", {0.4, 0.1}}}};
  const Alignment all = align(estimates, votes, label_set);
  const std::vector<Alignment> labels = align_labels(estimates, votes, label_set);
  for (const char* metric : {"nll", "l1", "brier"}) {
    CHECK(value_of(labels[0], metric) + value_of(labels[1], metric) ==
          Approx(value_of(all, metric)));
  }
  CHECK_FALSE(all.find("auc"));
}

TEST_CASE("Every metric has a name of its own and says something", "[alignment]") {
  std::set<std::string_view> names;
  for (const Metric& metric : metrics()) {
    CHECK(names.insert(metric.name).second);
    CHECK((metric.of_example || metric.of_label));
    CHECK_FALSE(metric.summary.empty());
  }
}

TEST_CASE("Hard predictions obey NLL = 18.42 L1, as the published cells do", "[alignment]") {
  const LabelSet label_set = labels_of(3, LabelKind::MultiLabel);
  const Votes votes = {{"de0", {{0.25, 1.0, 0.0}, 4, {1}}}, {"de1", {{0.5, 0.5, 0.75}, 4, {}}}};
  const double epsilon = 1e-8;
  const LabelNumbers hard = {{"de0", {1 - epsilon, 1 - epsilon, epsilon}},
                             {"de1", {epsilon, 1 - epsilon, epsilon}}};
  const Alignment alignment = align({"hard", hard}, votes, label_set);
  const double l1 = value_of(alignment, "l1");
  CHECK(l1 == Approx((0.75 + 1.75) / 2));
  CHECK(value_of(alignment, "nll") == Approx(-std::log(1e-8) * l1).epsilon(1e-7));
}

TEST_CASE("Estimated examples without votes are counted, voted ones without estimate are not asked",
          "[alignment]") {
  const LabelSet label_set = labels_of(1, LabelKind::MultiLabel);
  const Votes votes = {{"de0", {{0.5}, 2, {}}}, {"de9", {{1.0}, 2, {0}}}};
  const Alignment alignment =
      align({"some", {{"de0", {0.5}}, {"de1", {0.5}}, {"de2", {0.5}}}}, votes, label_set);
  CHECK(alignment.example_ids == std::vector<std::string>{"de0"});
  CHECK(alignment.n_without_votes == 2);
  CHECK(value_of(alignment, "nll") == Approx(std::log(2.0)));
  CHECK_FALSE(alignment.find("nll")->standard_error);  // of one example nobody knows it
  CHECK_THROWS_WITH(align({"some", {{"de1", {0.5}}}}, votes, label_set),
                    ContainsSubstring("some: expected examples that people voted on"));
  CHECK_THROWS_AS(align({"none", {}}, votes, label_set), DataError);
}

TEST_CASE("Rounding does not decide ties", "[alignment]") {
  const double rounding = 1e-15;
  const Votes nobody = {{"de0", {{0.0, 0.0}, 2, {}}}};
  const LabelSet labels = labels_of(2, LabelKind::MultiLabel);
  const auto f1_of = [](const std::vector<double>& probs, const Votes& votes,
                        const LabelSet& label_set) {
    return value_of(align({"mine", {{"de0", probs}}}, votes, label_set), "f1");
  };
  CHECK(f1_of({0.5 + rounding, 0.5}, nobody, labels) == 1.0);
  CHECK(f1_of({0.5 + 1e-5, 0.5}, nobody, labels) == 0.0);

  const Votes first = {{"de0", {{1.0, 0.0}, 2, {0}}}};
  const LabelSet classes = labels_of(2, LabelKind::SingleLabel);
  CHECK(f1_of({0.5, 0.5 + rounding}, first, classes) == 1.0);
  CHECK(f1_of({0.5, 0.5 + 1e-5}, first, classes) == 0.0);
}

TEST_CASE("The constant predictor says the same of every example", "[alignment]") {
  const Votes votes = {{"de0", {{0.5, 0.0}, 2, {}}}, {"de1", {{1.0, 0.5}, 2, {0}}}};
  const Distributions constant = constant_estimates({0.75, 0.25}, votes);
  CHECK(constant == Distributions{"constant", {{"de0", {0.75, 0.25}}, {"de1", {0.75, 0.25}}}});
}

// nll and f1 of examples, by id.
Alignment alignment_of(const std::map<std::string, std::array<double, 2>>& examples) {
  Alignment alignment;
  alignment.metrics.resize(2);
  alignment.metrics[0].metric = metric_of("nll");
  alignment.metrics[1].metric = metric_of("f1");
  for (const auto& [id, numbers] : examples) {
    alignment.example_ids.push_back(id);
    for (std::size_t i = 0; i < 2; ++i) alignment.metrics[i].by_example.push_back(numbers[i]);
  }
  return alignment;
}

TEST_CASE("The bootstrap pairs the examples that both methods have", "[alignment]") {
  const Alignment a = alignment_of({{"de0", {1.0, 1.0}}, {"de1", {5.0, 1.0}}, {"de3", {9.0, 9.0}}});
  const Alignment b = alignment_of({{"de0", {0.5, 2.0}}, {"de1", {4.5, 2.0}}, {"de2", {7.0, 7.0}}});
  const auto difference = paired_bootstrap(a, b, {.n_resamples = 50, .seed = 1});
  REQUIRE(difference);
  CHECK(difference->n_examples == 2);
  // The same on every example, so on every resample.
  CHECK(difference->find("nll")->low == 0.5);
  CHECK(difference->find("nll")->high == 0.5);
  CHECK(difference->find("f1")->value == -1.0);
  CHECK_FALSE(difference->find("l1"));
  CHECK_FALSE(paired_bootstrap(a, alignment_of({{"de2", {}}}), {.n_resamples = 50, .seed = 1}));
}
