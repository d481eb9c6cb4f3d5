#include "app/terminal/bars.h"

#include <array>
#include <cmath>
#include <string_view>

namespace labelprobe::app {

std::string bar_of(double share, std::size_t width) {
  static constexpr std::size_t kEighths = 8;
  static constexpr std::string_view kFull = "█";
  static constexpr std::array<std::string_view, kEighths> kParts = {"",  "▏", "▎", "▍",
                                                                    "▌", "▋", "▊", "▉"};
  const double cut = share > 0.0 ? std::fmin(share, 1.0) : 0.0;
  const auto n = static_cast<std::size_t>(
      std::lround(cut * static_cast<double>(width) * static_cast<double>(kEighths)));
  std::string bar;
  for (std::size_t i = 0; i < n / kEighths; ++i) bar += kFull;
  return bar.append(kParts.at(n % kEighths));
}

}  // namespace labelprobe::app
