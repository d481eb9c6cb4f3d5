#include "analysis/report/numbers.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace labelprobe::analysis {

std::string rounded(double number, int n_decimals) {
  return fmt::format("{:.{}f}", number, n_decimals);
}

std::string exact(double number) {
  char text[64];
  const auto [end, error] = std::to_chars(text, text + sizeof text, number);
  return {text, end};
}

std::string yaml_number(double number) {
  std::string text = exact(number);
  if (text.find('.') == std::string::npos) {
    text.insert(std::min(text.find('e'), text.size()), ".0");
  }
  return text;
}

}  // namespace labelprobe::analysis
