// A test as the first of several processes that compute a model together; the others are the built
// program.
#pragma once

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "labelprobe/model/together.h"

#include "support/program.h"

namespace labelprobe::support {

// That nothing listens to.
inline int free_port() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in place = {};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(place);
  ::bind(listener, reinterpret_cast<sockaddr*>(&place), size);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&place), &size);
  ::close(listener);
  return ntohs(place.sin_port);
}

// What the environment of one of n processes says.
inline Environment process_environment(int rank, int n, int port) {
  return {{"RANK", std::to_string(rank)},
          {"WORLD_SIZE", std::to_string(n)},
          {"LOCAL_RANK", std::to_string(rank)},
          {"MASTER_ADDR", "127.0.0.1"},
          {"MASTER_PORT", std::to_string(port)}};
}

class FirstOfProcesses {
 public:
  explicit FirstOfProcesses(int n) {
    const int port = free_port();
    for (int rank = 1; rank < n; ++rank) {
      others_.push_back(std::make_unique<StartedProgram>(std::vector<std::string>{"run"}, "",
                                                         process_environment(rank, n, port)));
    }
    own_ = process_environment(0, n, port);
    for (const auto& [name, value] : own_) ::setenv(name.c_str(), value.c_str(), 1);
    processes_ = model::join_processes([](const std::string&) {});
  }
  FirstOfProcesses(const FirstOfProcesses&) = delete;
  FirstOfProcesses& operator=(const FirstOfProcesses&) = delete;
  ~FirstOfProcesses() { end(0); }

  pid_t pid_of(int rank) const { return others_.at(static_cast<std::size_t>(rank - 1))->pid(); }

  // What the others said and ended with. Models must be gone.
  std::vector<ProgramResult> end(int exit_code) {
    std::vector<ProgramResult> results;
    if (!processes_) return results;
    processes_->end(exit_code);
    processes_.reset();
    for (const auto& other : others_) results.push_back(other->finish());
    for (const auto& [name, value] : own_) ::unsetenv(name.c_str());
    return results;
  }

 private:
  std::vector<std::unique_ptr<StartedProgram>> others_;
  Environment own_;
  std::unique_ptr<model::Together> processes_;
};

}  // namespace labelprobe::support
