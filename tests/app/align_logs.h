// The logs that the tests of `labelprobe align` and `labelprobe distributions` read; reference
// numbers from numpy and scipy (scripts/fixtures/alignment_logs.py).
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/program.h"

namespace labelprobe {

using nlohmann::json;
using support::fixture;
using support::ProgramResult;
using support::read_file;
using support::run_program;
using support::TempFolder;
using support::write_file;

using Arguments = std::vector<std::string>;

inline Arguments joined(Arguments first, const Arguments& more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

inline std::string log_folder(const std::string& name) {
  return fixture("align/logs/" + name).string();
}

inline const std::string kBaseline = log_folder("GoEmotions/small/baseline/tiny--model_0");
inline const std::string kUnary = log_folder("GoEmotions/small/unary/tiny--model_0");
inline const std::string kBinary = log_folder("GoEmotions/small/binary/tiny--model_0");

inline const Arguments kData = {"--root-dir",
                                "configs/example",
                                "--emotion-clustering-json",
                                "configs/example/emotion_clustering.json",
                                "--test-splits",
                                "dev"};

inline const json& expected() {
  static const json numbers = json::parse(read_file(fixture("align/expected.json")));
  return numbers;
}

}  // namespace labelprobe
