// Which part of a model a process computes where several compute one together: some heads, some
// columns of the MLPs, some tokens of the vocabulary. Of every matrix it keeps whole rows, that is,
// it computes some of the numbers that a product gives, each by the very sum that one process
// alone would take; what it lacks it gets from the others (team.h). So no sum goes across
// processes, rows keep the blocks and absmax of quantised weights, and the numbers are those of one
// process.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "weights/checkpoint/row_range.h"
#include "weights/families/parameters.h"

namespace labelprobe::model {

struct Share {
  weights::RowRange heads;      // of the queries
  weights::RowRange key_heads;  // those that the heads use
  // Whether other processes before it have the same key heads: then it has a part of their queries.
  bool repeats_keys = false;
  weights::RowRange hidden;  // of what attention and MLP add
  weights::RowRange inner;   // of an MLP's inner layer; none where all layers have experts
  weights::RowRange expert_inner;
  weights::RowRange vocabulary;
};

// The shares of n_processes, by rank; the first are the largest. Throws ConfigError for a number of
// processes among which heads or columns cannot be divided.
std::vector<Share> divide_model(const weights::DecoderConfig& whole, int n_processes);

// The rows of a weight or bias that a share has; empty = all of them, as of norms and routers.
weights::RowRanges rows_of(const weights::DecoderConfig& whole,
                           const Share& share,
                           const weights::Parameter& parameter);

// The decoder whose attention a share computes: with its heads. All other lengths stay those of the
// whole, for every process meets them when parts have been joined.
weights::DecoderConfig part_of(const weights::DecoderConfig& whole, const Share& share);

// Whether norms of queries and keys are taken over all heads together.
bool norms_all_heads(const weights::DecoderConfig& config);

// Numbers of a row by rank, for Team::join_columns().
std::vector<std::int64_t> widths_of(std::span<const Share> shares,
                                    weights::RowRange Share::*part,
                                    std::int64_t n_each = 1);

}  // namespace labelprobe::model
