#include "labelprobe/python/numpy_random.h"

#include <bit>
#include <numeric>
#include <utility>

#include "labelprobe/core/error.h"

namespace labelprobe::python {

std::uint32_t NumpyRandom::bounded(std::uint32_t most) {
  if (most == 0) return 0;
  const std::uint32_t mask = ~std::uint32_t{0} >> std::countl_zero(most);
  for (;;) {
    const std::uint32_t drawn = static_cast<std::uint32_t>(engine_()) & mask;
    if (drawn <= most) return drawn;
  }
}

std::int64_t NumpyRandom::randint(std::int64_t low, std::int64_t high) {
  LABELPROBE_CHECK(low < high && high - low - 1 <= std::int64_t{0xFFFFFFFF});
  return low + bounded(static_cast<std::uint32_t>(high - low - 1));
}

std::vector<int> NumpyRandom::permutation(int n) {
  LABELPROBE_CHECK(n >= 0);
  std::vector<int> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size(); i-- > 1;) {
    std::swap(order[i], order[bounded(static_cast<std::uint32_t>(i))]);
  }
  return order;
}

}  // namespace labelprobe::python
