// A file's bytes under another name.
#pragma once

#include <filesystem>

namespace labelprobe::files {

// `to` appears whole or not at all, with the permissions of a new file and not those of `from`.
// Throws DataError if that cannot be read, ConfigError if `to` cannot be written.
void copy_file(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace labelprobe::files
