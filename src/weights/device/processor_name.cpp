#include "weights/device/processor_name.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>

#include <fmt/format.h>

namespace labelprobe::weights {
namespace {

struct Core {
  std::string_view numbers;  // the maker's and the part's
  std::string_view name;
};

// Cores of servers: Neoverse-V2 is that of NVIDIA's Grace and of Graviton4.
constexpr std::array kCores = {
    Core{"0x41:0xd08", "Cortex-A72"},  Core{"0x41:0xd0c", "Neoverse-N1"},
    Core{"0x41:0xd40", "Neoverse-V1"}, Core{"0x41:0xd49", "Neoverse-N2"},
    Core{"0x41:0xd4f", "Neoverse-V2"}, Core{"0x41:0xd84", "Neoverse-V3"},
    Core{"0x41:0xd8e", "Neoverse-N3"}, Core{"0xc0:0xac3", "Ampere-1"},
};

}  // namespace

std::string processor_name(const std::filesystem::path& cpuinfo) {
  std::ifstream file(cpuinfo);
  std::string maker;
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    const std::size_t begin = line.find_first_not_of(" \t:", colon);
    if (begin == std::string::npos) continue;
    const std::string_view key =
        std::string_view(line).substr(0, line.find_last_not_of(" \t", colon - 1) + 1);
    const std::string value = line.substr(begin);
    if (key == "model name") return value;
    if (key == "CPU implementer") maker = value;
    if (key != "CPU part") continue;
    const std::string numbers = fmt::format("{}:{}", maker, value);
    const auto* core = std::find_if(kCores.begin(), kCores.end(),
                                    [&](const Core& one) { return one.numbers == numbers; });
    return core != kCores.end() ? std::string(core->name) : fmt::format("aarch64 {}", numbers);
  }
  return {};
}

}  // namespace labelprobe::weights
