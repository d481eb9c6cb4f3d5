// What keeps logits of Gemma 2 within bounds.
#pragma once

#include <ATen/core/Tensor.h>

namespace labelprobe::model {

// Each number x of a float32 tensor becomes cap * tanh(x / cap). On a CPU a number's bits do not
// depend on where it stands.
at::Tensor softcapped(const at::Tensor& numbers, double cap);

}  // namespace labelprobe::model
