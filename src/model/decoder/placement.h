// Which device computes which layers of a decoder. As a rule all are on one; a model that does not
// fit it goes over several, each with a run of layers: what one has computed goes on to the next.
// Embedding, final norm and output head are on the first device, which also gets the last layer's
// result back.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <c10/core/Device.h>

namespace labelprobe::model {

class Placement {
 public:
  // All layers on one device.
  Placement(c10::Device device) : devices_{device}, ends_{0} {}  // NOLINT: a device is a placement
  // The first n_layers[0] layers on the first device, the next n_layers[1] on the second, ...
  Placement(std::vector<c10::Device> devices, std::span<const int> n_layers);

  c10::Device first() const { return devices_.front(); }
  c10::Device of(int layer) const { return devices_[part_of(layer)]; }
  // The device's place in devices().
  std::size_t part_of(int layer) const;
  std::span<const c10::Device> devices() const { return devices_; }
  bool is_divided() const { return devices_.size() > 1; }
  // How many of a decoder's layers a part has; and the part that has most.
  int n_layers_of(std::size_t part, int n_layers) const;
  int most_layers(int n_layers) const;

 private:
  std::vector<c10::Device> devices_;
  std::vector<int> ends_;  // behind the last layer of each; of one device not used
};

// How many layers each device takes, in proportion to the memory that is free for them; each at
// least one. Sums to n_layers. n_free has 0 where nobody knows: then they are divided evenly.
//   n_first  bytes that the first device holds beside its layers
// Throws ConfigError if there are fewer layers than devices.
std::vector<int> divide_layers(int n_layers,
                               std::span<const std::size_t> n_free,
                               std::size_t n_first);

}  // namespace labelprobe::model
