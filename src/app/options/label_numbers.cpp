#include "app/options/label_numbers.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

namespace labelprobe::app {

namespace {

// The number behind the last '=', which starts at `equals`.
double parse_number(std::string_view flag, const std::string& text, std::size_t equals) {
  double number = 0.0;
  const char* end = text.data() + text.size();
  const bool has_number = equals != std::string::npos && equals + 1 < text.size();
  if (has_number) {
    const auto [read, error] = std::from_chars(text.data() + equals + 1, end, number);
    if (error == std::errc() && read == end && std::isfinite(number)) return number;
  }
  throw ConfigError(fmt::format("{}: expected LABEL=NUMBER, e.g. joy=0.1, found '{}'", flag, text));
}

}  // namespace

std::vector<double> parse_by_label(std::string_view flag,
                                   const std::vector<std::string>& given,
                                   const LabelSet& label_set) {
  std::vector<std::optional<double>> found(static_cast<std::size_t>(label_set.size()));
  for (const std::string& text : given) {
    const std::size_t equals = text.rfind('=');
    const double number = parse_number(flag, text, equals);
    const std::string name = text.substr(0, equals);
    const auto label = label_set.index_of(name);
    if (!label) {
      throw ConfigError(
          fmt::format("{}: {}", flag, unknown_choice("label", name, label_set.names())));
    }
    std::optional<double>& place = found[static_cast<std::size_t>(*label)];
    if (place) {
      throw ConfigError(fmt::format("{}: expected each label once, found '{}' twice", flag, name));
    }
    place = number;
  }
  std::vector<double> numbers;
  for (std::size_t i = 0; i < found.size() && !given.empty(); ++i) {
    if (!found[i]) {
      throw ConfigError(
          fmt::format("{}: expected a number for each of the {} labels, found none for '{}'", flag,
                      label_set.size(), label_set.names()[i]));
    }
    numbers.push_back(*found[i]);
  }
  return numbers;
}

}  // namespace labelprobe::app
