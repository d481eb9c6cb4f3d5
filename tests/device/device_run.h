// Runs the program with a stand-in for GPUs (standin/world.h says what can be set) and keeps what
// the stand-in saw.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/e2e_run.h"
#include "support/catch.h"

namespace labelprobe::support {

struct DeviceRun {
  ProgramResult program;
  nlohmann::json report;  // null if the process did not come to its end

  bool complains() const { return report.is_null() || !report.at("complaints").empty(); }
  // How often something happened: see the names in the stand-in's files.
  long count(const std::string& what) const { return report.at("counts").value(what, 0L); }
  // Launches of kernels, and operators, whose name has this in it.
  long launches(std::string_view part = "") const {
    long n = 0;
    for (const auto& [name, times] : report.at("launches").items()) {
      if (name.find(part) != std::string::npos) n += times.get<long>();
    }
    return n;
  }
  std::int64_t peak_bytes(std::size_t gpu = 0) const {
    return report.at("peak_bytes").at(gpu).get<std::int64_t>();
  }
  std::int64_t bytes_at_end() const { return report.at("bytes_at_end").at(0).get<std::int64_t>(); }
};

// Into the environment of a program that shall find the stand-in.
inline Environment with_standin(Environment settings = {}) {
  std::string libraries = read_file(build_folder() / "standin" / "preload");
  while (!libraries.empty() && libraries.back() == '\n') libraries.pop_back();
  settings["LD_PRELOAD"] = libraries;
  return settings;
}

inline DeviceRun run_on_standin(const std::vector<std::string>& arguments,
                                Environment settings = {}) {
  const TempFolder folder;
  const std::filesystem::path report = folder.path() / "report.json";
  settings["STANDIN_REPORT"] = report.string();
  // The stand-in computes as slowly as a host does; tests of memory and of steps have the whole
  // one.
  settings.try_emplace("LABELPROBE_WARM_UP", "16");
  DeviceRun run;
  run.program = run_program(arguments, "", with_standin(std::move(settings)));
  if (std::filesystem::exists(report)) run.report = nlohmann::json::parse(read_file(report));
  return run;
}

// The same of a program that must come to a good end without a complaint.
inline DeviceRun run_well(const std::vector<std::string>& arguments,
                          const Environment& settings = {}) {
  DeviceRun run = run_on_standin(arguments, settings);
  INFO(run.program.err);
  REQUIRE(run.program.exit_code == 0);
  CHECK(run.report.at("complaints") == nlohmann::json::object());
  return run;
}

// `labelprobe run` of the end-to-end data and model on the first GPU.
inline std::vector<std::string> on_gpu(const std::filesystem::path& logs,
                                       std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"--device", "cuda"});
  return run_arguments(logs, more);
}

// The log of such a run, in an empty folder.
inline std::string log_of(const std::vector<std::string>& more, const Environment& settings = {}) {
  const TempFolder logs;
  run_well(on_gpu(logs.path(), more), settings);
  return read_file(logs.path() / "GoEmotions" / "e2e_0" / "indexed_metrics.yml");
}

}  // namespace labelprobe::support
