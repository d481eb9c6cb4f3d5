// The signature: the same for any number of threads, and that of the fixture where this processor
// is in it. A change of the program that moves it says so in its message, and why.
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/program.h"

namespace labelprobe {
namespace {

using support::ProgramResult;
using support::run_program;

// What bench prints, by the name at the beginning of each line.
std::map<std::string, std::string> values_of_lines(const std::string& out) {
  std::map<std::string, std::string> lines;
  std::istringstream stream(out);
  for (std::string line; std::getline(stream, line);) {
    const std::smatch parts = [&] {
      std::smatch found;
      std::regex_match(line, found, std::regex("(.+?)  +(.*)"));
      return found;
    }();
    REQUIRE(parts.size() == 3);
    lines[parts[1]] = parts[2];
  }
  return lines;
}

// Processors of one kind and one libtorch give one signature. Their names do not tell the kind on
// virtual machines, so numbers and instructions stand beside it.
std::string kind_of_machine(const std::map<std::string, std::string>& lines) {
  std::string kind =
      "libtorch " + lines.at("libtorch") + ", " +
      std::regex_replace(lines.at("processor"), std::regex(", [0-9]+ CPU threads?"), "");
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line) && !line.empty();) {
    if (line.starts_with("cpu family") || line.starts_with("model\t")) {
      kind += ", " + std::regex_replace(line, std::regex("\\s*:"), "");
    } else if (line.starts_with("flags")) {
      for (const char* flag : {"avx512_bf16", "amx_bf16"}) {
        if (line.find(flag) != std::string::npos) kind += std::string(", ") + flag;
      }
    }
  }
  return kind;
}

TEST_CASE("The signature is that of this kind of processor, whatever the number of threads",
          "[e2e]") {
  const ProgramResult one = run_program({"bench", "--signature", "--threads", "1"});
  INFO(one.err);
  REQUIRE(one.exit_code == 0);
  const std::map<std::string, std::string> lines = values_of_lines(one.out);
  CHECK(std::regex_match(lines.at("signature"), std::regex("[0-9a-f]{32}")));
  const ProgramResult three = run_program({"bench", "--signature", "--threads", "3"});
  CHECK(values_of_lines(three.out).at("signature") == lines.at("signature"));

  const auto fixture =
      nlohmann::json::parse(support::read_file(support::fixture("e2e/signatures.json")));
  const std::string kind = kind_of_machine(lines);
  if (!fixture.at("signatures").contains(kind)) SKIP_ALOUD("no signature is known of " + kind);
  CHECK(fixture.at("signatures").at(kind) == lines.at("signature"));
}

TEST_CASE("bench without a task says what it does", "[e2e]") {
  const ProgramResult result = run_program({"bench"});
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err, ContainsSubstring("expected --signature"));
}

}  // namespace
}  // namespace labelprobe
