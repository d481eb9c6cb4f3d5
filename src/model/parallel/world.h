// Whom the environment names as the processes that compute together: torchrun's variables (RANK,
// WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT), or Slurm's (SLURM_PROCID, SLURM_NTASKS,
// SLURM_LOCALID) beside MASTER_ADDR and MASTER_PORT, without which Slurm's tasks have nothing to do
// with one another.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace labelprobe::model {

struct World {
  int rank = 0;  // of this process, from 0
  int size = 1;
  int local_rank = 0;   // among those on this machine
  std::string address;  // where the first process is reached
  std::uint16_t port = 0;
  // Whether a launcher keeps the store of addresses itself, as torchrun does; else the first
  // process does. Its keys begin with `prefix`.
  bool has_store = false;
  std::string prefix;
};

// The value of a variable; null where it is not set.
using Environment = std::function<const char*(const char* name)>;

// Nothing where this process is alone. Throws ConfigError naming the variable that is missing or no
// number.
std::optional<World> read_world(const Environment& environment);

}  // namespace labelprobe::model
