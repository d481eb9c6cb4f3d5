#include "model/parallel/world.h"

#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

namespace labelprobe::model {
namespace {

constexpr int kMostProcesses = 65536;
constexpr int kMostPorts = 65535;

// The first of the variables that is set, and its number from `least` to `most`.
std::optional<int> number_of(const Environment& environment,
                             std::initializer_list<const char*> names,
                             int least,
                             int most) {
  for (const char* name : names) {
    const char* text = environment(name);
    if (text == nullptr || *text == '\0') continue;
    const std::string_view digits(text);
    int number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size() || number < least ||
        number > most) {
      throw ConfigError(
          fmt::format("environment variable {}: expected a number from {} to {}, "
                      "found '{}'",
                      name, least, most, text));
    }
    return number;
  }
  return std::nullopt;
}

int required(std::optional<int> number, std::string_view names) {
  if (number) return *number;
  throw ConfigError(
      fmt::format("MASTER_ADDR is set, as it is for processes that compute together: expected {} "
                  "beside it, found none; start them by scripts/launch.sh, torchrun or srun, or "
                  "unset MASTER_ADDR",
                  names));
}

bool is_set(const Environment& environment, const char* name) {
  const char* text = environment(name);
  return text != nullptr && *text != '\0';
}

}  // namespace

std::optional<World> read_world(const Environment& environment) {
  if (!is_set(environment, "MASTER_ADDR")) return std::nullopt;
  const std::optional<int> size =
      number_of(environment, {"WORLD_SIZE", "SLURM_NTASKS"}, 1, kMostProcesses);
  if (!size || *size == 1) return std::nullopt;
  World world;
  world.size = *size;
  world.address = environment("MASTER_ADDR");
  world.rank = required(number_of(environment, {"RANK", "SLURM_PROCID"}, 0, world.size - 1),
                        "RANK (or Slurm's SLURM_PROCID)");
  world.port = static_cast<std::uint16_t>(
      required(number_of(environment, {"MASTER_PORT"}, 1, kMostPorts), "MASTER_PORT"));
  world.local_rank =
      number_of(environment, {"LOCAL_RANK", "SLURM_LOCALID"}, 0, kMostProcesses).value_or(0);
  const char* agent = environment("TORCHELASTIC_USE_AGENT_STORE");
  world.has_store = agent != nullptr && std::string_view(agent) == "True";
  const char* attempt = environment("TORCHELASTIC_RESTART_COUNT");
  world.prefix = fmt::format("labelprobe/{}", attempt == nullptr ? "0" : attempt);
  return world;
}

}  // namespace labelprobe::model
