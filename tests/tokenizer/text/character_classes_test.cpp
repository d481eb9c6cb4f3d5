// What the characters of all of Unicode are to the reference, and to us.
#include <vector>

#include "labelprobe/core/error.h"

#include "tokenizer/reference_check.h"
#include "tokenizer/text/regex.h"
#include "tokenizer/text/unicode.h"

namespace labelprobe::tokenizer {
namespace {

constexpr std::uint32_t kNoCode = 0x110000;

bool is_surrogate(std::uint32_t code) {
  return code >= 0xD800 && code <= 0xDFFF;
}

// The first code point that is in one of the two sets only; kNoCode if they are equal.
template <class Contains>
std::uint32_t first_difference(const nlohmann::json& ranges, const Contains& contains) {
  std::vector<bool> expected(kNoCode, false);
  for (const auto& range : ranges) {
    for (auto code = range[0].get<std::uint32_t>(); code <= range[1].get<std::uint32_t>(); ++code) {
      expected[code] = true;
    }
  }
  for (std::uint32_t code = 0; code < kNoCode; ++code) {
    if (!is_surrogate(code) && contains(code) != expected[code]) {
      return code;
    }
  }
  return kNoCode;
}

}  // namespace

TEST_CASE("Regular expressions know the reference's letters, marks, numbers and spaces",
          "[tokenizer]") {
  const nlohmann::json classes = read_fixture("classes.json");
  for (const std::string name : {"\\p{L}", "\\p{M}", "\\p{N}", "\\d", "\\s"}) {
    const Regex alone(name);
    const Regex in_class("[" + name + "]");
    const Regex negated("[^" + name + "]");
    INFO(name);
    const auto matches = [&](const Regex& regex, std::uint32_t code) {
      std::string text;
      append_code(text, code);
      Range match;
      return regex.find(text, 0, &match);
    };
    const auto& ranges = classes.at(name);
    CHECK(first_difference(ranges, [&](auto code) { return matches(alone, code); }) == kNoCode);
    CHECK(first_difference(ranges, [&](auto code) { return matches(in_class, code); }) == kNoCode);
    CHECK(first_difference(ranges, [&](auto code) { return !matches(negated, code); }) == kNoCode);
  }
}

TEST_CASE("Digits are Rust's numeric characters", "[tokenizer]") {
  CHECK(first_difference(read_fixture("classes.json").at("is_numeric"), is_numeric) == kNoCode);
}

TEST_CASE("Regular expressions that cannot be said in PCRE2 are refused", "[tokenizer]") {
  CHECK_THROWS_WITH(Regex("[a-z&&[^b]]"), ContainsSubstring("set operation"));
  CHECK_THROWS_WITH(Regex("[[a]b]"), ContainsSubstring("set operation"));
  CHECK_THROWS_WITH(Regex("[\\W]"), ContainsSubstring("not supported"));
  CHECK_THROWS_WITH(Regex("a\\"), ContainsSubstring("backslash"));
  CHECK_THROWS_WITH(Regex("(a"), ContainsSubstring("cannot be compiled"));
}

}  // namespace labelprobe::tokenizer
