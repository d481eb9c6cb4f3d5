// Which experiments of a folder are finished: the one definition of it. The manifest says so; a
// folder without one is the published program's, whose files grow at the end of a run only.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record/folder/manifest.h"

namespace labelprobe::record {

// What the manifest says of the experiments, by index. No manifest: empty.
std::vector<bool> finished_by_manifest(const std::filesystem::path& folder);

// What the manifest says of an experiment. No manifest, or none that knows it: nothing.
std::optional<Experiment> find_noted(const std::filesystem::path& folder, int index);

// The bytes that the manifest says are the experiment's in this file. Throws DataError if the file
// has not all of them or others in their place.
std::string_view check_part(std::string_view text,
                            const std::filesystem::path& path,
                            std::size_t index,
                            const Experiment& experiment,
                            const FilePart& part);

// Whether the folder holds at least one finished experiment. Throws DataError for a damaged
// manifest.
bool has_finished_run(const std::filesystem::path& folder);

// Throws DataError unless the folder is one of runs, finished or not, naming the nearest folder of
// a finished run or those below it.
void check_run_folder(const std::filesystem::path& folder);

}  // namespace labelprobe::record
