#include "labelprobe/files/new_folder.h"

#include <system_error>

#include <fmt/core.h>

namespace labelprobe::files {

namespace fs = std::filesystem;

void write_new_folder(const fs::path& folder,
                      ErrorKind error_kind,
                      const std::function<void(const fs::path& partial)>& write) {
  // "model/" names the same folder as "model".
  const fs::path whole = folder.has_filename() ? folder : folder.parent_path();
  fs::path partial = whole;
  partial += ".partial";
  for (const fs::path& path : {whole, partial}) {
    if (fs::exists(path)) {
      fail(error_kind, path.string() + ": is there already; remove it, or name another folder");
    }
  }
  std::error_code error;
  if (!fs::create_directories(partial, error)) {
    fail(error_kind, fmt::format("{}: cannot be made: {}", partial.string(), error.message()));
  }
  try {
    write(partial);
    fs::rename(partial, whole);
  } catch (...) {
    fs::remove_all(partial, error);
    throw;
  }
}

}  // namespace labelprobe::files
