// numpy's legacy generator, `numpy.random.RandomState(seed)`, bit for bit: what scikit-learn splits
// and shuffles with. Only the draws that it makes there.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace labelprobe::python {

class NumpyRandom {
 public:
  // The standard library's seeding from one word is numpy's.
  explicit NumpyRandom(std::uint32_t seed) : engine_(seed) {}

  // Uniform in [low, high), as `randint(low, high)`; high - low from 1 to 2^32 - 1.
  std::int64_t randint(std::int64_t low, std::int64_t high);

  // 0 to n - 1 in drawn order, as `permutation(n)`.
  std::vector<int> permutation(int n);

 private:
  // Uniform in [0, most]: outputs under the smallest mask that holds `most`, until one fits.
  std::uint32_t bounded(std::uint32_t most);

  std::mt19937 engine_;
};

}  // namespace labelprobe::python
