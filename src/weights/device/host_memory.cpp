#include "weights/device/host_memory.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string_view>

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

namespace labelprobe::weights {
namespace {

namespace fs = std::filesystem;

// A file of one number; nothing for "max", which is no limit.
std::optional<std::uint64_t> number_in(const fs::path& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  return file >> number ? std::optional(number) : std::nullopt;
}

// The number behind a word: "MemAvailable:  12 kB", "inactive_file 12".
std::optional<std::uint64_t> number_behind(const fs::path& path, std::string_view word) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(word) && line.size() > word.size() && line[word.size()] == ' ') {
      return std::strtoull(line.c_str() + word.size(), nullptr, 10);
    }
  }
  return std::nullopt;
}

// The names of one version's files.
struct GroupFiles {
  std::string_view folder;  // below the file system of control groups
  std::string_view limit;
  std::string_view used;
  std::string_view droppable;  // in memory.stat
};
constexpr GroupFiles kVersion2 = {"", "memory.max", "memory.current", "inactive_file"};
constexpr GroupFiles kVersion1 = {"memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                                  "total_inactive_file"};

//   n_total  of which n_free are free
void take(HostMemory& least,
          std::uint64_t n_free,
          std::uint64_t n_total,
          const std::string& limit) {
  const bool is_first = least.limit.empty();
  // A limit that is reached is known: not 0.
  if (is_first || n_total < least.n_total) least.n_total = std::max<std::uint64_t>(1, n_total);
  if (is_first || n_free < least.n_free) {
    least.n_free = std::max<std::uint64_t>(1, n_free);
    least.limit = limit;
  }
}

// The group and all above it, each with its own limit. Inside a container the path may be that of
// the host, of which only the top is there.
void take_groups(HostMemory& least, const fs::path& root, fs::path group, const GroupFiles& names) {
  for (;;) {
    const fs::path folder = (root / names.folder / group.relative_path()).lexically_normal();
    const auto limit = number_in(folder / names.limit);
    const auto used = number_in(folder / names.used);
    if (limit && used) {
      const std::uint64_t kept =
          *used -
          std::min(*used, number_behind(folder / "memory.stat", names.droppable).value_or(0));
      take(least, *limit - std::min(*limit, kept), *limit, "the control group " + group.string());
    }
    if (group == group.parent_path()) return;
    group = group.parent_path();
  }
}

void take_groups(HostMemory& least, const SystemFiles& files) {
  std::ifstream lines(files.proc / "self" / "cgroup");
  // "0::/user/job" (version 2) or "4:memory:/job" (version 1).
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    std::string controllers = line.substr(first, second - first + 1);  // ":cpu,memory:"
    controllers.front() = controllers.back() = ',';
    const bool is_version_2 = controllers == ",,";
    if (!is_version_2 && controllers.find(",memory,") == std::string::npos) continue;
    take_groups(least, files.cgroups, line.substr(second + 1),
                is_version_2 ? kVersion2 : kVersion1);
  }
}

}  // namespace

HostMemory host_memory(const SystemFiles& files) {
  HostMemory least;
  if (const auto available = number_behind(files.proc / "meminfo", "MemAvailable:")) {
    const auto total = number_behind(files.proc / "meminfo", "MemTotal:");
    take(least, *available * 1024, total.value_or(*available) * 1024, "the machine");
  }
  take_groups(least, files);
  rlimit address_space{};
  const auto pages = number_in(files.proc / "self" / "statm");
  if (pages && ::getrlimit(RLIMIT_AS, &address_space) == 0 &&
      address_space.rlim_cur != RLIM_INFINITY) {
    const std::uint64_t used = *pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    take(least, address_space.rlim_cur - std::min<std::uint64_t>(address_space.rlim_cur, used),
         address_space.rlim_cur, "ulimit -v");
  }
  return least;
}

void keep_freed_memory() {
#ifdef __GLIBC__
  // What a layer's largest tensors take is below the first.
  constexpr int kMegabyte = 1 << 20;
  ::mallopt(M_MMAP_THRESHOLD, 256 * kMegabyte);
  ::mallopt(M_TRIM_THRESHOLD, 512 * kMegabyte);
#endif
}

}  // namespace labelprobe::weights
