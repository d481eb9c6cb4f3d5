// Which program this is, and what it computes with on this machine.
#pragma once

#include <string>

namespace labelprobe::app {

// Several lines: version and commit, compiler, libtorch, processor, GPUs.
std::string describe_version();

}  // namespace labelprobe::app
