// The attention of single rows, with its weights in sight: how much of it goes to which positions
// of the text, and what these positions add. Beside the fast ways, for the few rows that somebody
// looks at. On the CPU a row's numbers do not depend on where the arena has its keys, nor on the
// number of threads.
//   K  key heads   G  query heads per key head   D  head size   N  rows of the arena
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "labelprobe/model/explorer.h"

#include "model/attention/attention_form.h"
#include "model/attention/key_segment.h"

namespace labelprobe::model {

// Weights of a row's heads after the softmax.
class RowWeights {
 public:
  // queries [K, G, D], keys [N, K, D]; the runs hold the positions from 0 on, each once, in any
  // order. Through a window a row gives nothing to those it has passed; what goes to a sink is no
  // position's.
  RowWeights(const at::Tensor& queries,
             const at::Tensor& keys,
             std::vector<KeySpan> runs,
             const AttentionForm& form = {});

  // The weights of all these positions together, by head: [K * G], float32, on the CPU.
  std::vector<float> sums(const Positions& positions) const;

  // What the positions add to the row's result, values [N, K, D]: [K * G * D], float32, on the
  // values' device.
  at::Tensor contribution(const Positions& positions, const at::Tensor& values) const;

 private:
  std::vector<KeySpan> runs_;  // by position
  at::Tensor weights_;         // [K, G, positions], float32
};

}  // namespace labelprobe::model
