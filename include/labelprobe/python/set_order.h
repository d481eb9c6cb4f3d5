// The order in which CPython iterates over a set of non-negative integers. Published demonstrations
// were drawn from sets, so their positions depend on it. Not a general set: only what the samplers
// need.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace labelprobe::python {

class PythonSet {
 public:
  PythonSet() : slots_(kMinSlots, kEmpty) {}

  // set(numbers), inserted in the order given.
  explicit PythonSet(std::span<const int> numbers);

  // set.difference(list(removed)). Costs a pass over the table.
  PythonSet difference(std::span<const int> removed) const;

  // set.difference(set(removed)), which CPython builds in another way if `removed` is not much
  // smaller than the set. `removed` has no repeats.
  PythonSet difference_of_sets(std::span<const int> removed) const;

  // list(set): the numbers in iteration order.
  std::vector<int> items() const;

  std::size_t size() const { return n_used_; }

 private:
  static constexpr std::size_t kMinSlots = 8;
  static constexpr int kEmpty = -1;
  static constexpr int kDeleted = -2;

  std::size_t find(int number) const;
  void add(int number);
  void resize(std::size_t minimum);

  std::vector<int> slots_;    // a power of two of them
  std::size_t n_used_ = 0;    // slots that hold a number
  std::size_t n_filled_ = 0;  // slots that hold or held one
};

}  // namespace labelprobe::python
