#include "model/decoder/placement.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

namespace labelprobe::model {

Placement::Placement(std::vector<c10::Device> devices, std::span<const int> n_layers)
    : devices_(std::move(devices)) {
  LABELPROBE_CHECK(!devices_.empty() && devices_.size() == n_layers.size());
  int end = 0;
  for (const int n : n_layers) ends_.push_back(end += n);
}

std::size_t Placement::part_of(int layer) const {
  if (!is_divided()) return 0;
  const auto found = std::upper_bound(ends_.begin(), ends_.end(), layer);
  LABELPROBE_CHECK(found != ends_.end());
  return static_cast<std::size_t>(found - ends_.begin());
}

int Placement::n_layers_of(std::size_t part, int n_layers) const {
  if (!is_divided()) return n_layers;
  return ends_[part] - (part == 0 ? 0 : ends_[part - 1]);
}

int Placement::most_layers(int n_layers) const {
  int n_most = 0;
  for (std::size_t part = 0; part < devices_.size(); ++part) {
    n_most = std::max(n_most, n_layers_of(part, n_layers));
  }
  return n_most;
}

std::vector<int> divide_layers(int n_layers,
                               std::span<const std::size_t> n_free,
                               std::size_t n_first) {
  const auto n_devices = static_cast<int>(n_free.size());
  if (n_layers < n_devices) {
    throw ConfigError(
        fmt::format("expected at most as many devices as the model has layers, {}; "
                    "found {}",
                    n_layers, n_devices));
  }
  const bool is_known =
      std::all_of(n_free.begin(), n_free.end(), [](std::size_t n) { return n > 0; });
  std::vector<double> rooms(n_free.size(), 1.0);
  for (std::size_t i = 0; is_known && i < n_free.size(); ++i) {
    const double n_other = i == 0 ? static_cast<double>(n_first) : 0.0;
    rooms[i] = std::max(1.0, static_cast<double>(n_free[i]) - n_other);
  }
  double room = 0;
  for (const double one : rooms) room += one;
  // Ends are rounded, so that no layer is lost or counted twice.
  std::vector<int> counts;
  double before = 0;
  int begin = 0;
  for (int i = 0; i < n_devices; ++i) {
    before += rooms[static_cast<std::size_t>(i)];
    const auto wanted = static_cast<int>(std::lround(n_layers * before / room));
    const int end = std::clamp(wanted, begin + 1, n_layers - (n_devices - 1 - i));
    counts.push_back(end - begin);
    begin = end;
  }
  return counts;
}

}  // namespace labelprobe::model
