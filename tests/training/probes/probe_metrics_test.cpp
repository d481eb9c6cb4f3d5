#include "training/probes/probe_metrics.h"

#include "support/catch.h"

namespace labelprobe::training {
namespace {

const LabelSet kLabels({"joy", "fear", "anger"}, LabelKind::MultiLabel);

}  // namespace

TEST_CASE("The first label is the one whose name comes first in the answer", "[unit]") {
  CHECK(first_label("fear and joy", kLabels) == 1);
  CHECK(first_label(R"({"label": ["anger", "fear"]})", kLabels) == 2);
  CHECK_FALSE(first_label("none", kLabels).has_value());
}

TEST_CASE("Without its first label an item whose answer names none is left out", "[unit]") {
  const std::vector<ProbedLabels> items = {{.gold = {0},
                                            .predicted = Labels{1, 2},
                                            .by_gold_probe = {0},
                                            .by_predicted_probe = {2},
                                            .answer = "fear, anger"},
                                           {.gold = {},
                                            .predicted = Labels{},
                                            .by_gold_probe = {},
                                            .by_predicted_probe = {0},
                                            .answer = "nothing"}};
  const auto metrics = predicted_metrics(items, kLabels);
  CHECK(metrics.at("js_nonfirst") == 1.0);
  CHECK(metrics.at("micro_f1_nonfirst") == 1.0);
  CHECK(metrics.at("macro_f1_nonfirst") == 0.5);  // anger moved up to the second of two columns
  CHECK(metrics.at("macro_f1_nonfirst_by_label") == Approx(1.0 / 3.0));
  CHECK(metrics.at("js_nonzero") == 0.5);
  CHECK(metrics.at("js") == 0.25);
  const auto of_none = predicted_metrics({&items[1], 1}, kLabels);
  CHECK(of_none.size() == 3);  // no item predicts or names a label
}

TEST_CASE(
    "A single-label item without an answer is wrong for the model, and not asked of its probe",
    "[unit]") {
  const LabelSet classes({"a", "b"}, LabelKind::SingleLabel);
  const std::vector<ProbedLabels> items = {{.gold = {0},
                                            .predicted = Labels{0},
                                            .by_gold_probe = {0},
                                            .by_predicted_probe = {0},
                                            .answer = "a"},
                                           {.gold = {1},
                                            .predicted = std::nullopt,
                                            .by_gold_probe = {1},
                                            .by_predicted_probe = {0},
                                            .answer = "?"}};
  CHECK(gold_metrics(items, classes).at("llm_accuracy") == 0.5);
  CHECK(gold_metrics(items, classes).at("accuracy") == 1.0);
  CHECK(predicted_metrics(items, classes).at("accuracy") == 1.0);
}

}  // namespace labelprobe::training
