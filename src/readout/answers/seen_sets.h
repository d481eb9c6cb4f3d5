// Sets of labels by number, each kept once.
#pragma once

#include <algorithm>
#include <map>
#include <span>
#include <vector>

#include "labelprobe/core/label_set.h"

namespace labelprobe::readout {

class SeenSets {
 public:
  static constexpr int kEmpty = 0;

  SeenSets() { number_of({}); }

  const Labels& labels(int set) const { return sets_[static_cast<std::size_t>(set)]; }

  bool has(int set, LabelIndex label) const {
    return std::binary_search(labels(set).begin(), labels(set).end(), label);
  }

  // The set with these labels as well.
  int with(int set, std::span<const LabelIndex> added) {
    Labels all = labels(set);
    for (const LabelIndex label : added) {
      const auto at = std::lower_bound(all.begin(), all.end(), label);
      if (at == all.end() || *at != label) all.insert(at, label);
    }
    return all.size() == labels(set).size() ? set : number_of(std::move(all));
  }

 private:
  int number_of(Labels labels) {
    const auto [found, is_new] = numbers_.emplace(labels, static_cast<int>(sets_.size()));
    if (is_new) sets_.push_back(std::move(labels));
    return found->second;
  }

  std::vector<Labels> sets_;
  std::map<Labels, int> numbers_;
};

}  // namespace labelprobe::readout
