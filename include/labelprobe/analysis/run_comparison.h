// How far two runs of the same prompts are apart: in the labels' probabilities, in what they
// generate and predict. Answers what another precision, device or order of computation has moved;
// says nothing about which of the two is right. Called by `labelprobe compare`.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/analysis/run_items.h"

namespace labelprobe::analysis {

// The probabilities of one item at one place of its answer, in both runs.
struct ComparedStep {
  // "1", "2", ...: label steps, softmax over the labels. "first", "healed": answer words there (see
  // record::ItemRecord), bare and spaced together, among the whole vocabulary. "reported",
  // "expected": numbers that an answer states for labels, divided by 100, and their means where
  // they are tokens; only the labels of which both runs have one.
  std::string place;
  // The runs have generated the same before this step, as far as the logs tell; only then do both
  // answer the same question, and only then do its numbers count in any summary.
  bool has_equal_prefix = true;
  // The likeliest label differs, or is tied in one run and the other of the two was generated.
  bool has_flipped = false;
  std::vector<std::string> labels;
  std::vector<double> probs_a;  // [n_labels]
  std::vector<double> probs_b;
  double largest = 0.0;  // |p_A - p_B| of the label in which they differ most
  double l1 = 0.0;       // summed over labels
  double kl = 0.0;       // of B from A, in nats: sum of p_A ln(p_A / p_B) - p_A + p_B
};

struct ComparedItem {
  std::string key;
  std::vector<std::string> predictions_a;
  std::vector<std::string> predictions_b;
  std::vector<ComparedStep> steps;         // those that both runs have
  std::vector<std::string> stated_only_a;  // labels whose number only A's answer states
  std::vector<std::string> stated_only_b;
  // Position of the first generated token that differs; the shorter answer's length if one is the
  // beginning of the other. Unset where they are equal or a log has no token ids.
  std::optional<std::size_t> first_differing_token;
  bool is_one_longer = false;     // one answer is the beginning of the other
  bool have_other_texts = false;  // the answers' texts
  bool have_other_prompts = false;
};

struct Spread {
  double max = 0.0;
  double p99 = 0.0;  // percentile, linear between order statistics
  double mean = 0.0;
};

// One place over all items that have it with equal prefixes.
struct PlaceSummary {
  std::string place;
  std::size_t n_items = 0;
  std::size_t n_probs = 0;    // items times labels
  Spread prob_difference;     // |p_A - p_B|
  Spread logprob_difference;  // |ln p_A - ln p_B|; probabilities below 1e-12 count as 1e-12
  Spread l1;                  // of items
  Spread kl;
  std::size_t n_flips = 0;         // items whose step has flipped
  std::size_t n_other_prefix = 0;  // items that have it after different answers: left out
};

// How far the likeliest label lies before the second at the first label step, over the items.
struct Margins {
  std::size_t n_items = 0;
  std::vector<double> quantiles;  // [kMarginShares.size()]
};
inline constexpr double kMarginShares[] = {0.0, 0.01, 0.05, 0.25, 0.5};

// An item whose predictions, or whose likeliest label at a step, differ.
struct Flip {
  std::size_t item = 0;  // position in RunComparison::items
  bool have_predictions_flipped = false;
  bool has_first_label_flipped = false;
  // The step that decided, with the probabilities' leads; empty if the likeliest labels are the
  // same at every step, so that what differed is no label.
  std::string place;
  std::string label_a;
  std::string label_b;
  double margin_a = 0.0;
  double margin_b = 0.0;
  double largest = 0.0;  // difference at that step
  // The smaller margin is at most RunComparison::usual_difference.
  std::optional<bool> is_near_tie;
};

struct LargestDifference {
  std::size_t item = 0;
  std::size_t step = 0;
  std::size_t label = 0;
  double difference = 0.0;
};

struct RunComparison {
  std::vector<std::string> labels;  // or answer words; sorted
  std::vector<ComparedItem> items;  // that both runs have and neither failed at, in A's order
  std::vector<std::string> only_a;  // keys
  std::vector<std::string> only_b;
  std::vector<std::string> failed_a;
  std::vector<std::string> failed_b;
  std::vector<PlaceSummary> places;
  Margins margins_a;
  Margins margins_b;
  std::vector<Flip> flips;          // largest smaller margin first, those without a step last
  double usual_difference = 0.0;    // the largest of the items without a flip
  std::size_t n_answers_apart = 0;  // items whose generated tokens (texts, without ids) differ
  std::size_t n_one_longer = 0;     // of them those where one answer is the beginning of the other
  std::size_t n_prompts_apart = 0;
  std::vector<LargestDifference> worst;  // one per item, largest first; equal prefixes only
};

// Throws DataError (run, item, expected, found) if the runs have different distributions or labels,
// share no item that worked in both, ask the same ids about other texts, or hold repeated items or
// impossible probabilities.
RunComparison compare_runs(const record::LoggedRun& a, const record::LoggedRun& b);

}  // namespace labelprobe::analysis
