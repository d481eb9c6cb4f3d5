// Follows CPython's Objects/setobject.c, 3.8 to 3.13, for integers below 2^31 (whose hash is the
// number itself).
#include "labelprobe/python/set_order.h"

#include <algorithm>
#include <utility>

#include "labelprobe/core/error.h"

namespace labelprobe::python {

namespace {

constexpr std::size_t kLinearProbes = 9;
constexpr int kPerturbShift = 5;
constexpr std::size_t kLargeSet = 50000;  // above it a table grows by two instead of four

std::size_t grown(std::size_t n_used) {
  return n_used > kLargeSet ? n_used * 2 : n_used * 4;
}

}  // namespace

PythonSet::PythonSet(std::span<const int> numbers) : PythonSet() {
  for (const int number : numbers) {
    LABELPROBE_CHECK(number >= 0);
    add(number);
  }
}

// The slot that holds `number`, or the empty slot where its probe sequence ends.
std::size_t PythonSet::find(int number) const {
  const std::size_t mask = slots_.size() - 1;
  auto perturb = static_cast<std::size_t>(number);
  std::size_t start = perturb & mask;
  while (true) {
    const std::size_t last = start + kLinearProbes <= mask ? start + kLinearProbes : start;
    for (std::size_t at = start; at <= last; ++at) {
      if (slots_[at] == kEmpty || slots_[at] == number) {
        return at;
      }
    }
    perturb >>= kPerturbShift;
    start = (start * 5 + 1 + perturb) & mask;
  }
}

void PythonSet::add(int number) {
  int& slot = slots_[find(number)];
  if (slot == number) {
    return;
  }
  slot = number;
  ++n_used_;
  ++n_filled_;
  if (n_filled_ * 5 >= (slots_.size() - 1) * 3) {
    resize(grown(n_used_));
  }
}

void PythonSet::resize(std::size_t minimum) {
  std::size_t n_slots = kMinSlots;
  while (n_slots <= minimum) {
    n_slots *= 2;
  }
  const std::vector<int> before = std::exchange(slots_, std::vector<int>(n_slots, kEmpty));
  n_filled_ = n_used_;
  for (const int number : before) {
    if (number >= 0) {
      slots_[find(number)] = number;
    }
  }
}

PythonSet PythonSet::difference(std::span<const int> removed) const {
  PythonSet rest;
  if (n_used_ * 5 >= (kMinSlots - 1) * 3) {
    rest.resize(n_used_ * 2);
  }
  if (rest.slots_.size() == slots_.size() && n_filled_ == n_used_) {
    rest.slots_ = slots_;
  } else {
    for (const int number : slots_) {
      if (number >= 0) {
        rest.slots_[rest.find(number)] = number;
      }
    }
  }
  rest.n_used_ = n_used_;
  rest.n_filled_ = n_used_;
  for (const int number : removed) {
    if (number < 0) {
      continue;
    }
    int& slot = rest.slots_[rest.find(number)];
    if (slot == number) {
      slot = kDeleted;
      --rest.n_used_;
    }
  }
  if (rest.n_filled_ - rest.n_used_ > (rest.slots_.size() - 1) / 4) {
    rest.resize(grown(rest.n_used_));
  }
  return rest;
}

PythonSet PythonSet::difference_of_sets(std::span<const int> removed) const {
  if (n_used_ / 4 > removed.size()) {
    return difference(removed);
  }
  PythonSet rest;
  for (const int number : slots_) {
    if (number >= 0 && std::find(removed.begin(), removed.end(), number) == removed.end()) {
      rest.add(number);
    }
  }
  return rest;
}

std::vector<int> PythonSet::items() const {
  std::vector<int> numbers;
  numbers.reserve(n_used_);
  for (const int number : slots_) {
    if (number >= 0) {
      numbers.push_back(number);
    }
  }
  return numbers;
}

}  // namespace labelprobe::python
