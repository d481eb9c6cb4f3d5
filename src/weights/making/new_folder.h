// A new folder that is there whole or not at all.
#pragma once

#include <filesystem>
#include <functional>

namespace labelprobe::weights {

// Has `write` fill FOLDER.partial, which then takes the name of `folder` and is removed if `write`
// throws. Throws ModelError where either is there already or cannot be made.
void write_new_folder(const std::filesystem::path& folder,
                      const std::function<void(const std::filesystem::path& partial)>& write);

}  // namespace labelprobe::weights
