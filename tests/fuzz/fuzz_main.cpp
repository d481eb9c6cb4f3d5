// A target as libFuzzer calls it; which one is a definition of the build.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/input.h"
#include "fuzz_targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t n_bytes) {
  labelprobe::fuzz::attempt([&] {
    labelprobe::fuzz::LABELPROBE_FUZZ_TARGET({reinterpret_cast<const char*>(bytes), n_bytes});
  });
  return 0;
}
