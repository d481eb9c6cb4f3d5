// An MLP of which each token uses a few parts only: a router scores the experts, and the results of
// the likeliest ones are added by their weights. The rows that an expert gets are multiplied
// together; a row's numbers do not depend on which others it gets.
//   T  rows (tokens)   C  hidden size   E  experts   F  width of an expert's inner layer
//   k  experts that a token uses
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "model/products/linear.h"
#include "weights/families/decoder_config.h"

namespace labelprobe::model {

// Which experts the rows go to. Experts of equal scores are taken in their order.
struct Routing {
  std::vector<std::int64_t> experts;  // [T, k], the likeliest first
  std::vector<float> weights;         // [T, k]
};

// scores [T, E], float32, on the CPU. The weights are those of the softmax over all experts; where
// they are normed, of that over the chosen ones.
Routing route(const at::Tensor& scores, const weights::Experts& experts);

// The activation of gpt-oss: (up + 1) * gate * sigmoid(alpha * gate) of gate_up [T, 2 F] = gate |
// up, gates cut at the limit above, ups on both sides. The result is [T, F].
at::Tensor clamped_swiglu(const at::Tensor& gate_up, double alpha, double limit);

class ExpertMlp {
 public:
  struct Expert {
    Linear gate_up;  // gate over up, [2 F, C]
    Linear down;     // [C, F]
  };

  ExpertMlp() = default;
  //   router  [E, C]
  ExpertMlp(weights::Experts settings, Linear router, std::vector<Expert> experts);

  // What the MLP adds for x [T, C]: [T, C], float32. Each product has kFixedRows rows if asked for
  // (fixed_rows.h). On a GPU the host waits for the router.
  //   join_inner  of several processes that have a part of each expert each: from their part of the
  //               inner layer [T * k, their F] to the whole; unset where this one has it all
  using JoinInner = std::function<at::Tensor(const at::Tensor&)>;
  at::Tensor operator()(const at::Tensor& x,
                        bool has_fixed_rows,
                        const JoinInner& join_inner = {}) const;

 private:
  at::Tensor activated(at::Tensor gate_up) const;
  // By expert, the places of its rows in [T, k].
  using Places = std::vector<std::vector<std::int64_t>>;
  at::Tensor results(const at::Tensor& x, const Places& places, bool has_fixed_rows) const;
  at::Tensor joined_results(const at::Tensor& x,
                            const Places& places,
                            bool has_fixed_rows,
                            const JoinInner& join_inner) const;

  weights::Experts settings_;
  Linear router_;
  std::vector<Expert> experts_;
};

}  // namespace labelprobe::model
