#include "labelprobe/record/item_record.h"

#include <limits>

#include "record/items.h"
#include "support/catch.h"

namespace labelprobe::record {
namespace {

TEST_CASE("Softmax agrees with float64 values of NumPy and survives extremes", "[item_record]") {
  // numpy 2: exp(x - max) / sum in float64 for x = [1, 2, 3].
  const std::vector<float> probs = softmax(std::vector<float>{1, 2, 3});
  CHECK(probs[0] == Approx(0.09003057317038046).epsilon(1e-6));
  CHECK(probs[1] == Approx(0.24472847105479767).epsilon(1e-6));
  CHECK(probs[2] == Approx(0.6652409557748219).epsilon(1e-6));
  const std::vector<float> far =
      softmax(std::vector<float>{30000, -30000, -std::numeric_limits<float>::infinity()});
  CHECK(far[0] == 1.0F);
  CHECK(far[1] == 0.0F);
  CHECK(far[2] == 0.0F);
  CHECK(softmax(std::vector<float>{}).empty());
}

TEST_CASE("A step's probabilities follow from its logits unless a log has its own",
          "[item_record]") {
  LabelStep step;
  step.logits = {{"joy", 2.0F}, {"fear", 1.0F}, {"none", 3.0F}};
  const LabelValues probs = label_probs(step);
  REQUIRE(probs.size() == 3);
  CHECK(probs[0].first == "joy");
  CHECK(probs[0].second == softmax(std::vector<float>{2, 1, 3})[0]);
  CHECK(probs[2].second == Approx(0.6652409557748219).epsilon(1e-6));
  step.logged_probs = {{"fear", 0.25F}, {"joy", 0.75F}};
  CHECK(label_probs(step) == step.logged_probs);
}

TEST_CASE("An item without a label step has stand-ins and its first tokens", "[item_record]") {
  ItemRecord item = make_item("a");
  CHECK(item.first_probs() == item.label_steps[0].logged_probs);
  CHECK(item.first_logits() == item.label_steps[0].logits);
  CHECK(item.likely_tokens() == item.label_steps[0].likely_tokens);
  item.label_steps.clear();
  item.stand_in_probs = {{"joy", 0.5F}, {"fear", 0.5F}};
  item.opening_tokens = {{"Well", 9.0F}};
  CHECK(item.first_probs() == item.stand_in_probs);
  CHECK(item.first_logits().empty());
  CHECK(item.first_label_index() == 3);
  CHECK(item.likely_tokens() == item.opening_tokens);
}

TEST_CASE("Rounding touches logits and probabilities, each for itself", "[item_record]") {
  ItemRecord item = make_word_item("a_unary_joy");
  LabelStep& step = item.label_steps[0];
  step.logits = {{"reasonable", 2.53F}, {"unreasonable", -1.07F}};
  step.logged_probs.clear();
  const float prob = label_probs(step)[0].second;  // 0.9734
  REQUIRE(prob == Approx(0.97340F).epsilon(1e-4));
  item.readouts = {make_readout("marginal_exact")};
  const ItemRecord before = item;
  round_numbers(item, 1);
  CHECK(item.readouts[0].upper[0].second == 0.6F);
  CHECK(item.readouts[0].empty == 0.1F);
  CHECK(item.readouts[0].sets[1].prob == 0.1F);
  CHECK(item.readouts[0].slots[0].probs[0].second == 0.8F);
  CHECK(item.readouts[0].slots[1].label_mass == 0.5F);
  CHECK(step.logits[1].second == -1.1F);
  CHECK(label_probs(step)[0].second == 1.0F);
  CHECK(step.log_sum_exp == 13.5F);
  CHECK(step.likely_tokens[0].logit == 12.3F);
  CHECK(item.first_answer->spaced_probs[1].second == 0.0F);
  CHECK(item.greedy_answer->bare_probs[0].second == 0.3F);
  CHECK(item.n_prompt_tokens == before.n_prompt_tokens);
  CHECK(item.outs_ids == before.outs_ids);
}

}  // namespace
}  // namespace labelprobe::record
