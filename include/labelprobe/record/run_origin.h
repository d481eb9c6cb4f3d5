// How a finished experiment came about: what it was asked for, what computed it, what it scored.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "labelprobe/record/logged_run.h"
#include "labelprobe/record/provenance.h"

namespace labelprobe::record {

// Option -> its values as texts; an option that was not set has none. What the log notes beside the
// options, such as the program's version, is in it too.
using OptionValues = std::map<std::string, std::vector<std::string>>;

struct RunOrigin {
  OptionValues options;
  std::vector<Provenance> provenance;          // of the processes that computed items
  std::map<std::string, std::string> metrics;  // of metrics.yml, as spelled there
};

// What the folder does not tell is empty, as of the published program's logs. Throws DataError
// (file, line) for a file that is damaged.
RunOrigin read_origin(const LoggedRun& run);

}  // namespace labelprobe::record
