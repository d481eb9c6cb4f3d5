// Memory that this process may still take on the host: the least of what the machine has free, what
// its control groups allow (containers and cluster jobs are limited by them) and what the shell
// does (ulimit -v).
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace labelprobe::weights {

struct HostMemory {
  std::size_t n_free = 0;  // bytes; 0 = not known
  // The least of what these limits would leave if nothing were taken: the same at each call while
  // nobody changes the limits. 0 = not known.
  std::size_t n_total = 0;
  // Whose limit that is: "the machine", "the control group /slurm/job_12", "ulimit -v"; empty if
  // nothing is known.
  std::string limit;
};

// Where the system tells; tests have their own.
struct SystemFiles {
  std::filesystem::path proc = "/proc";
  std::filesystem::path cgroups = "/sys/fs/cgroup";
};

// Pages of files that a control group may drop count as free.
// Sources: the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst, proc(5).
HostMemory host_memory(const SystemFiles& files = {});

// Memory that is given back stays with this process, up to half a gigabyte, and serves the next
// who asks: the system would have to clear each page of every large tensor anew. Once is enough;
// nothing where the C library is not GNU's.
void keep_freed_memory();

}  // namespace labelprobe::weights
