// The fixtures of this room: JSON made by scripts/fixtures.
#pragma once

#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include "support/paths.h"

namespace labelprobe::analysis {

inline nlohmann::json read_fixture(const std::string& name) {
  std::ifstream in(support::fixture("analysis/" + name));
  return nlohmann::json::parse(in);
}

}  // namespace labelprobe::analysis
