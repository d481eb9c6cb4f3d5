#include "step_reader.h"

#include <algorithm>
#include <array>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include "labelprobe/core/error.h"

#include "cuda_operators.h"
#include "kernels.h"

namespace labelprobe::model {
namespace {

constexpr int kLanes = 64;

// The k largest of one row, in order; true if there is a NaN. Most runs of kLanes logits hold none
// of them and cost one comparison per register.
bool scan_top(const float* logits, std::int64_t n, std::vector<TopToken>& top, std::size_t k) {
  top.clear();
  bool has_nan = false;
  const auto offer = [&](std::int64_t i) {
    const float logit = logits[i];
    has_nan |= logit != logit;
    if (top.size() == k && !(logit > top.back().logit)) return;
    if (top.size() == k) top.pop_back();
    // Behind its equals, which have smaller ids.
    const auto place = std::upper_bound(top.begin(), top.end(), logit,
                                        [](float a, const TopToken& b) { return a > b.logit; });
    top.insert(place, {static_cast<TokenId>(i), logit});
  };
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    if (top.size() == k) {
      const float least = top.back().logit;
      int n_wanted = 0;
      for (int lane = 0; lane < kLanes; ++lane) n_wanted += !(logits[i + lane] <= least);
      if (n_wanted == 0) continue;
    }
    for (int lane = 0; lane < kLanes; ++lane) offer(i + lane);
  }
  for (; i < n; ++i) offer(i);
  return has_nan;
}

std::vector<StepReading> read_on_cpu(const at::Tensor& logits,
                                     std::span<const TokenId> watched,
                                     int n_top_tokens) {
  const std::int64_t n_vocab = logits.size(1);
  const float* rows = logits.const_data_ptr<float>();
  std::vector<StepReading> readings(logits.size(0));
  at::parallel_for(0, logits.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      StepReading& reading = readings[b];
      const float* row = rows + b * n_vocab;
      std::vector<TopToken>& top = reading.step.top_tokens;
      reading.has_nan = scan_top(row, n_vocab, top, std::max(n_top_tokens, 1));
      if (!reading.has_nan) {
        reading.best = top.front().id;
        reading.step.log_sum_exp = log_sum_exp(row, n_vocab, top.front().logit);
      }
      top.resize(std::min<std::size_t>(top.size(), n_top_tokens));
      for (const TokenId id : watched) reading.step.watched_logits.push_back(row[id]);
    }
  });
  return readings;
}

// Integers in the order of (logit, then smaller id first): a selection by them has no ties.
at::Tensor ordered_keys(const at::Tensor& logits) {
  const at::Tensor bits = (logits + 0.0).view(at::kInt).to(at::kLong);  // -0 becomes +0
  const at::Tensor ordered = at::where(bits.ge(0), bits, bits.bitwise_xor(0x7fffffff));
  const at::Tensor ids = at::arange(logits.size(1), bits.options());
  return ordered.mul(std::int64_t{1} << 31).sub_(ids);
}

// On the logits' device.
at::Tensor columns_of(std::span<const TokenId> watched, const at::Tensor& logits) {
  const std::vector<std::int64_t> columns(watched.begin(), watched.end());
  return at::tensor(columns).to(logits.device());
}

// Of a float64 CPU tensor [B, 2 + 2 n_read + n_watched]: whether there is a NaN, the log of the
// sum, ids and logits of the largest, of which n_top_tokens are kept, and the watched logits.
std::vector<StepReading> unpack(const at::Tensor& packed,
                                std::size_t n_watched,
                                int n_read,
                                int n_top_tokens) {
  std::vector<StepReading> readings(packed.size(0));
  for (std::size_t b = 0; b < readings.size(); ++b) {
    const double* row = packed.const_data_ptr<double>() + b * packed.size(1);
    StepReading& reading = readings[b];
    reading.has_nan = row[0] != 0;
    reading.step.log_sum_exp = static_cast<float>(row[1]);
    reading.best = static_cast<TokenId>(row[2]);
    for (int i = 0; i < n_top_tokens; ++i) {
      reading.step.top_tokens.push_back(
          {static_cast<TokenId>(row[2 + i]), static_cast<float>(row[2 + n_read + i])});
    }
    const double* first = row + 2 + 2 * n_read;
    reading.step.watched_logits.assign(first, first + n_watched);
  }
  return readings;
}

}  // namespace

std::vector<StepReading> read_step(const at::Tensor& logits,
                                   std::span<const TokenId> watched,
                                   int n_top_tokens) {
  LABELPROBE_CHECK(logits.scalar_type() == at::kFloat && logits.is_contiguous());
  const int n_top = std::min<int>(n_top_tokens, static_cast<int>(logits.size(1)));
  if (logits.is_cuda() && cuda_operators()) {
    const int n_read = std::max(n_top, 1);
    return unpack(
        cuda_operators()->read_step.call(logits, columns_of(watched, logits), n_read).cpu(),
        watched.size(), n_read, n_top);
  }
  return logits.is_cpu() ? read_on_cpu(logits, watched, n_top)
                         : read_step_plainly(logits, watched, n_top);
}

std::vector<StepReading> read_step_plainly(const at::Tensor& logits,
                                           std::span<const TokenId> watched,
                                           int n_top_tokens) {
  const int n_top = std::max(n_top_tokens, 1);
  const at::Tensor top = std::get<1>(ordered_keys(logits).topk(n_top, 1));
  const at::Tensor kept = logits.index_select(1, columns_of(watched, logits));
  // float64 holds ids and float32 logits alike, exactly.
  const at::Tensor packed =
      at::cat({at::isnan(logits).any(1, true).to(at::kDouble),
               at::logsumexp(logits, 1, true).to(at::kDouble), top.to(at::kDouble),
               logits.gather(1, top).to(at::kDouble), kept.to(at::kDouble)},
              1)
          .cpu();
  return unpack(packed, watched.size(), n_top, n_top_tokens);
}

void penalize_repetition(const at::Tensor& logits, std::span<const TokenIds> seen, double penalty) {
  std::size_t width = 0;
  for (const TokenIds& ids : seen) width = std::max(width, ids.size());
  std::vector<std::int64_t> padded;
  padded.reserve(seen.size() * width);
  for (const TokenIds& ids : seen) {
    padded.insert(padded.end(), ids.begin(), ids.end());
    padded.insert(padded.end(), width - ids.size(), ids.front());
  }
  const at::Tensor columns =
      at::tensor(padded)
          .view({static_cast<std::int64_t>(seen.size()), static_cast<std::int64_t>(width)})
          .to(logits.device());
  const at::Tensor before = logits.gather(1, columns);
  // A token named twice is written twice with the same number.
  logits.scatter_(1, columns, at::where(before.lt(0), before * penalty, before / penalty));
}

}  // namespace labelprobe::model
