// Which experiment folder a run belongs to, and which of its experiments is its own. Reads only.
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

struct ExperimentChoice {
  enum class State {
    New,         // to be added behind the others
    GoesOn,      // its process did not live to finish it
    StartsOver,  // likewise, but it was about other contents, or its journal is of another version
    Finished,    // nothing is left to do
  };
  std::size_t index = 0;
  State state = State::New;
};

// An unfinished experiment of the request's parameters and contents goes before a finished one,
// that before an unfinished one of other contents. Where the request asks for another experiment
// beside a finished one, only one counts as finished that still has its journal: it is what the
// same request wrote when its process died at the very end.
ExperimentChoice choose_experiment(const Manifest& manifest,
                                   const std::filesystem::path& folder,
                                   const RunRequest& request,
                                   const nlohmann::json& params);

}  // namespace labelprobe::record
