// One include for both Catch2 generations: version 2 (Debian 12) and version 3 (Ubuntu 24.04).
#pragma once

#include <iostream>

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
#else
#include <catch2/catch.hpp>
inline auto ContainsSubstring(const std::string& part) {
  return Catch::Matchers::Contains(part);
}
#endif

// Leaves the test case and says why on standard error, so that a skipped test is seen.
#define SKIP_ALOUD(reason)                             \
  do {                                                 \
    std::cerr << "SKIPPED: " << (reason) << std::endl; \
    return;                                            \
  } while (false)
