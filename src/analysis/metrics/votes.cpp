#include "labelprobe/analysis/votes.h"

#include "labelprobe/core/error.h"

namespace labelprobe::analysis {

namespace {

struct Count {
  std::vector<int> n_votes;  // [n_labels]
  int n_annotators = 0;
  const Labels* gold = nullptr;
};

}  // namespace

Votes count_votes(std::span<const Example> examples, const LabelSet& label_set) {
  std::map<std::string, Count> counts;
  for (const Example& example : examples) {
    Count& count = counts[example.example_id];
    count.n_votes.resize(static_cast<std::size_t>(label_set.size()));
    if (example.annotator == kAggregate) {
      count.gold = &example.labels;
      continue;
    }
    ++count.n_annotators;
    for (const LabelIndex label : example.labels) {
      LABELPROBE_CHECK(label >= 0 && label < label_set.size());
      ++count.n_votes[static_cast<std::size_t>(label)];
    }
  }
  Votes votes;
  for (const auto& [example_id, count] : counts) {
    if (!count.gold || count.n_annotators == 0) continue;
    ExampleVotes of_example{{}, count.n_annotators, *count.gold};
    for (const int n : count.n_votes) {
      of_example.shares.push_back(static_cast<double>(n) / count.n_annotators);
    }
    votes.emplace(example_id, std::move(of_example));
  }
  return votes;
}

std::vector<double> mean_shares(const Votes& votes) {
  std::vector<double> means;
  for (const auto& [example_id, of_example] : votes) {
    means.resize(of_example.shares.size());
    for (std::size_t label = 0; label < means.size(); ++label) {
      means[label] += of_example.shares[label];
    }
  }
  for (double& mean : means) mean /= static_cast<double>(votes.size());
  return means;
}

std::vector<double> mean_labels(std::span<const Example> items, const LabelSet& label_set) {
  std::vector<double> rates(static_cast<std::size_t>(label_set.size()));
  for (const Example& item : items) {
    for (const LabelIndex label : item.labels) rates[static_cast<std::size_t>(label)] += 1.0;
  }
  for (double& rate : rates) rate /= static_cast<double>(items.size());
  return rates;
}

}  // namespace labelprobe::analysis
