#include "labelprobe/record/provenance.h"

#include "record/commit.h"

namespace labelprobe::record {

std::string program_version() {
  const std::string commit = kCommit;
  return LABELPROBE_VERSION + (commit.empty() ? "" : ", commit " + commit);
}

}  // namespace labelprobe::record
