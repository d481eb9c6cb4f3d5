#include "analysis/compare/comparison_numbers.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "labelprobe/python/quantile.h"

namespace labelprobe::analysis {

namespace {

Spread spread_of(std::vector<double> numbers) {
  if (numbers.empty()) return {};
  std::sort(numbers.begin(), numbers.end());
  const double sum = std::accumulate(numbers.begin(), numbers.end(), 0.0);
  return {numbers.back(), python::quantile(numbers, 0.99),
          sum / static_cast<double>(numbers.size())};
}

double logprob(double prob) {
  return std::log(std::max(prob, kSmallestProb));
}

// The numbers of one place while they are collected.
struct Place {
  PlaceSummary summary;
  std::vector<double> probs;
  std::vector<double> logprobs;
  std::vector<double> l1;
  std::vector<double> kl;

  void add(const ComparedStep& step) {
    if (!step.has_equal_prefix) {
      ++summary.n_other_prefix;
      return;
    }
    ++summary.n_items;
    for (std::size_t i = 0; i < step.labels.size(); ++i) {
      probs.push_back(std::abs(step.probs_a[i] - step.probs_b[i]));
      logprobs.push_back(std::abs(logprob(step.probs_a[i]) - logprob(step.probs_b[i])));
    }
    l1.push_back(step.l1);
    kl.push_back(step.kl);
    summary.n_flips += step.has_flipped ? 1 : 0;
  }

