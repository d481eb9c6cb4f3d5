// A run that is killed in its middle.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "support/program.h"

namespace labelprobe::support {

// Starts the program and kills it once its journal has that many bytes, or after 20 seconds.
inline void start_and_kill(const std::vector<std::string>& arguments,
                           const std::filesystem::path& journal,
                           std::uintmax_t n_bytes) {
  StartedProgram program(arguments);
  std::error_code missing;
  for (int waits = 0; waits < 20000; ++waits) {
    const std::uintmax_t size = std::filesystem::file_size(journal, missing);
    if (!missing && size >= n_bytes) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ::kill(program.pid(), SIGKILL);
  program.finish();
}

}  // namespace labelprobe::support
