// How far numbers of the engine may lie from the float32 reference on the CPU, by device and type:
// the one table that tests ask.
#pragma once

#include <cstddef>
#include <span>
#include <sstream>
#include <string>
#include <string_view>

#include "labelprobe/model/language_model.h"

namespace labelprobe::support {

// Largest differences allowed.
struct Tolerance {
  double logit;  // for logits of the size of 10
  double prob;
};

inline Tolerance tolerance_for(std::string_view device, weights::DType dtype) {
  const bool is_cpu = device == "cpu";
  switch (dtype) {
    case weights::DType::Float32:
      return is_cpu ? Tolerance{1e-4, 1e-5} : Tolerance{1e-3, 1e-4};
    case weights::DType::Float16:
      return {0.08, 0.02};
    case weights::DType::BFloat16:
      break;
  }
  return {0.6, 0.12};
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
