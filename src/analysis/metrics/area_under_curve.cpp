#include "analysis/metrics/area_under_curve.h"

#include <algorithm>
#include <cmath>

namespace labelprobe::analysis {

namespace {

constexpr double kEvenCurve = 1e-9;

}  // namespace

std::optional<double> area_under_curve(std::vector<RankedCase> cases) {
  std::sort(cases.begin(), cases.end(),
            [](const RankedCase& a, const RankedCase& b) { return a.score < b.score; });
  double n_won = 0.0;
  double n_negatives = 0.0;  // below the score at hand, at last all
  double n_positives = 0.0;
  for (auto at = cases.begin(); at != cases.end();) {
    const double most = at->score + kEvenCurve * std::abs(at->score);
    const auto end =
        std::find_if(at, cases.end(), [&](const RankedCase& other) { return other.score > most; });
    const auto n_positives_here = static_cast<double>(
        std::count_if(at, end, [](const RankedCase& tied) { return tied.is_positive; }));
    const double n_negatives_here = static_cast<double>(end - at) - n_positives_here;
    n_won += n_positives_here * (n_negatives + n_negatives_here / 2.0);
    n_negatives += n_negatives_here;
    n_positives += n_positives_here;
    at = end;
  }
  if (n_negatives == 0.0 || n_positives == 0.0) return std::nullopt;
  return n_won / (n_negatives * n_positives);
}

}  // namespace labelprobe::analysis
