#include "labelprobe/python/repr.h"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <string_view>

#include <fmt/core.h>

namespace labelprobe::python {

namespace {

template <class Float>
std::string shortest_decimal(Float number) {
  if (std::isnan(number)) {
    return "nan";
  }
  if (std::isinf(number)) {
    return number < 0 ? "-inf" : "inf";
  }
  char spelled[40];
  const auto end =
      std::to_chars(spelled, spelled + sizeof spelled, number, std::chars_format::scientific).ptr;
  const std::string_view text(spelled, static_cast<std::size_t>(end - spelled));
  const std::size_t e = text.find('e');
  int exponent = 0;
  const std::size_t exponent_at = e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(text.data() + exponent_at, end, exponent);
  std::string digits;
  for (const char c : text.substr(0, e)) {
    if (c >= '0' && c <= '9') {
      digits += c;
    }
  }
  std::string result = std::signbit(number) ? "-" : "";
  if (exponent < -4 || exponent >= 16) {
    result += digits.front();
    if (digits.size() > 1) {
      result.append(".").append(digits, 1);
    }
    return result + fmt::format("e{:+03d}", exponent);
  }
  if (exponent < 0) {
    return result + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  }
  const std::size_t n_whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= n_whole) {
    return result + digits + std::string(n_whole - digits.size(), '0') + ".0";
  }
  return result + digits.substr(0, n_whole) + "." + digits.substr(n_whole);
}

}  // namespace

std::string repr(double number) {
  return shortest_decimal(number);
}

std::string repr(float number) {
  return shortest_decimal(number);
}

}  // namespace labelprobe::python
