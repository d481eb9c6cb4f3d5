#include "labelprobe/core/fingerprint.h"

#include "support/catch.h"

namespace labelprobe {
namespace {

std::string fingerprint_of_bytes(const std::string& bytes) {
  Fingerprint print;
  print.add(std::as_bytes(std::span(bytes)));
  return print.hex();
}

// Reference: python-xxhash 4.1.0, xxhash.xxh3_128_hexdigest(...).
TEST_CASE("Is the XXH3-128 hash of the bytes, high half first", "[fingerprint]") {
  CHECK(fingerprint_of_bytes("") == "99aa06d3014798d86001c324468d497f");
  CHECK(fingerprint_of_bytes("labelprobe") == "d1082d1ca3d937cbf12265b50de465b5");
  CHECK(fingerprint_of_bytes(std::string(1000, 'x')) == "50a1af5a5f2dcf01c0a4877b962cba82");
}

TEST_CASE("Adding bytes in parts or at once makes no difference", "[fingerprint]") {
  const std::string parts[] = {"label", "", "probe"};
  Fingerprint print;
  for (const std::string& part : parts) {
    print.add(std::as_bytes(std::span(part)));
  }
  CHECK(print.hex() == "d1082d1ca3d937cbf12265b50de465b5");
}

TEST_CASE("Puts the length of a text before it, so that texts do not run together",
          "[fingerprint]") {
  CHECK(fingerprint("labelprobe") == "89c6db4e12928701b72b1d1dbb19a938");
  Fingerprint ab_c;
  ab_c.add("ab");
  ab_c.add("c");
  Fingerprint a_bc;
  a_bc.add("a");
  a_bc.add("bc");
  CHECK(ab_c.hex() != a_bc.hex());
}

}  // namespace
}  // namespace labelprobe
