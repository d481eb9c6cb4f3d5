#include "weights/device/threads.h"

#include <algorithm>

#include <sched.h>

#include "weights/device/device.h"

namespace labelprobe::weights {

int n_threads_of(int n_asked) {
  if (n_asked <= 0) return n_physical_cores();
  constexpr int kMostPerProcessor = 4;
  cpu_set_t mask;
  CPU_ZERO(&mask);
  const int n_processors = ::sched_getaffinity(0, sizeof mask, &mask) == 0 ? CPU_COUNT(&mask) : 1;
  return std::min(n_asked, kMostPerProcessor * std::max(1, n_processors));
}

}  // namespace labelprobe::weights
