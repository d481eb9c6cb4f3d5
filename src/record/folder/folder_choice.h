// Which experiment folder a run belongs to, and which of its experiments it goes on with. Reads
// only.
#pragma once

#include <filesystem>
#include <optional>

#include "labelprobe/record/run.h"

#include "record/folder/manifest.h"

namespace labelprobe::record {

struct FolderChoice {
  std::filesystem::path folder;                // where the run shall write
  std::optional<std::filesystem::path> found;  // the folder of equal runs; elsewhere = to be moved
  bool is_kept_in_place = false;  // found under another name, but a move would take others along
};

// Exactly the same parameters were run before -> that folder; else the only folder of equivalent
// runs; else the first free name. Folders are recognised by their manifest, whatever they are
// called, at any depth below the category. Throws DataError for a damaged manifest.
FolderChoice choose_folder(const RunRequest& request, const nlohmann::json& params);

std::filesystem::path journal_path(const std::filesystem::path& folder, std::size_t index);

// The experiment of exactly these parameters whose process did not live to finish it. One that is
// wholly written but still has its journal counts if its contents are the request's too.
std::optional<std::size_t> unfinished_experiment(const Manifest& manifest,
                                                 const std::filesystem::path& folder,
                                                 const nlohmann::json& params,
                                                 const std::string& contents_fingerprint);

}  // namespace labelprobe::record
