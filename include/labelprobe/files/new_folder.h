// A new folder that is there whole or not at all.
#pragma once

#include <filesystem>
#include <functional>

#include "labelprobe/core/error_kind.h"

namespace labelprobe::files {

// Has `write` fill FOLDER.partial, which then takes the name of `folder` and is removed if `write`
// throws. Throws `error_kind` where either is there already or cannot be made.
void write_new_folder(const std::filesystem::path& folder,
                      ErrorKind error_kind,
                      const std::function<void(const std::filesystem::path& partial)>& write);

}  // namespace labelprobe::files
