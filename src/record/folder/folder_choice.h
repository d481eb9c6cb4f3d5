// Which experiment folder a run belongs to, and which of its experiments is its own. Reads only.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "labelprobe/record/run.h"

#include "record/folder/manifest.h"

namespace labelprobe::record {

struct ExperimentChoice {
  enum class State {
    GoesOn,      // its process did not live to finish it, or is at it
    Finished,    // nothing is left to do
    StartsOver,  // unfinished, but about other contents, or its journal is of another version
    New,         // to be added behind the others
  };
  std::size_t index = 0;
  State state = State::New;
};

// An unfinished experiment of the request's parameters and contents goes before a finished one,
// that before an unfinished one of other contents that no process is at. Where the request asks for
// another experiment beside a finished one, only one counts as finished that still has its journal:
// it is what the same request wrote when its process died at the very end; and none goes on that a
// process is at.
ExperimentChoice choose_experiment(const Manifest& manifest,
                                   const std::filesystem::path& folder,
                                   const RunRequest& request,
                                   const nlohmann::json& params);

struct FolderChoice {
  std::filesystem::path folder;                // where the run shall write
  std::optional<std::filesystem::path> found;  // the folder of equal runs; elsewhere = to be moved
  std::vector<std::string> notes;              // sentences: folders that were passed over, and why
};

// Exactly the same parameters were run before -> that folder; else the only folder of equivalent
// runs; else the first free name. Where the request has an alternative name and does not move what
// is equal, folders of other names count only if the very run is finished or unfinished there.
// Folders are recognised by their manifest, whatever they are called, at any depth below the
// category. Damaged ones are passed over.
//   check_usable  throws DataError for a folder that no experiment can be added to
using CheckUsable = std::function<void(const std::filesystem::path& folder, const Manifest&)>;
FolderChoice choose_folder(const RunRequest& request,
                           const nlohmann::json& params,
                           const CheckUsable& check_usable);

// Sentences: the experiments of the folder that are about the same and are not taken over, and why.
std::vector<std::string> explain(const Manifest& manifest,
                                 const ExperimentChoice& choice,
                                 const RunRequest& request,
                                 const nlohmann::json& params);

// The parts of `request.contents` in which the experiment's differ, with commas between them.
std::string changed_contents(const Experiment& experiment, const RunRequest& request);

std::filesystem::path journal_path(const std::filesystem::path& folder, std::size_t index);

// Held by the process that is at the experiment.
std::filesystem::path lock_path(const std::filesystem::path& folder, std::size_t index);

}  // namespace labelprobe::record
