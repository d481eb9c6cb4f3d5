// Texts that came from data or models, as a terminal may show them.
#pragma once

#include <string>
#include <string_view>

namespace labelprobe::app {

// The text with what would steer a terminal or turn its direction as escapes: \x1b, \r, \u202e.
// Line breaks and tabs stay; bytes that are no UTF-8 become U+FFFD.
std::string visible(std::string_view text);

}  // namespace labelprobe::app
