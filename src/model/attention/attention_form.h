// How the attention of a layer differs from the plain one, in which a row sees all positions of its
// text up to its own.
//   K  key heads   G  query heads per key head   D  head size
#pragma once

#include <cmath>
#include <cstdint>

#include <ATen/core/Tensor.h>

namespace labelprobe::model {

struct AttentionForm {
  double scale = 0.0;       // of products of queries and keys; 0 = 1 / sqrt(D)
  double softcap = 0.0;     // a score s becomes softcap * tanh(s / softcap); 0 = it stays
  std::int64_t window = 0;  // a row sees so many positions, the last its own; 0 = all
  // [K * G], float32, on the layer's device: one more score for every head, whose value is 0.
  at::Tensor sinks;  // undefined = none

  double scale_of(std::int64_t n_dims) const {
    return scale != 0.0 ? scale : 1.0 / std::sqrt(static_cast<double>(n_dims));
  }
};

}  // namespace labelprobe::model
