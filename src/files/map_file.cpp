#include "files/map_file.h"

#include "labelprobe/core/error.h"

#include "files/mappings.h"

namespace labelprobe::files {

MappedFile map_file(const std::filesystem::path& path,
                    ErrorKind error,
                    MappedFile::SmallFiles small) {
  try {
    MappedFile file(path, small);
    note_kind(file.bytes().data(), error);
    return file;
  } catch (const DataError& finding) {
    fail(error, finding.what());
  }
}

}  // namespace labelprobe::files
