#include "model/attention/batched_attention.h"

#include <algorithm>
#include <limits>

#include <ATen/Functions.h>

#include "labelprobe/core/error.h"

#include "model/attention/attention_plan.h"
#include "weights/device/send.h"

namespace labelprobe::model {
namespace {

constexpr float kNoLogSum = -std::numeric_limits<float>::infinity();

// Keys and values that are gathered at a time, in numbers.
constexpr std::int64_t kGatheredNumbers = std::int64_t{1} << 24;

// Sums of the parts of each row, and the logs of their denominators.
struct Parts {
  at::Tensor values;  // [P + 1, K, G, D]; the last one is nobody's
  at::Tensor logs;    // [P + 1, K, G]
};

// Each row's parts, by the shares of their denominators, to which sinks may add: [T, K, G, D].
at::Tensor merge(const Parts& parts, const at::Tensor& parts_of_row, const at::Tensor& sinks) {
  const std::int64_t n_rows = parts_of_row.size(0);
  const std::int64_t n_most = parts_of_row.size(1);
  const at::Tensor logs = parts.logs.index_select(0, parts_of_row.flatten())
                              .view({n_rows, n_most, parts.logs.size(1), parts.logs.size(2)});
  at::Tensor totals = logs.logsumexp(1, /*keepdim=*/true);
  if (sinks.defined()) totals = at::logaddexp(totals, sinks.view({1, 1, logs.size(2), -1}));
  const at::Tensor shares = (logs - totals).exp_();
  at::Tensor result = parts.values.index_select(0, parts_of_row.select(1, 0))
                          .mul_(shares.select(1, 0).unsqueeze(-1));
  for (std::int64_t i = 1; i < n_most; ++i) {
    result.addcmul_(parts.values.index_select(0, parts_of_row.select(1, i)),
                    shares.select(1, i).unsqueeze(-1));
  }
  return result;
}

}  // namespace

void BatchedAttention::plan(std::int64_t n_rows,
                            std::span<const KeySegment> segments,
                            std::int64_t window) {
  n_rows_ = n_rows;
  window_ = window;
  segments_.assign(segments.begin(), segments.end());
  tables_.reset();
}

BatchedAttention::Tables BatchedAttention::make_tables(const at::Tensor& queries) const {
  LABELPROBE_CHECK(queries.size(0) == n_rows_);
  cuda::AttentionShape shape;
  shape.n_rows = n_rows_;
  shape.n_groups = static_cast<int>(queries.size(2));
  shape.window = window_;
  const cuda::AttentionPlan plan = cuda::make_attention_plan(shape, segments_);
  std::int64_t n_most_rows = 1;
  std::int64_t n_most_keys = 1;
  for (const cuda::AttentionItem& item : plan.items) {
    n_most_rows = std::max<std::int64_t>(n_most_rows, item.n_rows);
    n_most_keys = std::max<std::int64_t>(n_most_keys, item.n_keys);
  }
  const std::size_t n_items = plan.items.size();
  std::vector<std::int64_t> query_rows(n_items * static_cast<std::size_t>(n_most_rows));
  std::vector<std::int64_t> n_seen(query_rows.size());
  std::vector<std::int64_t> part_places(query_rows.size(), plan.n_parts);
  std::vector<std::int64_t> key_rows(n_items * static_cast<std::size_t>(n_most_keys));
  for (std::size_t i = 0; i < n_items; ++i) {
    const cuda::AttentionItem& item = plan.items[i];
    const std::int32_t* run = plan.runs.data() + 2 * item.first_run;
    for (std::int32_t key = 0; key < item.n_keys; ++key) {
      while (run[2] <= key) run += 2;
      key_rows[i * static_cast<std::size_t>(n_most_keys) + static_cast<std::size_t>(key)] =
          run[1] + key - run[0];
    }
    for (std::int32_t row = 0; row < item.n_rows; ++row) {
      const std::size_t place =
          i * static_cast<std::size_t>(n_most_rows) + static_cast<std::size_t>(row);
      query_rows[place] = item.first_row + row;
      part_places[place] = item.first_part + row;
      n_seen[place] =
          std::min(plan.n_seen[static_cast<std::size_t>(item.first_part + row)], item.n_keys);
    }
  }
  std::int32_t n_most_parts = 1;
  for (std::size_t row = 0; row + 1 < plan.first_parts.size(); ++row) {
    n_most_parts = std::max(n_most_parts, plan.first_parts[row + 1] - plan.first_parts[row]);
  }
  std::vector<std::int64_t> parts_of_row(
      static_cast<std::size_t>(n_rows_) * static_cast<std::size_t>(n_most_parts), plan.n_parts);
  for (std::size_t row = 0; row + 1 < plan.first_parts.size(); ++row) {
    std::copy(plan.part_ids.begin() + plan.first_parts[row],
              plan.part_ids.begin() + plan.first_parts[row + 1],
              parts_of_row.begin() + static_cast<std::ptrdiff_t>(row) * n_most_parts);
  }
  const auto table = [&](const std::vector<std::int64_t>& numbers, std::int64_t width) {
    return weights::send(numbers, queries.device()).view({-1, width});
  };
  return {table(query_rows, n_most_rows),    table(key_rows, n_most_keys),
          table(n_seen, n_most_rows),        table(part_places, n_most_rows),
          table(parts_of_row, n_most_parts), plan.n_parts};
}

at::Tensor BatchedAttention::attend(const at::Tensor& queries,
                                    const at::Tensor& keys,
                                    const at::Tensor& values,
                                    const AttentionForm& form) {
  if (!tables_) tables_ = make_tables(queries);
  const Tables& tables = *tables_;
  const std::int64_t n_heads = queries.size(1);
  const std::int64_t n_groups = queries.size(2);
  const std::int64_t n_dim = queries.size(3);
  const std::int64_t n_rows = tables.query_rows.size(1);
  const std::int64_t n_keys = tables.key_rows.size(1);
  const auto options = queries.options().dtype(at::kFloat);
  Parts parts{at::zeros({tables.n_parts + 1, n_heads, n_groups, n_dim}, options),
              at::full({tables.n_parts + 1, n_heads, n_groups}, kNoLogSum, options)};
  const at::Tensor slots = at::arange(n_keys, tables.n_seen.options());
  const std::int64_t n_each =
      std::max<std::int64_t>(1, kGatheredNumbers / (n_keys * n_heads * n_dim));
  for (std::int64_t first = 0; first < tables.query_rows.size(0); first += n_each) {
    const std::int64_t n = std::min(n_each, tables.query_rows.size(0) - first);
    const auto gathered = [&](const at::Tensor& from, const at::Tensor& rows) {
      return from.index_select(0, rows.narrow(0, first, n).flatten()).to(at::kFloat);
    };
    const at::Tensor seen = tables.n_seen.narrow(0, first, n).view({n, 1, n_rows, 1, 1});
    at::Tensor scores =
        at::matmul(
            gathered(queries, tables.query_rows)
                .view({n, n_rows, n_heads, n_groups, n_dim})
                .permute({0, 2, 1, 3, 4})
                .reshape({n, n_heads, n_rows * n_groups, n_dim}),
            gathered(keys, tables.key_rows).view({n, n_keys, n_heads, n_dim}).permute({0, 2, 3, 1}))
            .mul_(form.scale_of(n_dim))
            .view({n, n_heads, n_rows, n_groups, n_keys});
    if (form.softcap != 0) scores.div_(form.softcap).tanh_().mul_(form.softcap);
    scores.masked_fill_(slots.ge(seen), kNoLogSum);
    const at::Tensor logs = scores.logsumexp(-1, /*keepdim=*/true);
    // A row that sees nothing has no weights.
    const at::Tensor weights = scores.sub_(logs.masked_fill(logs.eq(kNoLogSum), 0)).exp_();
    const at::Tensor sums = at::matmul(weights.view({n, n_heads, n_rows * n_groups, n_keys}),
                                       gathered(values, tables.key_rows)
                                           .view({n, n_keys, n_heads, n_dim})
                                           .permute({0, 2, 1, 3}))
                                .view({n, n_heads, n_rows, n_groups, n_dim});
    const at::Tensor places = tables.part_places.narrow(0, first, n).flatten();
    parts.values.index_copy_(0, places,
                             sums.permute({0, 2, 1, 3, 4}).reshape({-1, n_heads, n_groups, n_dim}));
    parts.logs.index_copy_(0, places,
                           logs.squeeze(-1).permute({0, 2, 1, 3}).reshape({-1, n_heads, n_groups}));
  }
  parts.logs.select(0, tables.n_parts).fill_(kNoLogSum);
  return merge(parts, tables.parts_of_row, form.sinks).flatten(1, 3).to(queries.scalar_type());
}

}  // namespace labelprobe::model
