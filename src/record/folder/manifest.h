// The comparison record of an experiment folder, `manifest.json`: which runs it holds, with which
// parameters, and how far each has come. A folder is an experiment folder if it has this file.
//
// The state of an experiment goes Running -> Writing -> Finished; its journal exists until the very
// end. Going by the state alone, any of these can be taken up again:
//   Running                  the journal has its items, the YAML files know nothing of it
//   Writing                  the YAML files hold a part of it; cut to `sizes` it is Running again
//   Finished, with journal   over, but its process did not live to remove the journal
//   Finished                 over
//   Replacing                over, and its files were written anew, with items that had failed;
//   some
//                            may still wait to take their places, see record/replacement.h
// The last line but one is a checksum of all before it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "labelprobe/record/provenance.h"
#include "labelprobe/record/run.h"

namespace labelprobe::record {

inline constexpr const char* kManifestName = "manifest.json";

// Version of the journals' form. Those of another version are not continued.
inline constexpr int kRecordVersion = 3;

enum class ExperimentState { Running, Writing, Finished, Replacing };

// File name -> size in bytes before an experiment was appended; no value = there was no such file.
using FileSizes = std::map<std::string, std::optional<std::uint64_t>>;

// The bytes of a file that are a finished experiment's: [begin, end), and their fingerprint.
struct FilePart {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string fingerprint;
};

struct Experiment {
  ExperimentState state = ExperimentState::Running;
  nlohmann::json params;                        // an object
  std::map<std::string, std::string> contents;  // see RunRequest
  FileSizes sizes;                              // empty while Running
  // By file name. Known once Finished; not by earlier versions of the program.
  std::map<std::string, FilePart> parts;
  std::optional<std::size_t> n_items;  // finished or not; unset = not known
  std::size_t n_failed = 0;            // items that are recorded as failed; known once Finished
  int record_version = kRecordVersion;
  std::vector<Provenance> provenance;  // of the processes that computed items, each kind once
};

struct Manifest {
  std::set<std::string> not_comparable;  // parameters in which the experiments may differ
  std::vector<Experiment> experiments;   // by index

  // Throws DataError (file, what is wrong) unless the file is a manifest through and through.
  static Manifest load(const std::filesystem::path& file);

  // What load() reads. Grows by what differs between experiments, not by all their parameters.
  std::string encode() const;
};

}  // namespace labelprobe::record
