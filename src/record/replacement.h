// The files of a finished experiment, written once more because items that had failed were computed
// again. They are made in a hidden folder beside the old ones, which stay as they are until all is
// there; then the manifest says "replacing", and each takes its place by a rename. Whoever comes to
// the folder after a death in between goes on with the renames.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "labelprobe/files/disk.h"

#include "record/folder/manifest.h"

namespace labelprobe::record {

// All of it with the folder's lock held.
class Replacement {
 public:
  // Makes the hidden folder, with what the appended files hold of other experiments. Throws
  // DataError if the manifest does not say what is the experiment's own.
  Replacement(files::Disk& disk,
              const std::filesystem::path& folder,
              const Manifest& manifest,
              std::size_t index);

  // Where the experiment is to be written as if it was the last one.
  std::filesystem::path drafts() const;

  // Puts it in its place among the others. Throws DataError if an item of the log has other bytes
  // now, unless it is one of `renewed`: then nothing may be replaced.
  //   appended  names of the files that were appended to
  void arrange(const std::vector<std::string>& appended, const std::set<std::string>& renewed);

  // Where all parts of files lie afterwards.
  void note_parts(Manifest& manifest) const;

 private:
  files::Disk& disk_;
  std::filesystem::path folder_;
  std::size_t index_;
  std::map<std::string, FilePart> before_;
  std::map<std::string, FilePart> after_;
};

// The failed items of a finished experiment that were computed again so far.
std::filesystem::path retried_path(const std::filesystem::path& folder, std::size_t index);

// The renames that are left, and the end of what was used on the way.
void take_places(files::Disk& disk, const std::filesystem::path& folder, std::size_t index);

// Removes drafts that a process did not live to finish.
void remove_drafts(files::Disk& disk, const std::filesystem::path& folder, std::size_t index);

// What files have grown by since they had these sizes.
std::map<std::string, FilePart> parts_of(const std::filesystem::path& folder,
                                         const FileSizes& sizes);

}  // namespace labelprobe::record
