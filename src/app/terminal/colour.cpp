#include "app/terminal/colour.h"

#include <cstdlib>
#include <string_view>

#include <unistd.h>

#include "labelprobe/core/enum_names.h"

namespace labelprobe::app {

namespace {

constexpr auto kColours = enum_names<Colour>(
    "colour",
    {{Colour::Auto, "auto"}, {Colour::Always, "always", "yes"}, {Colour::Never, "never", "no"}});

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Colour parse_colour(const std::string& name) {
  return kColours.parse(name);
}

bool has_lively_terminal() {
  return ::isatty(STDERR_FILENO) == 1 && variable("TERM") != "dumb";
}

bool wants_colour(Colour colour) {
  if (colour != Colour::Auto) return colour == Colour::Always;
  return has_lively_terminal() && variable("NO_COLOR").empty();
}

}  // namespace labelprobe::app
