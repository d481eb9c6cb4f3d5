#include "training/lora/row_operators.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

namespace labelprobe::training {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct RmsNorm : torch::autograd::Function<RmsNorm> {
  static at::Tensor forward(AutogradContext* context,
                            const at::Tensor& x,
                            const at::Tensor& weight,
                            double epsilon) {
    const at::Tensor factor = at::rsqrt(at::mean(at::square(x), -1, true) + epsilon);
    context->save_for_backward({x, weight, factor});
    return (x * factor).mul_(weight);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &factor = saved[2];
    at::Tensor result = gradients[0] * saved[1];
    const at::Tensor share = at::mean(result * x, -1, true) * factor * factor;
    result.addcmul_(x, share, -1).mul_(factor);
    return {result, at::Tensor(), at::Tensor()};
  }
};

struct GatedSilu : torch::autograd::Function<GatedSilu> {
  static at::Tensor forward(AutogradContext* context,
                            const at::Tensor& gate,
                            const at::Tensor& up) {
    context->save_for_backward({gate, up});
    return at::silu(gate).mul_(up);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &gate = saved[0], &up = saved[1];
    return {at::silu_backward(gradients[0] * up, gate), at::silu(gate).mul_(gradients[0])};
  }
};

struct GatedGelu : torch::autograd::Function<GatedGelu> {
  static at::Tensor forward(AutogradContext* context,
                            const at::Tensor& gate,
                            const at::Tensor& up) {
    context->save_for_backward({gate, up});
    return at::gelu(gate, "tanh").mul_(up);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &gate = saved[0], &up = saved[1];
    return {at::gelu_backward(gradients[0] * up, gate, "tanh"),
            at::gelu(gate, "tanh").mul_(gradients[0])};
  }
};

// By the angle, or back.
at::Tensor turn(const at::Tensor& x,
                const at::Tensor& cosines,
                const at::Tensor& sines,
                double direction) {
  const std::int64_t half = cosines.size(-1), n_kept = x.size(-1) - 2 * half;
  const at::Tensor first = x.narrow(-1, 0, half), second = x.narrow(-1, half, half);
  at::Tensor turned = at::empty(x.sizes(), x.options());
  turned.narrow(-1, 0, half).copy_((first * cosines).addcmul_(second, sines, -direction));
  turned.narrow(-1, half, half).copy_((second * cosines).addcmul_(first, sines, direction));
  if (n_kept > 0) turned.narrow(-1, 2 * half, n_kept).copy_(x.narrow(-1, 2 * half, n_kept));
  return turned;
}

struct Rotation : torch::autograd::Function<Rotation> {
  static at::Tensor forward(AutogradContext* context,
                            const at::Tensor& x,
                            const at::Tensor& cosines,
                            const at::Tensor& sines) {
    context->save_for_backward({cosines, sines});
    return turn(x, cosines, sines, 1.0);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    return {turn(gradients[0], saved[0], saved[1], -1.0), at::Tensor(), at::Tensor()};
  }
};

constexpr std::int64_t kRowsOfChunk = 256;

}  // namespace

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon) {
  return RmsNorm::apply(x, weight, epsilon);
}

at::Tensor gated_silu(const at::Tensor& gate, const at::Tensor& up) {
  return GatedSilu::apply(gate, up);
}

at::Tensor gated_gelu(const at::Tensor& gate, const at::Tensor& up) {
  return GatedGelu::apply(gate, up);
}

at::Tensor rotate(const at::Tensor& x, const at::Tensor& cosines, const at::Tensor& sines) {
  return Rotation::apply(x, cosines.to(x.scalar_type()), sines.to(x.scalar_type()));
}

double cross_entropy(const at::Tensor& hidden,
                     const at::Tensor& head,
                     const LogitForm& form,
                     const at::Tensor& targets,
                     at::Tensor* gradient) {
  const std::int64_t n = hidden.size(0);
  if (gradient != nullptr)
    *gradient = at::empty(hidden.sizes(), hidden.options().dtype(at::kFloat));
  double sum = 0.0;
  for (std::int64_t first = 0; first < n; first += kRowsOfChunk) {
    const std::int64_t n_rows = std::min(kRowsOfChunk, n - first);
    const at::Tensor target = targets.narrow(0, first, n_rows).unsqueeze(1);
    at::Tensor logits = at::mm(hidden.narrow(0, first, n_rows), head.t()).to(at::kFloat);
    if (form.divisor != 1.0) logits.div_(form.divisor);
    at::Tensor capped;  // in parts of the cap
    if (form.softcap != 0.0) {
      capped = logits.div_(form.softcap).tanh_();
      logits = capped * form.softcap;
    }
    const at::Tensor largest = at::amax(logits, 1, true);
    logits.sub_(largest);
    const at::Tensor of_target = logits.gather(1, target);
    const at::Tensor exp_sum = logits.exp_().sum(1, true);
    sum += (exp_sum.log() - of_target).sum(at::kDouble).item<double>();
    if (gradient == nullptr) continue;
    logits.div_(exp_sum);
    logits.scatter_add_(1, target, at::full_like(exp_sum, -1.0));
    if (capped.defined()) logits.mul_(1 - capped.square_());
    if (form.divisor != 1.0) logits.div_(form.divisor);
    gradient->narrow(0, first, n_rows).copy_(at::mm(logits.to(head.scalar_type()), head));
  }
  return sum;
}

}  // namespace labelprobe::training
