// CPython's `random.Random`, bit for bit (3.8 to 3.13): MT19937 seeded through init_by_array, and
// the draws built on it. Demonstrations drawn here are those that the published Python code draws
// with the same seed.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "labelprobe/core/error.h"

namespace labelprobe::python {

class Random {
 public:
  // random.seed(seed); the sign is ignored, as in CPython.
  explicit Random(std::int64_t seed);
  void seed(std::int64_t seed);

  // The high `n_bits` (1 to 32) of the next 32-bit output.
  std::uint32_t getrandbits(int n_bits);

  // Uniform in [0, 1), 53 bits, two outputs.
  double random();

  // Uniform in [0, n); n from 1 to 2^32 - 1.
  std::uint32_t randbelow(std::uint32_t n);

  // Uniform in [low, high], both included; high - low + 1 below 2^64.
  std::int64_t randint(std::int64_t low, std::int64_t high);

  template <class T>
  const T& choice(std::span<const T> items) {
    LABELPROBE_CHECK(!items.empty());
    return items[randbelow(static_cast<std::uint32_t>(items.size()))];
  }

  template <class T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i-- > 1;) {
      std::swap(items[i], items[randbelow(static_cast<std::uint32_t>(i + 1))]);
    }
  }

  // random.sample: k items of the population in drawing order. Throws InternalError if k exceeds
  // its size.
  std::vector<int> sample(std::span<const int> population, int k);

 private:
  std::uint32_t next_output();

  std::array<std::uint32_t, 624> state_{};
  int next_ = 624;
};

}  // namespace labelprobe::python
