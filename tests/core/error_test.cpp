#include "labelprobe/core/error.h"

#include <vector>

#include "support/catch.h"

namespace labelprobe {
namespace {

const std::vector<std::string> kKnown = {"shot", "seed", "label_format", "sampling_strategy"};

TEST_CASE("Finds the known word that a typing error meant", "[error]") {
  CHECK(nearest_choice("shots", kKnown) == "shot");
  CHECK(nearest_choice("sede", kKnown) == "seed");
  CHECK(nearest_choice("Label-Format", kKnown) == "label_format");
  CHECK(nearest_choice("sampling", kKnown) == "sampling_strategy");
  CHECK(nearest_choice("labelformat", kKnown) == "label_format");
}

TEST_CASE("Suggests nothing where nothing is near", "[error]") {
  CHECK(nearest_choice("temperature", kKnown).empty());
  CHECK(nearest_choice("", kKnown).empty());
  CHECK(nearest_choice("x", {}).empty());
}

TEST_CASE("Lists the known words of an unknown choice, and asks only when one is near", "[error]") {
  CHECK(unknown_choice("key", "shots", kKnown) ==
        "unknown key 'shots'; did you mean 'shot'? (known: shot, seed, label_format, "
        "sampling_strategy)");
  CHECK(unknown_choice("key", "temperature", kKnown) ==
        "unknown key 'temperature' (known: shot, seed, label_format, sampling_strategy)");
}

TEST_CASE("A failed check is an InternalError that names its condition and place", "[error]") {
  const int n_labels = 0;
  CHECK_NOTHROW([&] { LABELPROBE_CHECK(n_labels == 0); }());
  CHECK_THROWS_AS([&] { LABELPROBE_CHECK(n_labels > 0); }(), InternalError);
  try {
    LABELPROBE_CHECK(n_labels > 0);
  } catch (const InternalError& error) {
    CHECK_THAT(error.what(), ContainsSubstring("n_labels > 0"));
    CHECK_THAT(error.what(), ContainsSubstring("error_test.cpp:"));
  }
}

TEST_CASE("Every kind of error is one family", "[error]") {
  CHECK_THROWS_AS(throw ConfigError("c"), Error);
  CHECK_THROWS_AS(throw DataError("d"), Error);
  CHECK_THROWS_AS(throw ModelError("m"), Error);
}

}  // namespace
}  // namespace labelprobe
