#include "labelprobe/python/random.h"

#include <algorithm>
#include <bit>
#include <unordered_set>

namespace labelprobe::python {

namespace {

constexpr std::size_t kStateSize = 624;
constexpr std::size_t kMiddle = 397;

// The reference seeding of MT19937 from one word (Matsumoto and Nishimura, 2002).
void init_genrand(std::array<std::uint32_t, kStateSize>& state, std::uint32_t seed) {
  state[0] = seed;
  for (std::uint32_t i = 1; i < kStateSize; ++i) {
    state[i] = 1812433253u * (state[i - 1] ^ (state[i - 1] >> 30)) + i;
  }
}

// The reference seeding from an array of words, which CPython uses for every integer.
void init_by_array(std::array<std::uint32_t, kStateSize>& state,
                   std::span<const std::uint32_t> key) {
  init_genrand(state, 19650218u);
  std::size_t i = 1;
  std::size_t j = 0;
  const auto step = [&] {
    if (++i >= kStateSize) {
      state[0] = state[kStateSize - 1];
      i = 1;
    }
  };
  for (std::size_t k = std::max(kStateSize, key.size()); k > 0; --k) {
    state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >> 30)) * 1664525u)) + key[j] +
               static_cast<std::uint32_t>(j);
    step();
    j = j + 1 < key.size() ? j + 1 : 0;
  }
  for (std::size_t k = kStateSize - 1; k > 0; --k) {
    state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >> 30)) * 1566083941u)) -
               static_cast<std::uint32_t>(i);
    step();
  }
  state[0] = 0x80000000u;
}

// Above this population size CPython remembers what it drew instead of copying the population.
std::uint64_t pool_limit(std::uint64_t k) {
  std::uint64_t power = 1;
  while (power < 3 * k) {
    power *= 4;
  }
  return 21 + (k > 5 ? power : 0);
}

}  // namespace

Random::Random(std::int64_t seed) {
  this->seed(seed);
}

void Random::seed(std::int64_t seed) {
  const auto bits = static_cast<std::uint64_t>(seed);
  const std::uint64_t magnitude = seed < 0 ? 0 - bits : bits;
  const std::uint32_t key[] = {static_cast<std::uint32_t>(magnitude),
                               static_cast<std::uint32_t>(magnitude >> 32)};
  init_by_array(state_, std::span(key, key[1] != 0 ? 2 : 1));
  next_ = static_cast<int>(kStateSize);
}

std::uint32_t Random::next_output() {
  if (next_ == static_cast<int>(kStateSize)) {
    for (std::size_t i = 0; i < kStateSize; ++i) {
      const std::uint32_t joined =
          (state_[i] & 0x80000000u) | (state_[(i + 1) % kStateSize] & 0x7FFFFFFFu);
      state_[i] = state_[(i + kMiddle) % kStateSize] ^ (joined >> 1) ^
                  ((joined & 1u) != 0 ? 0x9908B0DFu : 0u);
    }
    next_ = 0;
  }
  std::uint32_t output = state_[static_cast<std::size_t>(next_++)];
  output ^= output >> 11;
  output ^= (output << 7) & 0x9D2C5680u;
  output ^= (output << 15) & 0xEFC60000u;
  return output ^ (output >> 18);
}

std::uint32_t Random::getrandbits(int n_bits) {
  LABELPROBE_CHECK(n_bits >= 1 && n_bits <= 32);
  return next_output() >> (32 - n_bits);
}

double Random::random() {
  const std::uint32_t high = next_output() >> 5;
  const std::uint32_t low = next_output() >> 6;
  return (high * 67108864.0 + low) / 9007199254740992.0;
}

std::uint32_t Random::randbelow(std::uint32_t n) {
  LABELPROBE_CHECK(n > 0);
  const int n_bits = std::bit_width(n);
  std::uint32_t drawn = getrandbits(n_bits);
  while (drawn >= n) {
    drawn = getrandbits(n_bits);
  }
  return drawn;
}

std::int64_t Random::randint(std::int64_t low, std::int64_t high) {
  LABELPROBE_CHECK(low <= high);
  const std::uint64_t n = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
  LABELPROBE_CHECK(n > 0);
  const int n_bits = std::bit_width(n);
  std::uint64_t drawn = 0;
  do {
    // Wide numbers are put together from 32-bit outputs, the lowest first.
    drawn = getrandbits(std::min(n_bits, 32));
    if (n_bits > 32) {
      drawn |= static_cast<std::uint64_t>(getrandbits(n_bits - 32)) << 32;
    }
  } while (drawn >= n);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + drawn);
}

std::vector<int> Random::sample(std::span<const int> population, int k) {
  LABELPROBE_CHECK(k >= 0 && static_cast<std::size_t>(k) <= population.size());
  const std::size_t n = population.size();
  const auto n_drawn = static_cast<std::size_t>(k);
  std::vector<int> drawn;
  drawn.reserve(n_drawn);
  if (n <= pool_limit(n_drawn)) {
    std::vector<int> pool(population.begin(), population.end());
    for (std::size_t i = 0; i < n_drawn; ++i) {
      const std::uint32_t at = randbelow(static_cast<std::uint32_t>(n - i));
      drawn.push_back(pool[at]);
      pool[at] = pool[n - i - 1];
    }
    return drawn;
  }
  std::unordered_set<std::uint32_t> taken;
  for (std::size_t i = 0; i < n_drawn; ++i) {
    std::uint32_t at = randbelow(static_cast<std::uint32_t>(n));
    while (!taken.insert(at).second) {
      at = randbelow(static_cast<std::uint32_t>(n));
    }
    drawn.push_back(population[at]);
  }
  return drawn;
}

}  // namespace labelprobe::python
