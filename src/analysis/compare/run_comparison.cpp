#include "labelprobe/analysis/run_comparison.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "analysis/compare/comparison_numbers.h"
#include "analysis/estimate/log_items.h"

namespace labelprobe::analysis {

namespace {

using record::ItemRecord;
using record::LoggedRun;

void check_plans(const LoggedRun& a, const LoggedRun& b) {
  const ItemForm& form = item_form_of(a);
  const ItemForm& other = item_form_of(b);
  const std::string_view plan = a.plan.empty() ? form.plan : a.plan;
  const std::string_view other_plan = b.plan.empty() ? other.plan : b.plan;
  if (&form != &other || plan != other_plan) {
    throw DataError(fmt::format(
        "expected two runs of one distribution, found {} items in {} and {} items in {}", plan,
        describe(a), other_plan, describe(b)));
  }
}

// The labels whose probabilities a run has; empty if it never found a label step.
std::set<std::string> labels_of(const LoggedRun& run) {
  std::set<std::string> labels;
  for (const ItemRecord& item : run.items) {
    for (const record::LabelStep& step : item.label_steps) {
      for (const auto& [name, prob] : record::label_probs(step)) labels.insert(name);
    }
  }
  return labels;
}

std::vector<std::string> missing_in(const std::set<std::string>& labels,
                                    const std::set<std::string>& others) {
  std::vector<std::string> missing;
  std::set_difference(labels.begin(), labels.end(), others.begin(), others.end(),
                      std::back_inserter(missing));
  return missing;
}

std::vector<std::string> common_labels(const LoggedRun& a, const LoggedRun& b) {
  const std::set<std::string> of_a = labels_of(a);
  const std::set<std::string> of_b = labels_of(b);
  if (!of_a.empty() && !of_b.empty() && of_a != of_b) {
    const auto only = [](const std::vector<std::string>& names, const LoggedRun& run) {
      return names.empty() ? "" : "; only in " + describe(run) + ": " + list_some(names);
    };
    throw DataError("expected the same labels in both runs" + only(missing_in(of_a, of_b), a) +
                    only(missing_in(of_b, of_a), b) +
                    ". Are they runs of different data sets or label sets?");
  }
  std::set<std::string> labels = of_a.empty() ? of_b : of_a;
  for (const LoggedRun* run : {&a, &b}) {
    for (const ItemRecord& item : run->items) {
      for (const auto& [name, prob] : item.reported_probs) labels.insert(name);
    }
  }
  return {labels.begin(), labels.end()};
}

std::unordered_map<std::string_view, const ItemRecord*> by_key(const LoggedRun& run) {
  std::unordered_map<std::string_view, const ItemRecord*> items;
  for (const ItemRecord& item : run.items) {
    if (!items.emplace(item.key, &item).second) {
      throw DataError(describe(run) + ": item '" + item.key + "': expected once, found twice");
    }
  }
  return items;
}

void measure(ComparedStep& step) {
  for (std::size_t i = 0; i < step.labels.size(); ++i) {
    const double a = step.probs_a[i];
    const double b = step.probs_b[i];
    const double difference = std::abs(a - b);
    step.largest = std::max(step.largest, difference);
    step.l1 += difference;
    // Probabilities are rounded to float32 and do not sum to 1 exactly; with the last two terms the
    // divergence is positive nevertheless.
    step.kl += a * std::log(std::max(a, kSmallestProb) / std::max(b, kSmallestProb)) - a + b;
  }
}

ComparedStep compare_step(const std::string& place,
                          const ItemRecord& a,
                          const record::LabelValues& values_a,
                          const ItemRecord& b,
                          const record::LabelValues& values_b) {
  ComparedStep step;
  step.place = place;
  for (const auto& [name, prob] : values_a) step.labels.push_back(name);
  std::sort(step.labels.begin(), step.labels.end());
  if (values_a.size() != values_b.size()) {
    throw DataError("item '" + a.key + "', step " + place +
                    ": expected as many labels in both runs, found " +
                    std::to_string(values_a.size()) + " and " + std::to_string(values_b.size()));
  }
  for (const std::string& label : step.labels) {
    step.probs_a.push_back(prob_of({{}, &a, {}}, values_a, label));
    step.probs_b.push_back(prob_of({{}, &b, {}}, values_b, label));
  }
  measure(step);
  return step;
}

// What the words hold of the whole vocabulary, with and without a space before them.
record::LabelValues word_probs(const record::AnswerReading& reading) {
  record::LabelValues probs = reading.bare_probs;
  for (auto& [word, prob] : probs) {
    if (const float* spaced = find_value(reading.spaced_probs, word)) prob += *spaced;
  }
  return probs;
}

void find_answer_difference(ComparedItem& item, const ItemRecord& a, const ItemRecord& b) {
  item.have_other_texts = a.outs != b.outs || a.prefix_outs != b.prefix_outs;
  if (a.outs_ids.empty() || b.outs_ids.empty() || a.outs_ids == b.outs_ids) return;
  const auto [at_a, at_b] =
      std::mismatch(a.outs_ids.begin(), a.outs_ids.end(), b.outs_ids.begin(), b.outs_ids.end());
  item.first_differing_token = static_cast<std::size_t>(at_a - a.outs_ids.begin());
  item.is_one_longer = at_a == a.outs_ids.end() || at_b == b.outs_ids.end();
}

// Logs tell the position of the first label step only. A later one is taken to follow the same
// tokens if no step before it has flipped, and the answers part nowhere or where a step flips.
void find_equal_prefixes(ComparedItem& item,
                         std::size_t n_steps,
                         const ItemRecord& a,
                         const ItemRecord& b) {
  const bool do_part = item.first_differing_token.has_value() && !item.is_one_longer;
  const auto parting = static_cast<std::int64_t>(item.first_differing_token.value_or(0));
  const bool do_part_before =
      do_part && parting < std::max(a.first_label_index(), b.first_label_index());
  const bool do_part_at_first =
      do_part && parting == a.first_label_index() && parting == b.first_label_index();
  bool is_equal = !do_part_before;
  bool is_explained = !do_part;
  for (std::size_t i = 0; i < n_steps; ++i) {
    ComparedStep& step = item.steps[i];
    step.has_equal_prefix = is_equal;
    if (!is_equal) continue;
    // Which of two tied labels was generated is seen from where the answers part.
    const bool is_tied =
        leader_of(step.probs_a).margin == 0.0 || leader_of(step.probs_b).margin == 0.0;
    step.has_flipped = likeliest(step.probs_a) != likeliest(step.probs_b) ||
                       (do_part && is_tied && (i > 0 || do_part_at_first));
    if (step.has_flipped || (i == 0 && do_part_at_first)) {
      is_equal = false;
      is_explained = true;
    }
  }
  for (std::size_t i = 1; i < n_steps && !is_explained; ++i) {
    item.steps[i].has_equal_prefix = false;
    item.steps[i].has_flipped = false;
  }
}

// The labels that both have numbers of, with A's numbers.
record::LabelValues common_values(const record::LabelValues& a, const record::LabelValues& b) {
  record::LabelValues common;
  for (const auto& [name, prob] : a) {
    if (find_value(b, name)) common.emplace_back(name, prob);
  }
  return common;
}

// The numbers that answers state for labels. A model may leave some out.
void compare_numbers(ComparedItem& item, const ItemRecord& a, const ItemRecord& b) {
  for (const auto& [name, prob] : a.reported_probs) {
    if (!find_value(b.reported_probs, name)) item.stated_only_a.push_back(name);
  }
  for (const auto& [name, prob] : b.reported_probs) {
    if (!find_value(a.reported_probs, name)) item.stated_only_b.push_back(name);
  }
  const auto add = [&](const char* place, const auto& of_a, const auto& of_b) {
    const record::LabelValues common_a = common_values(of_a, of_b);
    if (common_a.empty()) return;
    ComparedStep step = compare_step(place, a, common_a, b, common_values(of_b, of_a));
    step.has_flipped = likeliest(step.probs_a) != likeliest(step.probs_b);
    item.steps.push_back(std::move(step));
  };
  add("reported", a.reported_probs, b.reported_probs);
  add("expected", a.expected_probs, b.expected_probs);
}

ComparedItem compare_items(const ItemRecord& a, const ItemRecord& b) {
  ComparedItem item;
  item.key = a.key;
  item.predictions_a = a.predictions;
  item.predictions_b = b.predictions;
  item.have_other_prompts = a.query_text != b.query_text || a.checked_label != b.checked_label ||
                            (!a.prompt_fingerprint.empty() && !b.prompt_fingerprint.empty() &&
                             a.prompt_fingerprint != b.prompt_fingerprint);
  find_answer_difference(item, a, b);
  const std::size_t n_steps = std::min(a.label_steps.size(), b.label_steps.size());
  for (std::size_t i = 0; i < n_steps; ++i) {
    item.steps.push_back(compare_step(std::to_string(i + 1), a,
                                      record::label_probs(a.label_steps[i]), b,
                                      record::label_probs(b.label_steps[i])));
  }
  find_equal_prefixes(item, n_steps, a, b);
  const auto add_reading = [&](const char* place, const auto& of_a, const auto& of_b) {
    if (of_a && of_b) {
      item.steps.push_back(compare_step(place, a, word_probs(*of_a), b, word_probs(*of_b)));
      ComparedStep& step = item.steps.back();
      step.has_flipped = likeliest(step.probs_a) != likeliest(step.probs_b);
    }
  };
  add_reading("first", a.first_answer, b.first_answer);
  add_reading("healed", a.healed_answer, b.healed_answer);
  compare_numbers(item, a, b);
  return item;
}

void check_texts(const LoggedRun& a, const LoggedRun& b, std::size_t n_same_texts) {
  if (n_same_texts == 0) {
    throw DataError("expected runs over the same texts: the items that " + describe(a) + " and " +
                    describe(b) +
                    " share have the same ids but other texts. Are they of different data sets?");
  }
}

}  // namespace

RunComparison compare_runs(const LoggedRun& a, const LoggedRun& b) {
  RunComparison comparison;
  check_plans(a, b);
  const auto of_a = by_key(a);
  const auto of_b = by_key(b);
  comparison.labels = common_labels(a, b);
  std::size_t n_common = 0;
  std::size_t n_same_texts = 0;
  for (const ItemRecord& item : a.items) {
    const auto other = of_b.find(item.key);
    if (other == of_b.end()) {
      comparison.only_a.push_back(item.key);
      continue;
    }
    ++n_common;
    n_same_texts += item.query_text == other->second->query_text ? 1 : 0;
    if (item.failure) comparison.failed_a.push_back(item.key);
    if (other->second->failure) comparison.failed_b.push_back(item.key);
    if (!item.failure && !other->second->failure) {
      comparison.items.push_back(compare_items(item, *other->second));
    }
  }
  for (const ItemRecord& item : b.items) {
    if (!of_a.contains(item.key)) comparison.only_b.push_back(item.key);
  }
  if (n_common == 0) {
    throw DataError("expected runs over the same items, found none in common: " + describe(a) +
                    " has '" + a.items.front().key + "', ..., " + describe(b) + " has '" +
                    b.items.front().key + "', ...");
  }
  check_texts(a, b, n_same_texts);
  if (comparison.items.empty()) {
    throw DataError("expected items that worked in both runs, found none: of " +
                    std::to_string(n_common) + " common items " +
                    std::to_string(comparison.failed_a.size()) + " failed in " + describe(a) +
                    " and " + std::to_string(comparison.failed_b.size()) + " in " + describe(b));
  }
  summarize(comparison);
  return comparison;
}

}  // namespace labelprobe::analysis