  PlaceSummary finish() {
    summary.n_probs = probs.size();
    summary.prob_difference = spread_of(std::move(probs));
    summary.logprob_difference = spread_of(std::move(logprobs));
    summary.l1 = spread_of(std::move(l1));
    summary.kl = spread_of(std::move(kl));
    return summary;
  }
};

// Label steps in their order, then the other places.
std::vector<PlaceSummary> summarize_places(const std::vector<ComparedItem>& items) {
  std::vector<Place> steps;
  std::vector<Place> others;
  for (const ComparedItem& item : items) {
    std::size_t n_steps = 0;
    for (const ComparedStep& step : item.steps) {
      std::vector<Place>& places = is_label_step(step) ? steps : others;
      auto place = std::find_if(places.begin(), places.end(), [&](const Place& known) {
        return known.summary.place == step.place;
      });
      if (is_label_step(step)) {
        place = steps.begin() + static_cast<std::ptrdiff_t>(std::min(n_steps++, steps.size()));
      }
      if (place == places.end()) {
        place = places.insert(places.end(), Place{});
        place->summary.place = step.place;
      }
      place->add(step);
    }
  }
  std::vector<PlaceSummary> summaries;
  for (std::vector<Place>* places : {&steps, &others}) {
    for (Place& place : *places) summaries.push_back(place.finish());
  }
  return summaries;
}

Margins margins_of(const std::vector<ComparedItem>& items,
                   std::vector<double> ComparedStep::*probs) {
  std::vector<double> margins;
  for (const ComparedItem& item : items) {
    if (!item.steps.empty() && is_label_step(item.steps.front())) {
      margins.push_back(leader_of(item.steps.front().*probs).margin);
    }
  }
  std::sort(margins.begin(), margins.end());
  Margins summary{margins.size(), {}};
  if (!margins.empty()) {
    for (const double share : kMarginShares)
      summary.quantiles.push_back(python::quantile(margins, share));
  }
  return summary;
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

// Unset if nothing that speaks of labels differs.
std::optional<Flip> find_flip(const ComparedItem& item, std::size_t position) {
  Flip flip;
  flip.item = position;
  flip.have_predictions_flipped = sorted(item.predictions_a) != sorted(item.predictions_b);
  for (const ComparedStep& step : item.steps) {
    if (!is_label_step(step) || !step.has_flipped) continue;
    const Leader a = leader_of(step.probs_a);
    const Leader b = leader_of(step.probs_b);
    const bool is_same = a.label == b.label;  // one of them is a tie
    const std::size_t label_a = is_same && b.margin != 0.0 ? a.second : a.label;
    const std::size_t label_b = is_same && b.margin == 0.0 ? b.second : b.label;
    flip.has_first_label_flipped = step.place == "1";
    flip.place = step.place;
    flip.label_a = step.labels[label_a];
    flip.label_b = step.labels[label_b];
    flip.margin_a = a.margin;
    flip.margin_b = b.margin;
    flip.largest = step.largest;
    break;
  }
  return flip.have_predictions_flipped || !flip.place.empty() ? std::optional(flip) : std::nullopt;
}

double smaller_margin(const Flip& flip) {
  return flip.place.empty() ? -1.0 : std::min(flip.margin_a, flip.margin_b);
}

void find_flips(RunComparison& comparison) {
  for (std::size_t i = 0; i < comparison.items.size(); ++i) {
    if (const std::optional<Flip> flip = find_flip(comparison.items[i], i)) {
      comparison.flips.push_back(*flip);
      continue;
    }
    for (const ComparedStep& step : comparison.items[i].steps) {
      if (is_label_step(step) && step.has_equal_prefix) {
        comparison.usual_difference = std::max(comparison.usual_difference, step.largest);
      }
    }
  }
  for (Flip& flip : comparison.flips) {
    if (!flip.place.empty()) {
      flip.is_near_tie = smaller_margin(flip) <= comparison.usual_difference;
    }
  }
  std::stable_sort(
      comparison.flips.begin(), comparison.flips.end(),
      [](const Flip& a, const Flip& b) { return smaller_margin(a) > smaller_margin(b); });
}

void find_worst(RunComparison& comparison) {
  for (std::size_t i = 0; i < comparison.items.size(); ++i) {
    LargestDifference worst{.item = i, .difference = -1.0};
    const std::vector<ComparedStep>& steps = comparison.items[i].steps;
    for (std::size_t s = 0; s < steps.size(); ++s) {
      for (std::size_t label = 0; steps[s].has_equal_prefix && label < steps[s].labels.size();
           ++label) {
        const double difference = std::abs(steps[s].probs_a[label] - steps[s].probs_b[label]);
        if (difference > worst.difference) worst = {i, s, label, difference};
      }
    }
    if (worst.difference >= 0.0) comparison.worst.push_back(worst);
  }
  std::stable_sort(comparison.worst.begin(), comparison.worst.end(),
                   [](const LargestDifference& a, const LargestDifference& b) {
                     return a.difference > b.difference;
                   });
}

}  // namespace

void summarize(RunComparison& comparison) {
  for (const ComparedItem& item : comparison.items) {
    const bool is_apart = item.first_differing_token || item.have_other_texts;
    comparison.n_answers_apart += is_apart ? 1 : 0;
    comparison.n_one_longer += item.is_one_longer ? 1 : 0;
    comparison.n_prompts_apart += item.have_other_prompts ? 1 : 0;
  }
  comparison.places = summarize_places(comparison.items);
  comparison.margins_a = margins_of(comparison.items, &ComparedStep::probs_a);
  comparison.margins_b = margins_of(comparison.items, &ComparedStep::probs_b);
  find_flips(comparison);
  find_worst(comparison);
}

bool is_label_step(const ComparedStep& step) {
  return step.place.front() >= '0' && step.place.front() <= '9';
}

Leader leader_of(const std::vector<double>& probs) {
  Leader leader;
  leader.label = leader.second = likeliest(probs);
  double second = -1.0;
  for (std::size_t i = 0; i < probs.size(); ++i) {
    if (i != leader.label && probs[i] > second) {
      second = probs[i];
      leader.second = i;
      leader.margin = probs[leader.label] - second;
    }
  }
  return leader;
}

std::size_t likeliest(const std::vector<double>& probs) {
  return static_cast<std::size_t>(std::max_element(probs.begin(), probs.end()) - probs.begin());
}

}  // namespace labelprobe::analysis
