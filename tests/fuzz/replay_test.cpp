// Calls every fuzz target with its seeds and with what is left of them when they are cut off, so
// that targets stay able to run, and that what fuzzing has found stays mended.
#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "fuzz/input.h"
#include "fuzz_targets.h"
#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace fs = std::filesystem;
using labelprobe::fuzz::kTargets;
using labelprobe::fuzz::Target;
using labelprobe::support::read_file;

namespace {

// A longer seed is cut at as many places, not at each byte.
constexpr std::size_t kMostTruncations = 64;

fs::path seeds_folder() {
  return labelprobe::support::source_folder() / "tests/fuzz/seeds";
}

std::vector<fs::path> seeds_of(const Target& target) {
  std::vector<fs::path> seeds;
  for (const auto& entry : fs::directory_iterator(seeds_folder() / target.name)) {
    seeds.push_back(entry.path());
  }
  std::sort(seeds.begin(), seeds.end());
  return seeds;
}

}  // namespace

TEST_CASE("Fuzz targets refuse truncated seeds with errors of the user's kinds", "[fuzz]") {
  for (const Target& target : kTargets) {
    for (const fs::path& seed : seeds_of(target)) {
      const std::string bytes = read_file(seed);
      const std::size_t step = std::max<std::size_t>(1, bytes.size() / kMostTruncations);
      for (std::size_t n = 0; n < bytes.size(); n += step) {
        INFO(seed.string() << ", the first " << n << " bytes");
        CHECK_NOTHROW(
            labelprobe::fuzz::attempt([&] { target.run(std::string_view(bytes).substr(0, n)); }));
      }
    }
  }
}

// A target whose every seed is refused at once would find nothing.
TEST_CASE("Every fuzz target takes one of its seeds", "[fuzz]") {
  for (const Target& target : kTargets) {
    bool is_taken = false;
    for (const fs::path& seed : seeds_of(target)) {
      try {
        target.run(read_file(seed));
        is_taken = true;
      } catch (const labelprobe::Error& error) {
        UNSCOPED_INFO(seed.string() << ": " << error.what());
      }
    }
    INFO(target.name);
    CHECK(is_taken);
  }
}

TEST_CASE("Seeds belong to fuzz targets", "[fuzz]") {
  std::set<std::string> names;
  for (const Target& target : kTargets) names.insert(target.name);
  for (const auto& entry : fs::directory_iterator(seeds_folder())) {
    INFO(entry.path().string());
    CHECK(names.contains(entry.path().filename().string()));
  }
}
