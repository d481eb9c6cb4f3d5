// Short names for contents: equal bytes give equal fingerprints, on every machine.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace labelprobe {

// XXH3-128 over everything added, as 32 hexadecimal digits. For recognising contents, not for
// security.
class Fingerprint {
 public:
  Fingerprint();
  ~Fingerprint();
  void add(std::span<const std::byte> bytes);
  void add(std::string_view text);  // the length goes in too, so ("ab", "c") and ("a", "bc") differ
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string fingerprint(std::string_view text);

}  // namespace labelprobe
