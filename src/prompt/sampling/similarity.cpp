// Demonstrations whose sentences resemble the query's.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "labelprobe/core/error.h"

#include "prompt/sampling/candidates.h"

namespace labelprobe::prompt {

namespace {

// Several sums side by side, which compilers turn into vector instructions; their order is fixed,
// so that equal vectors give equal products.
float dot(const float* a, const float* b, std::size_t n) {
  constexpr std::size_t kLanes = 16;
  std::array<float, kLanes> sums{};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      sums[lane] += a[i + lane] * b[i + lane];
    }
  }
  for (std::size_t lane = 0; i < n; ++i, ++lane) {
    sums[lane] += a[i] * b[i];
  }
  return std::accumulate(sums.begin(), sums.end(), 0.0F);
}

}  // namespace

std::vector<float> lengths_of(std::span<const float> vectors, int n_dims) {
  const auto n = static_cast<std::size_t>(n_dims);
  std::vector<float> lengths;
  for (std::size_t at = 0; at < vectors.size(); at += n) {
    lengths.push_back(std::sqrt(dot(vectors.data() + at, vectors.data() + at, n)));
  }
  return lengths;
}

// The query's own length is the same for all and left out. A vector of length 0 resembles nothing.
std::vector<int> draw_similar(const Sampler::Candidates& candidates,
                              const DrawRequest& request,
                              python::Random& /*random*/) {
  const std::vector<int>& pool = pool_of(candidates, request.annotator).positions;
  const auto n_shots = static_cast<std::size_t>(candidates.n_shots);
  const SentenceVectors& vectors = *candidates.vectors;
  const auto n_dims = static_cast<std::size_t>(vectors.n_dims);
  LABELPROBE_CHECK((request.query + 1) * n_dims <= vectors.queries.size());
  const float* query = vectors.queries.data() + request.query * n_dims;
  std::vector<std::pair<float, int>> ranked;  // by falling resemblance, then by position
  ranked.reserve(pool.size());
  for (const int position : pool) {
    if (std::find(request.own.begin(), request.own.end(), position) != request.own.end()) continue;
    const auto at = static_cast<std::size_t>(position);
    const float length = candidates.lengths[at];
    const float product = dot(query, vectors.train.data() + at * n_dims, n_dims);
    ranked.emplace_back(length > 0 ? -product / length : 0.0F, position);
  }
  if (ranked.size() < n_shots) {
    throw_too_few(candidates, candidates.n_shots, ranked.size(), of_annotator(request.annotator));
  }
  std::partial_sort(ranked.begin(), ranked.begin() + candidates.n_shots, ranked.end());
  std::vector<int> nearest;
  for (std::size_t i = 0; i < n_shots; ++i) {
    nearest.push_back(ranked[i].second);
  }
  return nearest;
}

}  // namespace labelprobe::prompt
