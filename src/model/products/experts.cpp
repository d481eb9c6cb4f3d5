#include "model/products/experts.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <ATen/Functions.h>

#include "labelprobe/core/error.h"

#include "model/products/fixed_rows.h"
#include "model/products/gated_silu.h"
#include "weights/device/send.h"

namespace labelprobe::model {
namespace {

// The chosen experts' places of one row, and their weights.
void route_row(const float* scores,
               const weights::Experts& settings,
               std::vector<std::int64_t>& order,
               Routing& routing) {
  std::iota(order.begin(), order.end(), 0);
  const auto end = order.begin() + settings.n_per_token;
  std::partial_sort(order.begin(), end, order.end(), [&](std::int64_t a, std::int64_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  });
  const float largest = scores[order[0]];
  float total = 0.0F;
  const std::size_t n_counted =
      settings.norm_topk_prob ? static_cast<std::size_t>(settings.n_per_token) : order.size();
  for (std::size_t i = 0; i < n_counted; ++i) {
    const std::int64_t expert = settings.norm_topk_prob ? order[i] : static_cast<std::int64_t>(i);
    total += std::exp(scores[expert] - largest);
  }
  for (auto expert = order.begin(); expert != end; ++expert) {
    routing.experts.push_back(*expert);
    routing.weights.push_back(std::exp(scores[*expert] - largest) / total);
  }
}

at::Tensor multiply(const Linear& weight, const at::Tensor& x, bool has_fixed_rows) {
  return has_fixed_rows ? multiply_by_fixed_rows(weight, x) : weight(x);
}

}  // namespace

Routing route(const at::Tensor& scores, const weights::Experts& experts) {
  const std::int64_t n_experts = scores.size(1);
  LABELPROBE_CHECK(scores.is_contiguous() && experts.n_per_token <= n_experts);
  std::vector<std::int64_t> order(static_cast<std::size_t>(n_experts));
  Routing routing;
  for (std::int64_t row = 0; row < scores.size(0); ++row) {
    route_row(scores.const_data_ptr<float>() + row * n_experts, experts, order, routing);
  }
  return routing;
}

at::Tensor clamped_swiglu(const at::Tensor& gate_up, double alpha, double limit) {
  const std::int64_t width = gate_up.size(1) / 2;
  const at::Tensor gate = gate_up.narrow(1, 0, width).to(at::kFloat).clamp_max(limit);
  const at::Tensor up = gate_up.narrow(1, width, width).to(at::kFloat).clamp(-limit, limit);
  return ((up + 1) * (gate * (gate * alpha).sigmoid_())).to(gate_up.scalar_type());
}

ExpertMlp::ExpertMlp(weights::Experts settings, Linear router, std::vector<Expert> experts)
    : settings_(std::move(settings)), router_(std::move(router)), experts_(std::move(experts)) {
  LABELPROBE_CHECK(static_cast<int>(experts_.size()) == settings_.n);
}

at::Tensor ExpertMlp::activated(at::Tensor gate_up) const {
  return settings_.swiglu_alpha == 0.0
             ? gated_silu(std::move(gate_up))
             : clamped_swiglu(gate_up, settings_.swiglu_alpha, settings_.swiglu_limit);
}

// [T * k, C], float32: what each row's experts make of it.
at::Tensor ExpertMlp::results(const at::Tensor& x,
                              const Places& places,
                              bool has_fixed_rows) const {
  const std::int64_t n_each = settings_.n_per_token;
  at::Tensor results = at::empty({x.size(0) * n_each, x.size(1)}, x.options().dtype(at::kFloat));
  for (std::size_t e = 0; e < experts_.size(); ++e) {
    if (places[e].empty()) continue;
    const at::Tensor here = weights::send(places[e], x.device());
    const at::Tensor rows = x.index_select(0, here.div(n_each, "floor"));
    const at::Tensor inner = activated(multiply(experts_[e].gate_up, rows, has_fixed_rows));
    results.index_copy_(0, here, multiply(experts_[e].down, inner, has_fixed_rows).to(at::kFloat));
  }
  return results;
}

// The same of several processes: their parts of the inner layers of all experts are joined at once.
// [T * k, this one's part of C].
at::Tensor ExpertMlp::joined_results(const at::Tensor& x,
                                     const Places& places,
                                     bool has_fixed_rows,
                                     const JoinInner& join_inner) const {
  const std::int64_t n_each = settings_.n_per_token;
  at::Tensor inner;
  at::Tensor results;
  const auto for_used = [&](const auto& body) {
    for (std::size_t e = 0; e < experts_.size(); ++e) {
      if (!places[e].empty()) body(experts_[e], weights::send(places[e], x.device()));
    }
  };
  const auto put = [&](at::Tensor& all, const at::Tensor& here, const at::Tensor& rows) {
    if (!all.defined()) all = at::empty({x.size(0) * n_each, rows.size(1)}, rows.options());
    all.index_copy_(0, here, rows);
  };
  for_used([&](const Expert& expert, const at::Tensor& here) {
    const at::Tensor rows = x.index_select(0, here.div(n_each, "floor"));
    put(inner, here, activated(multiply(expert.gate_up, rows, has_fixed_rows)));
  });
  inner = join_inner(inner);
  for_used([&](const Expert& expert, const at::Tensor& here) {
    put(results, here,
        multiply(expert.down, inner.index_select(0, here), has_fixed_rows).to(at::kFloat));
  });
  return results;
}

at::Tensor ExpertMlp::operator()(const at::Tensor& x,
                                 bool has_fixed_rows,
                                 const JoinInner& join_inner) const {
  const std::int64_t n_rows = x.size(0);
  const std::int64_t n_each = settings_.n_per_token;
  const Routing routing =
      route(multiply(router_, x, has_fixed_rows).to(at::kFloat).cpu().contiguous(), settings_);
  // By expert, the places of its rows in [T, k].
  Places places(experts_.size());
  for (std::size_t i = 0; i < routing.experts.size(); ++i) {
    places[routing.experts[i]].push_back(static_cast<std::int64_t>(i));
  }
  at::Tensor results = join_inner ? joined_results(x, places, has_fixed_rows, join_inner)
                                  : this->results(x, places, has_fixed_rows);
  const at::Tensor weights = at::tensor(routing.weights).to(x.device()).view({n_rows, n_each, 1});
  results = results.view({n_rows, n_each, results.size(1)});
  // The likeliest expert first, one after the other.
  at::Tensor sum = results.select(1, 0) * weights.select(1, 0);
  for (std::int64_t i = 1; i < n_each; ++i) sum.add_(results.select(1, i) * weights.select(1, i));
  return sum;
}

}  // namespace labelprobe::model
