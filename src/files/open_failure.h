// How opening or reading a file fails.
#pragma once

#include <filesystem>

namespace labelprobe::files {

// "<path>: cannot be <what>: <the system's reason>". Throws DataError where another attempt would
// find the same, UnreadableError otherwise.
[[noreturn]] void fail_to(const char* what, const std::filesystem::path& path, int error);

}  // namespace labelprobe::files
