// Validity of runs whose numbers are written down here.
#include "labelprobe/analysis/validity.h"

#include <cmath>
#include <map>

#include "support/catch.h"

namespace labelprobe::analysis {
namespace {

using record::AnswerSource;
using record::ItemRecord;
using record::ReadoutValues;

// A label's probability is of a vocabulary whose logits have the log-sum-exp 0.
float logit(double prob) {
  return static_cast<float>(std::log(prob));
}

ItemRecord listing(double joy, double fear, std::vector<std::string> predictions) {
  ItemRecord item;
  item.key = "a";
  item.predictions = std::move(predictions);
  item.answer_source = AnswerSource::Listed;
  record::LabelStep& step = item.label_steps.emplace_back();
  step.index = 3;
  step.logits = {{"joy", logit(joy)}, {"fear", logit(fear)}};
  step.other_logits = {{"joy", logit(0.05)}, {"fear", logit(0.05)}};  // one token for both
  step.log_sum_exp = 0.0F;
  return item;
}

std::map<std::string, ValidityRow> measured(const std::vector<ItemRecord>& items) {
  std::map<std::string, ValidityRow> rows;
  for (const ValidityRow& row : measure_validity(items)) {
    CHECK(rows.emplace(row.name, row).second);
  }
  return rows;
}

}  // namespace

TEST_CASE("Validity of answers that list labels", "[validity]") {
  std::vector<ItemRecord> items = {listing(0.5, 0.25, {"joy"}), listing(0.1, 0.2, {"joy"}),
                                   listing(0.3, 0.4, {"fear", "joy"})};
  items[1].label_steps[0].index = 6;
  items[1].answer_source = AnswerSource::Searched;
  ItemRecord& silent = items.emplace_back();
  silent.key = "b";
  silent.answer_source = AnswerSource::Nothing;
  silent.is_cut_off = true;
  ItemRecord& failed = items.emplace_back();
  failed.key = "c";
  failed.failure = "too long";
  const auto rows = measured(items);
  CHECK(rows.at("items that failed").value == Approx(0.2));
  CHECK(rows.at("answers in the format asked for").value == Approx(0.5));
  CHECK(rows.at("answers in the format asked for").n == 4);
  CHECK(rows.at("answers whose labels were searched for").value == Approx(0.25));
  CHECK(rows.at("answers that say nothing").value == Approx(0.25));
  CHECK(rows.at("answers cut off inside what may be a label").value == Approx(0.25));
  CHECK(rows.at("answers without a label step").value == Approx(0.25));
  CHECK(rows.at("tokens before the first label step, mean").value == Approx(4));
  CHECK(rows.at("tokens before the first label step, largest").value == 6);
  const ValidityRow& mass = rows.at("label mass at the first label step, mean");
  CHECK(mass.n == 3);
  CHECK(mass.value == Approx((0.8 + 0.35 + 0.75) / 3));
  CHECK_FALSE(mass.is_doubtful);
  CHECK(rows.at("label mass below 0.5 there").value == Approx(1.0 / 3));
  CHECK(rows.at("the likeliest first token's label is not what the text names").value ==
        Approx(1.0 / 3));
}

TEST_CASE("A line about a run has what one should know of its numbers", "[validity]") {
  const std::vector<ItemRecord> items = {listing(0.5, 0.25, {"joy"}), listing(0.1, 0.2, {"joy"})};
  CHECK(describe_briefly(measure_validity(items)) ==
        "without a label 0.0%, tokens before it 3, label mass 0.575, first token against text "
        "50.0%");
  ItemRecord word;
  word.key = "a_unary_joy";
  word.first_answer = {{{"yes", 0.01F}, {"no", 0.02F}}, {{"yes", 0.0F}, {"no", 0.01F}}, false};
  word.healed_answer = {{{"yes", 0.5F}, {"no", 0.25F}}, {{"yes", 0.0F}, {"no", 0.0F}}, true};
  CHECK(describe_briefly(measure_validity({&word, 1})) ==
        "without a label 100.0%, mass first 0.04, mass healed 0.75, first against healed 100.0%");
  CHECK(describe_briefly({}).empty());
}

TEST_CASE("A low label mass is doubtful", "[validity]") {
  const auto rows = measured({listing(0.1, 0.2, {"fear"})});
  CHECK(rows.at("label mass at the first label step, mean").is_doubtful);
  CHECK(rows.at("label mass below 0.5 there").is_doubtful);
  ItemRecord old = listing(0.1, 0.2, {"fear"});
  old.label_steps[0].log_sum_exp.reset();
  CHECK_FALSE(measured({old}).contains("label mass at the first label step, mean"));
}

TEST_CASE("Validity of answers of one word", "[validity]") {
  ItemRecord item;
  item.key = "a_unary_joy";
  item.greedy_answer = {{{"yes", 0.5F}, {"no", 0.25F}}, {{"yes", 0.0F}, {"no", 0.0F}}, true};
  item.first_answer = {{{"yes", 0.01F}, {"no", 0.02F}}, {{"yes", 0.0F}, {"no", 0.01F}}, false};
  item.healed_answer = {{{"yes", 0.1F}, {"no", 0.3F}}, {{"yes", 0.5F}, {"no", 0.1F}}, true};
  ItemRecord unanswered = item;
  unanswered.greedy_answer.reset();
  const auto rows = measured({item, unanswered});
  CHECK(rows.at("answer words' mass, greedy, mean").value == Approx(0.75));
  CHECK(rows.at("answer words' mass, greedy, mean").n == 1);
  CHECK(rows.at("answer words' mass, first, mean").value == Approx(0.04));
  CHECK(rows.at("answer words' mass, first, mean").is_doubtful);
  CHECK(rows.at("answer words' mass, healed, mean").value == Approx(1.0));
  CHECK(rows.at("an answer word is the likeliest token, first").value == 0);
  CHECK(rows.at("greedy and first prefer different words").value == 1);
  CHECK(rows.at("greedy and healed prefer different words").value == 0);
  CHECK(rows.at("first and healed prefer different words").n == 2);
}

TEST_CASE("Validity of readouts", "[validity]") {
  ItemRecord item = listing(0.5, 0.25, {"joy"});
  ReadoutValues& exact = item.readouts.emplace_back();
  exact.name = "marginal_exact";
  exact.probs = {{"joy", 0.5F}, {"fear", 0.1F}};
  exact.lower = {{"joy", 0.4375F}, {"fear", 0.0F}};
  exact.upper = {{"joy", 0.5625F}, {"fear", 0.0625F}};
  exact.off_format = 0.25F;
  exact.unexplored = 0.125F;
  exact.label_mass = 0.75F;
  item.readouts.emplace_back().name = "mc";
  ItemRecord narrow = item;
  narrow.readouts[0].lower = narrow.readouts[0].upper;
  const auto rows = measured({item, narrow});
  CHECK(rows.at("marginal_exact: label mass, mean").value == Approx(0.75));
  CHECK(rows.at("marginal_exact: off format, mean").value == Approx(0.25));
  CHECK(rows.at("marginal_exact: unexplored, mean").value == Approx(0.125));
  CHECK(rows.at("marginal_exact: widest bounds of a label, mean").value == Approx(0.0625));
  CHECK(rows.at("marginal_exact: widest bounds of a label, largest").value == Approx(0.125));
  CHECK(
      rows.at("marginal_exact: some label is above 0.5 or below, as its bounds leave open").value ==
      Approx(0.5));
  CHECK_FALSE(rows.contains("mc: label mass, mean"));
}

}  // namespace labelprobe::analysis
