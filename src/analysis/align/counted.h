// Examples that fulfil a condition, for warnings.
#pragma once

#include <cstddef>
#include <string>

#include <fmt/format.h>

namespace labelprobe::analysis {

// How many there are, and the first of them.
struct Counted {
  std::size_t n = 0;
  std::string first;
};

template <typename Map, typename Condition>
Counted count_ids(const Map& by_id, const Condition& holds) {
  Counted counted;
  for (const auto& [id, content] : by_id) {
    if (!holds(id)) continue;
    if (counted.n++ == 0) counted.first = id;
  }
  return counted;
}

inline std::string n_of(std::size_t n, std::size_t n_all) {
  return fmt::format("{} of {}", n, n_all);
}

}  // namespace labelprobe::analysis
