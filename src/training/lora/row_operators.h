// What stands between the products of a block, with its gradients: little is kept from forward to
// backward, and little is computed twice.
#pragma once

#include <ATen/core/Tensor.h>

namespace labelprobe::training {

// weight * x / sqrt(mean(x^2) + epsilon) over the last dimension; x float32 [N, C], weight float32
// [C] without a gradient.
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon);

// silu(gate) * up, of equal shapes.
at::Tensor gated_silu(const at::Tensor& gate, const at::Tensor& up);

// The same with GELU in its approximation by tanh.
at::Tensor gated_gelu(const at::Tensor& gate, const at::Tensor& up);

// Turns the pairs (i, i + R/2) of the first R numbers of heads x [B, H, T, D] by angles whose
// cosines and sines [T, R/2] are given, times a factor or not.
at::Tensor rotate(const at::Tensor& x, const at::Tensor& cosines, const at::Tensor& sines);

// What becomes of a product with the head: it is divided, and then c becomes
// softcap * tanh(c / softcap).
struct LogitForm {
  double divisor = 1.0;
  double softcap = 0.0;  // 0 = it stays
};

// The sum of the negative log-likelihoods of targets [n] (int64) under the logits that `form` makes
// of hidden [n, C] times head [V, C]. They are made in chunks of rows, of which none is kept: the
// gradient for `hidden` is computed along, if it is asked for, and replaces what `gradient` was.
double cross_entropy(const at::Tensor& hidden,
                     const at::Tensor& head,
                     const LogitForm& form,
                     const at::Tensor& targets,
                     at::Tensor* gradient);

}  // namespace labelprobe::training
