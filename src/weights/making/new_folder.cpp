#include "weights/making/new_folder.h"

#include <system_error>

#include "labelprobe/core/error.h"

namespace labelprobe::weights {

namespace fs = std::filesystem;

void write_new_folder(const fs::path& folder,
                      const std::function<void(const fs::path& partial)>& write) {
  // "model/" names the same folder as "model".
  const fs::path whole = folder.has_filename() ? folder : folder.parent_path();
  fs::path partial = whole;
  partial += ".partial";
  for (const fs::path& path : {whole, partial}) {
    if (fs::exists(path)) {
      throw ModelError(path.string() + ": is there already; remove it, or name another folder");
    }
  }
  std::error_code error;
  if (!fs::create_directories(partial, error)) {
    throw ModelError(partial.string() + ": cannot be made: " + error.message());
  }
  try {
    write(partial);
    fs::rename(partial, whole);
  } catch (...) {
    fs::remove_all(partial, error);
    throw;
  }
}

}  // namespace labelprobe::weights
