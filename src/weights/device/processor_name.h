// What the processor is called, for logs and people.
#pragma once

#include <filesystem>
#include <string>

namespace labelprobe::weights {

// "Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz" as the system says it; "Neoverse-V2" from the
// numbers that it gives of aarch64 processors ("aarch64 0x41:0xfff" of one that is not known here);
// empty where it says nothing.
//   cpuinfo  the system's list of processors; the first one counts
std::string processor_name(const std::filesystem::path& cpuinfo = "/proc/cpuinfo");

}  // namespace labelprobe::weights
