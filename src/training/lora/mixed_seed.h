// Seeds of what is drawn at several places from one seed.
#pragma once

#include <cstdint>

namespace labelprobe::training {

// Numbers that differ in any argument give unrelated seeds (the finaliser of SplitMix64).
inline std::uint64_t mixed_seed(std::uint64_t seed, std::uint64_t number) {
  std::uint64_t z = seed + 0x9E3779B97F4A7C15U * (number + 1);
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

}  // namespace labelprobe::training
