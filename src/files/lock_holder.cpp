#include "files/lock_holder.h"

#include <algorithm>
#include <array>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <unistd.h>

namespace labelprobe::files {

std::string this_machine() {
  std::array<char, 65> host{};
  return ::gethostname(host.data(), host.size() - 1) == 0 ? host.data() : "(unknown)";
}

std::string describe_this_process() {
  return fmt::format("{} on {}, since {:%Y-%m-%d %H:%M:%S %z}", ::getpid(), this_machine(),
                     fmt::localtime(std::time(nullptr)));
}

std::string read_holder(int fd) {
  std::array<char, 200> text{};
  const ssize_t n_read = ::pread(fd, text.data(), text.size(), 0);
  std::string name(text.data(), static_cast<std::size_t>(std::max<ssize_t>(n_read, 0)));
  name.resize(std::min(name.find('\n'), name.size()));
  std::erase_if(name, [](char c) { return c < ' ' || c > '~'; });
  return name;
}

bool is_of_other_machine(const std::string& holder) {
  const std::size_t machine = holder.find(" on ");
  const std::size_t time = holder.find(", since ");
  return machine != std::string::npos && time != std::string::npos && machine < time &&
         holder.substr(machine + 4, time - machine - 4) != this_machine();
}

std::string describe_left_elsewhere(const std::string& holder) {
  return fmt::format(
      "process {}, has not said that it is through, and locks of one machine may not be seen on "
      "another. Wait for it; if it has died, give --take-over",
      holder);
}

}  // namespace labelprobe::files
