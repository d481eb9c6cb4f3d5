// Normal numbers by position: the n-th one of a stream costs no more than the first, so that any
// number of threads can make them and the result is always the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "labelprobe/weights/precision.h"

namespace labelprobe::weights {

// How large random weights are: transformers' initialisation.
constexpr double kStandardDeviation = 0.02;

// Numbers made at a time: few enough to stay in a core's cache between being made, quantised and
// written. A multiple of the 64 elements that share an absmax.
constexpr std::int64_t kPieceNumbers = std::int64_t{256} << 10;

class NormalNumbers {
 public:
  // Numbers of mean 0 and this standard deviation, in the bytes of `dtype`. They take 65,536
  // values, the middles of as many equally likely intervals: one look-up each, as fast as a disk
  // writes.
  NormalNumbers(DType dtype, double standard_deviation);

  std::size_t element_size() const { return element_size_; }

  // Numbers first, first + 1, ... of the stream `key`, as many as `out` holds. `first` must be a
  // multiple of 4.
  void fill(std::uint64_t key, std::int64_t first, std::span<std::byte> out) const;

 private:
  std::size_t element_size_;
  std::vector<std::byte> values_;  // [65536] of element_size bytes, ascending
};

}  // namespace labelprobe::weights
