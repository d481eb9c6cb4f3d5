// How far numbers of the engine may lie from the float32 reference on the CPU, by device and type:
// the one table that tests ask.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <sstream>
#include <string>
#include <string_view>

#include "labelprobe/model/language_model.h"

namespace labelprobe::support {

// The largest relative error of rounding a number to a type.
inline double roundoff(weights::DType dtype) {
  switch (dtype) {
    case weights::DType::Float32:
      return 1.0 / (1 << 24);
    case weights::DType::Float16:
      return 1.0 / (1 << 11);
    case weights::DType::BFloat16:
      break;
  }
  return 1.0 / (1 << 8);
}

// How far results of one step may lie from the exact ones, as a share (`distance` of tensors): each
// rounding to the type adds its own error; the error of a float32 sum grows with the root of its
// length (Higham and Mary 2019, with a constant of 4 for a probability of nearly 1).
inline double rounding_share(weights::DType dtype, int n_roundings, double n_summed) {
  return n_roundings * roundoff(dtype) +
         4 * std::sqrt(n_summed) * roundoff(weights::DType::Float32);
}

struct Tolerance {
  double logit;  // largest difference of one, for logits of the size of 10
  double share;  // of many prompts' logits together, as `distance` of tensors gives it
};

// A logit of the two-layer models of the fixtures has gone through 42 roundings. In each layer 18:
// two norms (3 each: scaled, weight, product), four weights, two products, rotation, attention,
// silu, gate, and two sums; at the ends 6: embedding, a norm, head and logit. They add up as
// independent errors do, by the root of their number, and norms and softmax hardly double that,
// seen over many prompts. One logit of one prompt can be far off, where a norm divides by little:
// it is held to all roundings pulling one way.
inline Tolerance tolerance_for(std::string_view device, weights::DType dtype) {
  constexpr double kRoundings = 42;
  constexpr double kLogit = 10;
  constexpr double kSummed = 64;  // products in a sum; half types are summed in float32
  const bool is_wide = dtype == weights::DType::Float32;
  const double error = roundoff(dtype) * (is_wide ? std::sqrt(kSummed) : 1);
  const Tolerance derived{kRoundings * kLogit * error, 2 * std::sqrt(kRoundings) * error};
  // A CPU's float32 sums are nearer to the reference's, which were made on one.
  return is_wide && device == "cpu" ? Tolerance{1e-4, derived.share} : derived;
}

// Empty if all numbers agree; else index, both values, and the largest difference.
inline std::string differences(std::span<const float> found,
                               std::span<const float> expected,
                               double allowed) {
  std::ostringstream text;
  if (found.size() != expected.size()) {
    text << "expected " << expected.size() << " numbers, found " << found.size();
    return text.str();
  }
  double largest = -1;
  std::size_t where = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double difference = std::abs(double{found[i]} - double{expected[i]});
    // A NaN fails too.
    if (!(difference <= largest)) {
      largest = difference;
      where = i;
      if (difference != difference) break;
    }
  }
  if (!found.empty() && !(largest <= allowed)) {
    text << "largest difference " << largest << " (allowed " << allowed << ") at index " << where
         << ": expected " << expected[where] << ", found " << found[where];
  }
  return text.str();
}

}  // namespace labelprobe::support
