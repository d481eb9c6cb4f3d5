// What the reference logs of the end-to-end test do not reach: which steps count, and errors.
#include "labelprobe/analysis/run_comparison.h"

#include <limits>

#include "labelprobe/analysis/comparison_report.h"
#include "labelprobe/core/error.h"

#include "support/catch.h"

namespace labelprobe::analysis {
namespace {

using record::ItemRecord;
using Items = std::vector<ItemRecord>;

// An item with these probabilities of joy at its steps; the other label is fear.
ItemRecord item_of(const std::string& key,
                   const std::vector<float>& joy,
                   const TokenIds& ids = {5, 6, 7}) {
  ItemRecord item;
  item.key = key;
  item.query_text = "text of " + key;
  item.outs_ids = ids;
  for (const float prob : joy) {
    record::LabelStep& step = item.label_steps.emplace_back();
    step.logged_probs = {{"fear", 1.0F - prob}, {"joy", prob}};
  }
  if (!joy.empty()) {
    item.label_steps[0].index = 1;
  }
  return item;
}

record::LoggedRun run_of(const std::string& folder, const Items& items) {
  record::LoggedRun run;
  run.folder = folder;
  run.items = items;
  return run;
}

RunComparison compare(const Items& a, const Items& b) {
  return compare_runs(run_of("run A", a), run_of("run B", b));
}

std::vector<bool> prefixes(const ItemRecord& a, const ItemRecord& b) {
  const RunComparison comparison = compare({a}, {b});
  std::vector<bool> equal;
  for (const ComparedStep& step : comparison.items[0].steps) {
    equal.push_back(step.has_equal_prefix);
  }
  return equal;
}

TEST_CASE("Only steps after the same tokens are compared", "[analysis]") {
  using Flags = std::vector<bool>;
  const auto a = item_of("x", {0.9F, 0.8F, 0.7F});
  CHECK(prefixes(a, item_of("x", {0.8F, 0.7F, 0.6F})) == Flags{true, true, true});
  // The first label differs: what follows answers another question.
  CHECK(prefixes(a, item_of("x", {0.4F, 0.7F, 0.6F}, {5, 9, 7})) == Flags{true, false, false});
  CHECK(prefixes(a, item_of("x", {0.8F, 0.3F, 0.6F}, {5, 6, 9})) == Flags{true, true, false});
  // Tokens before the first label differ.
  CHECK(prefixes(a, item_of("x", {0.8F, 0.7F, 0.6F}, {9, 6, 7})) == Flags{false, false, false});
  // Some token that is no label differs later on; the log does not tell where the steps are.
  CHECK(prefixes(a, item_of("x", {0.8F, 0.7F, 0.6F}, {5, 6, 9})) == Flags{true, false, false});
  // One goes on where the other ends.
  CHECK(prefixes(a, item_of("x", {0.8F, 0.7F, 0.6F}, {5, 6})) == Flags{true, true, true});
  // Logs of the published program have no token ids.
  CHECK(prefixes(item_of("x", {0.9F, 0.8F, 0.7F}, {}), item_of("x", {0.9F, 0.3F, 0.7F}, {})) ==
        Flags{true, true, false});
}

TEST_CASE("A flip is a near tie if others differ by as much", "[analysis]") {
  const Items a = {item_of("x", {0.5001F}), item_of("y", {0.9F}), item_of("z", {0.6F})};
  const Items b = {item_of("x", {0.4999F}), item_of("y", {0.901F}), item_of("z", {0.4F})};
  const RunComparison comparison = compare(a, b);
  CHECK(comparison.usual_difference == Approx(0.001).epsilon(1e-4));
  REQUIRE(comparison.flips.size() == 2);
  CHECK(comparison.items[comparison.flips[0].item].key == "z");
  CHECK(comparison.flips[0].is_near_tie == false);
  CHECK(comparison.flips[0].margin_a == Approx(0.2));
  CHECK(comparison.flips[1].is_near_tie == true);
  CHECK(comparison.worst.front().difference == Approx(0.2));
  CHECK_THAT(describe_excesses(comparison, 0.1).front(),
             ContainsSubstring("item 'z', step 1, fear: 0.39999"));
}

TEST_CASE("A run agrees with itself", "[analysis]") {
  const Items items = {item_of("x", {0.5F, 0.25F}), item_of("y", {})};
  const RunComparison comparison = compare(items, items);
  CHECK(comparison.items.size() == 2);
  CHECK(comparison.flips.empty());
  CHECK(comparison.n_answers_apart == 0);
  REQUIRE(comparison.places.size() == 2);
  CHECK(comparison.places[0].prob_difference.max == 0.0);
  CHECK(comparison.places[0].kl.max == 0.0);
  CHECK(comparison.margins_a.quantiles.front() == 0.0);
}

TEST_CASE("Numbers that answers state are compared where both state one", "[analysis]") {
  ItemRecord a = item_of("x", {});
  ItemRecord b = item_of("x", {});
  a.reported_probs = {{"joy", 0.75F}, {"fear", 0.5F}, {"none", 0.0F}};
  b.reported_probs = {{"fear", 0.25F}, {"joy", 0.0F}};
  a.expected_probs = {{"joy", 0.5F}};
  const RunComparison comparison = compare({a}, {b});
  CHECK(comparison.labels == std::vector<std::string>{"fear", "joy", "none"});
  REQUIRE(comparison.items[0].steps.size() == 1);
  const ComparedStep& step = comparison.items[0].steps[0];
  CHECK(step.place == "reported");
  CHECK(step.labels == std::vector<std::string>{"fear", "joy"});
  CHECK(step.largest == 0.75);
  CHECK(step.l1 == 1.0);
  CHECK(step.has_flipped);
  CHECK(comparison.items[0].stated_only_a == std::vector<std::string>{"none"});
  CHECK(comparison.items[0].stated_only_b.empty());
  CHECK(comparison.margins_a.n_items == 0);  // no label step
  const std::vector<std::string> excesses = describe_excesses(comparison, 0.8);
  REQUIRE(excesses.size() == 1);
  CHECK(excesses[0] == "number stated only in A: 1 item, the first 'x'");
}

TEST_CASE("Runs that asked in different ways are not compared", "[analysis]") {
  record::LoggedRun a = run_of("run A", {item_of("x", {0.5F})});
  record::LoggedRun b = a;
  b.folder = "run B";
  a.plan = "baseline";
  CHECK(compare_runs(a, b).items.size() == 1);  // an older log does not tell its plan
  b.plan = "verbalized";
  CHECK_THROWS_AS(compare_runs(a, b), DataError);
  CHECK_THROWS_WITH(compare_runs(a, b),
                    ContainsSubstring("expected two runs of one distribution, found baseline items "
                                      "in run A, experiment 0 and verbalized items in run B"));
}

TEST_CASE("Items that cannot be compared are named", "[analysis]") {
  const auto fails = [](const Items& a, const Items& b, const std::string& message) {
    CHECK_THROWS_WITH(compare(a, b), ContainsSubstring(message));
    CHECK_THROWS_AS(compare(a, b), DataError);
  };
  const ItemRecord x = item_of("x", {0.5F});
  fails({x}, {}, "run B, experiment 0: expected items, found none");
  fails({x}, {item_of("y", {0.5F})},
        "none in common: run A, experiment 0 has 'x', ..., run B, experiment 0 has 'y', ...");
  fails({x, x}, {x}, "run A, experiment 0: item 'x': expected once, found twice");
  fails({x, item_of("x_unary_joy", {0.5F})}, {x},
        "run A, experiment 0: expected items of one kind, found 'x' and 'x_unary_joy'");
  fails({x}, {item_of("x_unary_joy", {0.5F})}, "unary items in run B");
  fails({item_of("x", {1.5F})}, {x}, "item 'x': expected a probability for");
  fails({item_of("x", {std::numeric_limits<float>::quiet_NaN()})}, {x},
        "item 'x': expected a probability for");
  ItemRecord other = x;
  other.query_text = "another text";
  fails({x}, {other}, "have the same ids but other texts");
  ItemRecord failed = x;
  failed.failure = "too long";
  fails({x}, {failed}, "0 failed in run A, experiment 0 and 1 in run B");
  ItemRecord incomplete = item_of("y", {0.5F});
  incomplete.label_steps[0].logged_probs.pop_back();
  fails({x, item_of("y", {0.5F})}, {x, incomplete},
        "expected as many labels in both runs, found 2 and 1");
  ItemRecord renamed = x;
  renamed.label_steps[0].logged_probs[0].first = "anger";
  fails({x}, {renamed}, "only in run A, experiment 0: fear; only in run B, experiment 0: anger");
}

}  // namespace
}  // namespace labelprobe::analysis
