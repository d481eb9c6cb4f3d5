#include "files/map_file.h"

#include "labelprobe/core/error.h"

namespace labelprobe::files {

MappedFile map_file(const std::filesystem::path& path, ErrorKind error) {
  try {
    return MappedFile(path);
  } catch (const DataError& finding) {
    fail(error, finding.what());
  }
}

}  // namespace labelprobe::files
