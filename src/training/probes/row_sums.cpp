#include "training/probes/row_sums.h"

#include <cstring>

#include "weights/device/processor.h"

namespace labelprobe::training {

namespace {

// Numbers that a processor adds at once; those of narrower processors, in several parts.
using Lane = double __attribute__((vector_size(64)));
constexpr std::int64_t kLane = 8;
constexpr int kLanes = kColumnStep / kLane;
// Sums of so many rows, or features, stay in registers.
constexpr std::int64_t kTile = 8;

LABELPROBE_PART inline void load(const double* from, Lane& to) {
  std::memcpy(&to, from, sizeof(Lane));
}

LABELPROBE_PART inline void store(const Lane& from, double* to) {
  std::memcpy(to, &from, sizeof(Lane));
}

// For kColumnStep columns.
template <std::int64_t kRows>
LABELPROBE_PART inline void multiply_tile(const double* const* rows,
                                          std::int64_t n_features,
                                          const double* columns,
                                          std::int64_t n_columns,
                                          double* sums) {
  Lane sum[kRows][kLanes] = {};
  for (std::int64_t f = 0; f < n_features; ++f) {
    Lane column[kLanes];
    for (int lane = 0; lane < kLanes; ++lane) {
      load(columns + f * n_columns + lane * kLane, column[lane]);
    }
    for (std::int64_t r = 0; r < kRows; ++r) {
      for (int lane = 0; lane < kLanes; ++lane) sum[r][lane] += rows[r][f] * column[lane];
    }
  }
  for (std::int64_t r = 0; r < kRows; ++r) {
    for (int lane = 0; lane < kLanes; ++lane) {
      store(sum[r][lane], sums + r * n_columns + lane * kLane);
    }
  }
}

// For kColumnStep columns and the features from `first` on.
template <std::int64_t kFeatures>
LABELPROBE_PART inline void add_tile(const double* const* rows,
                                     std::int64_t n_rows,
                                     std::int64_t first,
                                     const double* factors,
                                     std::int64_t n_columns,
                                     double* columns) {
  Lane sum[kFeatures][kLanes];
  for (std::int64_t f = 0; f < kFeatures; ++f) {
    for (int lane = 0; lane < kLanes; ++lane) {
      load(columns + (first + f) * n_columns + lane * kLane, sum[f][lane]);
    }
  }
  for (std::int64_t r = 0; r < n_rows; ++r) {
    Lane factor[kLanes];
    for (int lane = 0; lane < kLanes; ++lane) {
      load(factors + r * n_columns + lane * kLane, factor[lane]);
    }
    for (std::int64_t f = 0; f < kFeatures; ++f) {
      for (int lane = 0; lane < kLanes; ++lane) sum[f][lane] += rows[r][first + f] * factor[lane];
    }
  }
  for (std::int64_t f = 0; f < kFeatures; ++f) {
    for (int lane = 0; lane < kLanes; ++lane) {
      store(sum[f][lane], columns + (first + f) * n_columns + lane * kLane);
    }
  }
}

}  // namespace

LABELPROBE_FOR_EACH_PROCESSOR void multiply_rows(std::span<const double* const> rows,
                                                 std::int64_t n_features,
                                                 const double* columns,
                                                 std::int64_t n_columns,
                                                 double* sums) {
  const auto n_rows = static_cast<std::int64_t>(rows.size());
  for (std::int64_t c = 0; c < n_columns; c += kColumnStep) {
    std::int64_t r = 0;
    for (; r + kTile <= n_rows; r += kTile) {
      multiply_tile<kTile>(rows.data() + r, n_features, columns + c, n_columns,
                           sums + r * n_columns + c);
    }
    for (; r < n_rows; ++r) {
      multiply_tile<1>(rows.data() + r, n_features, columns + c, n_columns,
                       sums + r * n_columns + c);
    }
  }
}

LABELPROBE_FOR_EACH_PROCESSOR void add_rows(std::span<const double* const> rows,
                                            std::int64_t n_features,
                                            const double* factors,
                                            std::int64_t n_columns,
                                            double* columns) {
  const auto n_rows = static_cast<std::int64_t>(rows.size());
  for (std::int64_t c = 0; c < n_columns; c += kColumnStep) {
    std::int64_t f = 0;
    for (; f + kTile <= n_features; f += kTile) {
      add_tile<kTile>(rows.data(), n_rows, f, factors + c, n_columns, columns + c);
    }
    for (; f < n_features; ++f) {
      add_tile<1>(rows.data(), n_rows, f, factors + c, n_columns, columns + c);
    }
  }
}

LABELPROBE_FOR_EACH_PROCESSOR void subtract_rows(const double* rows,
                                                 const double* factors,
                                                 std::int64_t n_rows,
                                                 std::int64_t n_columns,
                                                 double* sums) {
  for (std::int64_t c = 0; c < n_columns; c += kLane) {
    Lane sum;
    load(sums + c, sum);
    for (std::int64_t r = 0; r < n_rows; ++r) {
      Lane row;
      load(rows + r * n_columns + c, row);
      sum -= factors[r] * row;
    }
    store(sum, sums + c);
  }
}

LABELPROBE_FOR_EACH_PROCESSOR void add_up(double* parts, std::int64_t n_parts, std::int64_t n) {
  for (std::int64_t i = 0; i < n; i += kLane) {
    Lane sum;
    load(parts + i, sum);
    for (std::int64_t part = 1; part < n_parts; ++part) {
      Lane more;
      load(parts + part * n + i, more);
      sum += more;
    }
    store(sum, parts + i);
  }
}

}  // namespace labelprobe::training
