#include "labelprobe/data/summary.h"

#include <algorithm>
#include <unordered_map>

namespace labelprobe::data {

namespace {

void count(LabelCounts& counts, const Labels& labels) {
  ++counts.n_items;
  counts.n_without += labels.empty() ? 1 : 0;
  counts.n_several += labels.size() > 1 ? 1 : 0;
  for (const LabelIndex label : labels) {
    ++counts.n_with[static_cast<std::size_t>(label)];
  }
}

void finish(LabelCounts& counts) {
  std::size_t n_labels = 0;
  for (const std::size_t n : counts.n_with) {
    n_labels += n;
  }
  if (counts.n_items > 0) {
    counts.mean_labels = static_cast<double>(n_labels) / static_cast<double>(counts.n_items);
  }
}

std::vector<AnnotatorCount> count_annotators(const Dataset& dataset) {
  std::vector<AnnotatorCount> counts;
  std::unordered_map<std::string, std::size_t> position_of;
  for (const Example& example : dataset.examples) {
    if (example.annotator == kAggregate) {
      continue;
    }
    const auto [found, is_new] = position_of.emplace(example.annotator, counts.size());
    if (is_new) {
      counts.push_back({example.annotator, 0});
    }
    ++counts[found->second].n_items;
  }
  std::stable_sort(counts.begin(), counts.end(),
                   [](const auto& a, const auto& b) { return a.n_items > b.n_items; });
  return counts;
}

double n_pairs_of(std::size_t n) {
  return static_cast<double>(n) * (static_cast<double>(n) - 1.0) / 2.0;
}

double share_of_equal_pairs(const std::vector<const Labels*>& votes) {
  std::vector<Labels> sorted;
  for (const Labels* labels : votes) {
    sorted.push_back(*labels);
  }
  std::sort(sorted.begin(), sorted.end());
  double n_equal = 0.0;
  for (auto begin = sorted.begin(); begin != sorted.end();) {
    const auto end = std::upper_bound(begin, sorted.end(), *begin);
    n_equal += n_pairs_of(static_cast<std::size_t>(end - begin));
    begin = end;
  }
  return n_equal / n_pairs_of(votes.size());
}

std::optional<Agreement> agreement_of(const std::vector<ExampleVotes>& examples, int n_labels) {
  Agreement agreement;
  agreement.same_on_label.resize(static_cast<std::size_t>(n_labels));
  std::vector<std::size_t> n_with(agreement.same_on_label.size());
  for (const ExampleVotes& example : examples) {
    const std::size_t n_votes = example.votes.size();
    if (n_votes < 2) {
      continue;
    }
    ++agreement.n_examples;
    agreement.n_disputed += example.are_disputed() ? 1 : 0;
    agreement.same_labels += share_of_equal_pairs(example.votes);
    std::fill(n_with.begin(), n_with.end(), 0);
    for (const Labels* labels : example.votes) {
      for (const LabelIndex label : *labels) {
        ++n_with[static_cast<std::size_t>(label)];
      }
    }
    for (std::size_t label = 0; label < n_with.size(); ++label) {
      agreement.same_on_label[label] +=
          (n_pairs_of(n_with[label]) + n_pairs_of(n_votes - n_with[label])) / n_pairs_of(n_votes);
    }
  }
  if (agreement.n_examples == 0) {
    return std::nullopt;
  }
  const auto n_examples = static_cast<double>(agreement.n_examples);
  agreement.same_labels /= n_examples;
  for (double& share : agreement.same_on_label) {
    share /= n_examples;
  }
  return agreement;
}

}  // namespace

bool ExampleVotes::are_disputed() const {
  return std::any_of(votes.begin(), votes.end(),
                     [&](const Labels* labels) { return *labels != *votes.front(); });
}

std::vector<ExampleVotes> votes_by_example(const Dataset& dataset) {
  std::vector<ExampleVotes> examples;
  std::unordered_map<std::string, std::size_t> position_of;
  for (const Example& example : dataset.examples) {
    const auto [found, is_new] = position_of.emplace(example.example_id, examples.size());
    if (is_new) {
      examples.push_back({example.example_id, {}});
    }
    if (example.annotator != kAggregate) {
      examples[found->second].votes.push_back(&example.labels);
    }
  }
  return examples;
}

Summary summarize(const Dataset& dataset) {
  Summary summary;
  const auto n_labels = static_cast<std::size_t>(dataset.label_set.size());
  summary.aggregate.n_with.resize(n_labels);
  summary.annotated.n_with.resize(n_labels);
  for (const Example& example : dataset.examples) {
    count(example.annotator == kAggregate ? summary.aggregate : summary.annotated, example.labels);
  }
  finish(summary.aggregate);
  finish(summary.annotated);
  const std::vector<ExampleVotes> examples = votes_by_example(dataset);
  summary.n_examples = examples.size();
  summary.annotators = count_annotators(dataset);
  summary.agreement = agreement_of(examples, dataset.label_set.size());
  return summary;
}

}  // namespace labelprobe::data
