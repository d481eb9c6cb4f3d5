#include "model/engine/step_reader.h"

#include <algorithm>
#include <array>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/record_function.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "labelprobe/core/error.h"

#include "model/products/log_sum_exp.h"
#include "weights/device/cuda_operators.h"
#include "weights/device/send.h"

namespace labelprobe::model {
namespace {

constexpr int kReadLanes = 64;

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
  for (; i + kReadLanes <= n; i += kReadLanes) {
    if (top.size() == k) {
      const float least = top.back().logit;
      int n_wanted = 0;
      for (int lane = 0; lane < kReadLanes; ++lane) n_wanted += !(logits[i + lane] <= least);
      if (n_wanted == 0) continue;
    }
    for (int lane = 0; lane < kReadLanes; ++lane) offer(i + lane);
  }
  for (; i < n; ++i) offer(i);
  return has_nan;
}

std::vector<StepReading> read_on_cpu(const at::Tensor& logits,
                                     std::span<const TokenId> watched,
                                     int n_top_tokens) {
  RECORD_FUNCTION("labelprobe::read_step", {});
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
        const SoftmaxSums sums = softmax_sums(row, n_vocab, top.front().logit);
        reading.step.log_sum_exp = sums.log_sum_exp;
        reading.step.entropy = sums.entropy;
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

// At least one: the greedy choice is read, wanted or not.
int n_top_of(const at::Tensor& logits, int n_top_tokens) {
  return std::clamp(n_top_tokens, 1, static_cast<int>(logits.size(1)));
}

// Packed numbers are [B, 3 + 2 n_top + n_watched]: whether there is a NaN, the log of the sum, the
// entropy, ids and logits of the largest, and the watched logits. float64 holds ids and float32
// logits alike, exactly.
constexpr std::int64_t kFirstTop = 3;

at::Tensor pack_on_cpu(const at::Tensor& logits, const at::Tensor& columns, int n_top) {
  const auto* first = columns.const_data_ptr<std::int64_t>();
  const TokenIds watched(first, first + columns.numel());
  const std::vector<StepReading> readings = read_on_cpu(logits, watched, n_top);
  at::Tensor packed = at::zeros({logits.size(0), kFirstTop + 2 * n_top + columns.numel()},
                                logits.options().dtype(at::kDouble));
  for (std::size_t b = 0; b < readings.size(); ++b) {
    const StepReading& reading = readings[b];
    double* row = packed.mutable_data_ptr<double>() + static_cast<std::int64_t>(b) * packed.size(1);
    row[0] = reading.has_nan ? 1 : 0;
    row[1] = reading.step.log_sum_exp;
    row[2] = reading.step.entropy;
    for (int i = 0; i < n_top && !reading.has_nan; ++i) {
      row[kFirstTop + i] = reading.step.top_tokens[i].id;
      row[kFirstTop + n_top + i] = reading.step.top_tokens[i].logit;
    }
    std::copy(reading.step.watched_logits.begin(), reading.step.watched_logits.end(),
              row + kFirstTop + 2 * n_top);
  }
  return packed;
}

std::vector<StepReading> unpack(const at::Tensor& packed, std::size_t n_watched, int n_top_tokens) {
  const int n_read =
      (static_cast<int>(packed.size(1)) - static_cast<int>(kFirstTop + n_watched)) / 2;
  n_top_tokens = std::min(n_top_tokens, n_read);
  std::vector<StepReading> readings(packed.size(0));
  for (std::size_t b = 0; b < readings.size(); ++b) {
    const double* row = packed.const_data_ptr<double>() + b * packed.size(1);
    StepReading& reading = readings[b];
    reading.has_nan = row[0] != 0;
    reading.step.log_sum_exp = static_cast<float>(row[1]);
    reading.step.entropy = static_cast<float>(row[2]);
    reading.best = static_cast<TokenId>(row[kFirstTop]);
    for (int i = 0; i < n_top_tokens; ++i) {
      reading.step.top_tokens.push_back({static_cast<TokenId>(row[kFirstTop + i]),
                                         static_cast<float>(row[kFirstTop + n_read + i])});
    }
    const double* first = row + kFirstTop + 2 * n_read;
    reading.step.watched_logits.assign(first, first + n_watched);
  }
  return readings;
}

}  // namespace

std::vector<StepReading> read_step(const at::Tensor& logits,
                                   std::span<const TokenId> watched,
                                   int n_top_tokens) {
  LABELPROBE_CHECK(logits.scalar_type() == at::kFloat && logits.is_contiguous());
  if (logits.is_cpu()) {
    const int n_top = std::min<int>(n_top_tokens, static_cast<int>(logits.size(1)));
    return read_on_cpu(logits, watched, n_top);
  }
  const at::Tensor columns = watched_columns(watched, logits.device());
  return unpack(pack_step(logits, columns, n_top_tokens).cpu(), watched.size(), n_top_tokens);
}

at::Tensor watched_columns(std::span<const TokenId> watched, c10::Device device) {
  const std::vector<std::int64_t> columns(watched.begin(), watched.end());
  return weights::send(columns, device);
}

at::Tensor pack_step(const at::Tensor& logits, const at::Tensor& columns, int n_top_tokens) {
  LABELPROBE_CHECK(logits.scalar_type() == at::kFloat && logits.is_contiguous());
  const int n_top = n_top_of(logits, n_top_tokens);
  if (logits.is_cpu()) return pack_on_cpu(logits, columns, n_top);
  return weights::cuda_operators()
             ? weights::cuda_operators()->read_step.call(logits, columns, n_top)
             : pack_step_plainly(logits, columns, n_top);
}

at::Tensor pack_step_plainly(const at::Tensor& logits,
                             const at::Tensor& columns,
                             int n_top_tokens) {
  const at::Tensor top = std::get<1>(ordered_keys(logits).topk(n_top_of(logits, n_top_tokens), 1));
  const at::Tensor kept = logits.index_select(1, columns);
  const at::Tensor entropies =
      at::special_entr(at::softmax(logits, 1)).sum(1, true).nan_to_num_(/*nan=*/0.0);
  return at::cat({at::isnan(logits).any(1, true).to(at::kDouble),
                  at::logsumexp(logits, 1, true).to(at::kDouble), entropies.to(at::kDouble),
                  top.to(at::kDouble), logits.gather(1, top).to(at::kDouble), kept.to(at::kDouble)},
                 1);
}

at::Tensor best_tokens(const at::Tensor& packed) {
  return packed.select(1, kFirstTop);
}

StepOnItsWay::StepOnItsWay(const at::Tensor& packed) : on_host_(packed) {
  if (packed.is_cpu()) return;
  on_host_ = at::empty(packed.sizes(),
                       at::TensorOptions().dtype(packed.scalar_type()).pinned_memory(true));
  on_host_.copy_(packed, /*non_blocking=*/true);
  is_there_.emplace(packed.device().type());
  is_there_->record(c10::impl::VirtualGuardImpl(packed.device().type()).getStream(packed.device()));
}

std::vector<StepReading> StepOnItsWay::wait(std::size_t n_watched, int n_top_tokens) const {
  if (is_there_) is_there_->synchronize();
  return unpack(on_host_, n_watched, n_top_tokens);
}

}  // namespace labelprobe::model
