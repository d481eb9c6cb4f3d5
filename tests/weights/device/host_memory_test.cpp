// Free memory as a process in a container or a cluster's job has to see it.
#include "weights/device/host_memory.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::weights {
namespace {

using support::write_file;

// A machine with 3,000,000 KiB that are available.
struct Machine {
  support::TempFolder folder;
  SystemFiles files{folder.path() / "proc", folder.path() / "cgroup"};

  explicit Machine(const std::string& groups) {
    std::filesystem::create_directories(files.proc / "self");
    write_file(files.proc / "meminfo",
               "MemTotal:        8000000 kB\nMemAvailable:    3000000 kB\nSwapFree: 0 kB\n");
    write_file(files.proc / "self" / "cgroup", groups);
  }

  void group(const std::string& path, const std::map<std::string, std::string>& contents) {
    std::filesystem::create_directories(files.cgroups / path);
    for (const auto& [name, text] : contents) write_file(files.cgroups / path / name, text);
  }
};

}  // namespace

TEST_CASE("Without a limit the machine's memory counts", "[unit]") {
  const Machine machine("0::/user.slice\n");
  CHECK(host_memory(machine.files).n_free == 3'000'000ull * 1024);
  CHECK(host_memory(machine.files).n_total == 8'000'000ull * 1024);
  CHECK(host_memory(machine.files).limit == "the machine");
}

TEST_CASE("The narrowest control group counts, less what it cannot drop", "[unit]") {
  Machine machine("0::/slurm/job_12\n");
  machine.group("slurm/job_12", {{"memory.max", "max\n"}, {"memory.current", "900\n"}});
  machine.group("slurm", {{"memory.max", "1000000\n"},
                          {"memory.current", "600000\n"},
                          {"memory.stat", "anon 1\ninactive_file 200000\nactive_file 7\n"}});
  CHECK(host_memory(machine.files).n_free == 600'000);
  CHECK(host_memory(machine.files).n_total == 1'000'000);
  CHECK(host_memory(machine.files).limit == "the control group /slurm");
}

TEST_CASE("A container sees its own limit at the top, whatever path the host has", "[unit]") {
  Machine machine("0::/docker/0123\n");
  machine.group("", {{"memory.max", "5000"}, {"memory.current", "1000"}});
  CHECK(host_memory(machine.files).n_free == 4'000);
}

TEST_CASE("Version 1 of control groups is read too", "[unit]") {
  Machine machine("9:name=systemd:/\n4:cpu,memory:/job\n1:cpu:/\n");
  machine.group("memory/job", {{"memory.limit_in_bytes", "700000\n"},
                               {"memory.usage_in_bytes", "900000\n"},
                               {"memory.stat", "total_inactive_file 300000\n"}});
  CHECK(host_memory(machine.files).n_free == 100'000);
  machine.group("memory/job", {{"memory.usage_in_bytes", "1200000\n"}});
  CHECK(host_memory(machine.files).n_free == 1);  // none, and that is known
}

TEST_CASE("Where nothing can be read nothing is known", "[unit]") {
  const support::TempFolder empty;
  CHECK(host_memory({empty.path(), empty.path()}).n_free == 0);
}

}  // namespace labelprobe::weights
