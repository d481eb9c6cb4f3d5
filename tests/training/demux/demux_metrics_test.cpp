#include "training/demux/demux_metrics.h"

#include <cmath>

#include <ATen/ATen.h>

#include "labelprobe/core/error.h"

#include "support/catch.h"

namespace labelprobe::training {

TEST_CASE("Labels are predicted from a logit of a half on, classes by the largest",
          "[training][demux]") {
  const at::Tensor logits = at::tensor({0.5F, 0.49F, -1.0F, 3.0F}).view({2, 2});
  const auto several = read_logits(logits, LabelSet({"a", "b"}, LabelKind::MultiLabel));
  CHECK(several[0].predicted == Labels{0});
  CHECK(several[0].scores[0] == Approx(1.0 / (1.0 + std::exp(-0.5))));
  CHECK(several[1].predicted == Labels{1});
  const auto one = read_logits(logits, LabelSet({"a", "b"}, LabelKind::SingleLabel));
  CHECK(one[0].predicted == Labels{0});
  CHECK(one[0].scores[0] + one[0].scores[1] == Approx(1.0));
  CHECK(one[1].predicted == Labels{1});
}

TEST_CASE("The metric that decides is macro F1, or one that there is", "[training][demux]") {
  const LabelSet several({"a", "b"}, LabelKind::MultiLabel);
  const LabelSet one({"a", "b"}, LabelKind::SingleLabel);
  DemuxSettings settings;
  CHECK(chosen_metric(settings, several) == "macro_f1");
  CHECK(chosen_metric(settings, one) == "f1");
  settings.metric = "dev_eval_accuracy";
  CHECK(chosen_metric(settings, one) == "accuracy");
  CHECK_THROWS_WITH(chosen_metric(settings, several),
                    ContainsSubstring("unknown early_stopping_metric 'dev_eval_accuracy'"));
  settings.stopping = DemuxStopping::Published;
  CHECK(chosen_metric(settings, several).empty());
}

TEST_CASE("Every published data set has its regime, others a common one", "[training][demux]") {
  CHECK(demux_regime("GoEmotions").n_epochs == 20);
  CHECK(demux_regime("GoEmotions").max_length == 128);
  CHECK(demux_regime("Hatexplain").published_metric == "f1");
  CHECK(demux_regime("TREC").n_epochs == 30);
  CHECK(demux_regimes().back().task.empty());
}

}  // namespace labelprobe::training
