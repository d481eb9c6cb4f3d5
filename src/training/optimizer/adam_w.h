// AdamW (Loshchilov and Hutter 2019) as libtorch computes it, with a state that can be kept in a
// file and read back to the same bits. All of its numbers are float32 on the parameters' device.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace labelprobe::training {

// A tensor that is trained: a leaf that requires its gradient, float32.
struct NamedParameter {
  std::string name;
  at::Tensor tensor;
};

struct AdamWSettings {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.0;
};

class AdamW {
 public:
  // The parameters' names differ. Throws ConfigError for betas outside [0, 1) and for a negative
  // epsilon or decay.
  AdamW(std::vector<NamedParameter> parameters, const AdamWSettings& settings);
  ~AdamW();
  AdamW(AdamW&&) noexcept;
  AdamW& operator=(AdamW&&) noexcept;

  const std::vector<NamedParameter>& parameters() const { return parameters_; }

  // One step down the gradients that backward() has left. A parameter without a gradient stays as
  // it is.
  void step(double learning_rate);

  // Forgets the gradients; they are added up until then.
  void zero_gradients();

  // "NAME.exp_avg" and "NAME.exp_avg_sq", in the shape of the parameter, and "NAME.step", one
  // int64; of each parameter that has had a step. The first two are the optimizer's own memory, not
  // copies.
  std::map<std::string, at::Tensor> state() const;

  // Goes on where the optimizer that state() was taken of stood. Throws DataError for tensors that
  // are missing, left over or of another shape.
  void set_state(const std::map<std::string, at::Tensor>& state);

 private:
  struct Torch;  // libtorch's optimizer, whose headers take seconds to compile
  std::vector<NamedParameter> parameters_;
  std::unique_ptr<Torch> torch_;
};

// Scales all gradients by one factor so that their common norm (the root of the sum of squares) is
// at most `max_norm`, as torch.nn.utils.clip_grad_norm_ does: the factor is max_norm / (norm +
// 1e-6), if that is below 1. Returns the norm before; an infinite `max_norm` only measures it.
double clip_gradients(const std::vector<NamedParameter>& parameters, double max_norm);

}  // namespace labelprobe::training
