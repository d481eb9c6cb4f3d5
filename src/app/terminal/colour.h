// Whether a stream gets colours and lines that renew themselves.
#pragma once

#include <string>

namespace labelprobe::app {

enum class Colour { Auto, Always, Never };

Colour parse_colour(const std::string& name);  // "auto", "always", "never"; ConfigError

// Whether standard error is a terminal that can move its cursor: not with TERM=dumb.
bool has_lively_terminal();

// Auto: a lively terminal, unless the environment has NO_COLOR (no-color.org).
bool wants_colour(Colour colour);

}  // namespace labelprobe::app
