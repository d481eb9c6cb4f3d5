#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "labelprobe/analysis/steps.h"

namespace labelprobe::analysis {

namespace {

using Number = std::optional<double>;

Number ratio_of(const StepRow& row) {
  return row.second > 0.0 ? Number(row.top / row.second) : std::nullopt;
}

constexpr std::array kStatistics = {
    StepStatistic{"top",
                  "top",
                  "probability of the likeliest label",
                  {},
                  [](const StepRow& row) { return Number(row.top); }},
    StepStatistic{"second", "second", "probability of the second label", StepPlace::Last,
                  [](const StepRow& row) { return Number(row.second); }},
    StepStatistic{"ratio",
                  "top/second",
                  "the one divided by the other; left out where the second is 0",
                  {},
                  ratio_of},
    StepStatistic{"entropy",
                  "entropy",
                  "of all labels, in bits",
                  {},
                  [](const StepRow& row) { return Number(row.entropy); }},
    StepStatistic{"expected_next_label_scores", "second",
                  "probability of the second label, which would come next if ranks held",
                  StepPlace::Intermediate, [](const StepRow& row) { return Number(row.second); }},
    StepStatistic{"expected_next_label_scores_p1", "second @ next",
                  "probability of the same label at the next step", StepPlace::Intermediate,
                  [](const StepRow& row) { return Number(row.next->second_prob); }},
    StepStatistic{"actual_next_label_scores", "next",
                  "probability of the label that is the likeliest at the next step; left out where "
                  "it is the likeliest here",
                  StepPlace::Intermediate,
                  [](const StepRow& row) { return row.next->prob_before; }},
    StepStatistic{"actual_next_label_scores_p1", "next @ next",
                  "probability of the same label at the next step", StepPlace::Intermediate,
                  [](const StepRow& row) { return Number(row.next->prob); }},
    StepStatistic{"is_next_pred_correct", "same",
                  "share of steps whose second label is the likeliest at the next step",
                  StepPlace::Intermediate,
                  [](const StepRow& row) { return Number(row.is_next_second() ? 1.0 : 0.0); }},
};

StepMoments moments_of(const std::vector<double>& numbers) {
  StepMoments moments;
  moments.n = numbers.size();
  const double n = static_cast<double>(numbers.size());
  for (const double number : numbers) moments.mean += number / n;
  double squares = 0.0;
  for (const double number : numbers) squares += (number - moments.mean) * (number - moments.mean);
  moments.deviation = std::sqrt(squares / n);
  return moments;
}

// Adds those of one place and index, where a row there has the number.
void collect(std::span<const StepRow> rows,
             StepPlace place,
             int index,
             const StepStatistic& statistic,
             std::vector<StepMoments>& all) {
  std::vector<double> numbers;
  for (const StepRow& row : rows) {
    if (row.index != index || place_of(row) != place) continue;
    if (const Number number = statistic.of(row)) numbers.push_back(*number);
  }
  if (numbers.empty()) return;
  StepMoments moments = moments_of(numbers);
  moments.place = place;
  moments.index = index;
  moments.statistic = &statistic;
  all.push_back(moments);
}

}  // namespace

StepPlace place_of(const StepRow& row) {
  return row.next ? StepPlace::Intermediate : StepPlace::Last;
}

std::span<const StepStatistic> step_statistics() {
  return kStatistics;
}

std::optional<double> StepSummary::never_share() const {
  if (n_not_next == 0) return std::nullopt;
  return static_cast<double>(n_never) / static_cast<double>(n_not_next);
}

const StepMoments* StepSummary::find(StepPlace place, int index, std::string_view statistic) const {
  for (const StepMoments& one : moments) {
    if (one.place == place && one.index == index && one.statistic->name == statistic) return &one;
  }
  return nullptr;
}

StepSummary summarize_steps(std::span<const StepRow> rows) {
  StepSummary summary;
  int n_steps = 0;
  for (const StepRow& row : rows) {
    if (row.index == 0) ++summary.n_items;
    n_steps = std::max(n_steps, row.index + 1);
    if (row.next && !row.is_next_second()) {
      ++summary.n_not_next;
      if (!row.next->is_second_ever) ++summary.n_never;
    }
  }
  for (const auto& place : kStepPlaces.rows) {
    for (int index = 0; index < n_steps; ++index) {
      for (const StepStatistic& statistic : kStatistics) {
        if (statistic.place && *statistic.place != place.value) continue;
        collect(rows, place.value, index, statistic, summary.moments);
      }
    }
  }
  return summary;
}

std::vector<int> shown_steps(const StepSummary& summary,
                             StepRange range,
                             std::optional<int> n_most) {
  std::set<int> last;
  std::set<int> intermediate;
  for (const StepMoments& one : summary.moments) {
    (one.place == StepPlace::Last ? last : intermediate).insert(one.index);
  }
  std::set<int> all = last;
  all.insert(intermediate.begin(), intermediate.end());
  std::vector<int> shown;
  for (const int index : all) {
    const bool is_common = last.contains(index) && intermediate.contains(index);
    if ((is_common || range == StepRange::All) && (!n_most || index < *n_most)) {
      shown.push_back(index);
    }
  }
  return shown;
}

}  // namespace labelprobe::analysis
