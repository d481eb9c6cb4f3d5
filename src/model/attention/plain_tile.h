// The steps of attention in float32 for any processor (attention_tile.h has those for AVX-512). A
// query's numbers do not depend on how many are attended together.
#pragma once

#include <cstdint>

#include "model/attention/running_attention.h"

namespace labelprobe::model {

// Rows of n_columns numbers, turned: columns become rows of `to` [n_columns, kBlock]; what lies
// behind n_rows is 0. Rows before `first` stay.
void transpose_plainly(const void* const* from,
                       std::int64_t first,
                       std::int64_t n_rows,
                       std::int64_t n_columns,
                       float* to);

// scores [kBlock] = a query [n] times keys [n, kBlock].
void score_plainly(const float* query, const float* keys, std::int64_t n, float* scores);

// A query's products with a block of keys become softcap * tanh(scale * product / softcap).
void cap_scores(float* scores, float scale, float softcap);

// As weigh_scores() of attention_tile.h.
void weigh_plainly(float* scores,
                   float scale,
                   SeenKeys seen,
                   RunningAttention& running,
                   std::int64_t query,
                   std::int64_t width);

// sums [width] += weights [n] times values [n, width], rows `stride` apart; width in whole kLanes.
void add_values_plainly(const float* weights,
                        const float* values,
                        std::int64_t stride,
                        std::int64_t n,
                        std::int64_t width,
                        float* sums);

}  // namespace labelprobe::model
