#include "labelprobe/record/provenance.h"

#include <fmt/format.h>

#include "record/commit.h"

namespace labelprobe::record {

std::string program_version() {
  const std::string commit = kCommit;
  return fmt::format("{}{}", LABELPROBE_VERSION,
                     commit.empty() ? "" : fmt::format(", commit {}", commit));
}

}  // namespace labelprobe::record
