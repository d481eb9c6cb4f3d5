#include "model/attention/plain_tile.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/products/vector_code.h"

namespace labelprobe::model {
namespace {

// What exp_of_negative() takes; less is as good as nothing.
constexpr float kLeastExponent = -87.0f;

}  // namespace

void transpose_plainly(const void* const* from,
                       std::int64_t first,
                       std::int64_t n_rows,
                       std::int64_t n_columns,
                       float* to) {
  for (std::int64_t row = first; row < kBlock; ++row) {
    const auto* numbers = row < n_rows ? static_cast<const float*>(from[row]) : nullptr;
    for (std::int64_t column = 0; column < n_columns; ++column) {
      to[column * kBlock + row] = numbers ? numbers[column] : 0;
    }
  }
}

LABELPROBE_FOR_EACH_PROCESSOR
void score_plainly(const float* query, const float* keys, std::int64_t n, float* scores) {
  constexpr std::int64_t kColumns = 32;  // whose sums fit the registers
  for (std::int64_t first = 0; first < kBlock; first += kColumns) {
    float sums[kColumns] = {};
    for (std::int64_t i = 0; i < n; ++i) {
      const float* row = keys + i * kBlock + first;
      for (std::int64_t column = 0; column < kColumns; ++column) {
        sums[column] += query[i] * row[column];
      }
    }
    std::copy(sums, sums + kColumns, scores + first);
  }
}

LABELPROBE_FOR_EACH_PROCESSOR
void cap_scores(float* scores, float scale, float softcap) {
  for (std::int64_t i = 0; i < kBlock; ++i) {
    const float x = scores[i] * scale / softcap;
    const float share = exp_of_negative(std::max(-2.0f * std::abs(x), kLeastExponent));
    scores[i] = std::copysign(softcap * (1.0f - share) / (1.0f + share), x);
  }
}

LABELPROBE_FOR_EACH_PROCESSOR
void weigh_plainly(float* scores,
                   float scale,
                   SeenKeys seen,
                   RunningAttention& running,
                   std::int64_t query,
                   std::int64_t width) {
  float most = -std::numeric_limits<float>::infinity();
  for (std::int64_t i = seen.first; i < seen.end; ++i) {
    scores[i] *= scale;
    most = std::max(most, scores[i]);
  }
  const float old_largest = running.largest[query];
  if (most > old_largest) {
    const float share = std::exp(old_largest - most);
    running.largest[query] = most;
    running.totals[query] *= share;
    float* sums = running.sums.data() + query * width;
    for (std::int64_t d = 0; d < width; ++d) sums[d] *= share;
  }
  const float largest = running.largest[query];
  float totals[kLanes] = {};
  for (std::int64_t first = 0; first < kBlock; first += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      const std::int64_t i = first + lane;
      const bool is_seen = i >= seen.first && i < seen.end;
      const float rest = std::max(is_seen ? scores[i] - largest : 0.0f, kLeastExponent);
      const float weight = is_seen ? exp_of_negative(rest) : 0.0f;
      scores[i] = weight;
      totals[lane] += weight;
    }
  }
  float total = 0;
  for (const float part : totals) total += part;
  running.totals[query] += total;
}

LABELPROBE_FOR_EACH_PROCESSOR
void add_values_plainly(const float* weights,
                        const float* values,
                        std::int64_t stride,
                        std::int64_t n,
                        std::int64_t width,
                        float* sums) {
  for (std::int64_t first = 0; first < width; first += kLanes) {
    float part[kLanes];
    std::copy(sums + first, sums + first + kLanes, part);
    for (std::int64_t i = 0; i < n; ++i) {
      const float* row = values + i * stride + first;
      for (std::int64_t lane = 0; lane < kLanes; ++lane) part[lane] += weights[i] * row[lane];
    }
    std::copy(part, part + kLanes, sums + first);
  }
}

}  // namespace labelprobe::model
