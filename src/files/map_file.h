// Opens files of which the reader knows whose they are.
#pragma once

#include <filesystem>

#include "labelprobe/core/error_kind.h"
#include "labelprobe/files/mapped_file.h"

namespace labelprobe::files {

// As MappedFile's constructor, with `error` in place of DataError.
MappedFile map_file(const std::filesystem::path& path,
                    ErrorKind error,
                    MappedFile::SmallFiles small = MappedFile::SmallFiles::Read);

}  // namespace labelprobe::files
