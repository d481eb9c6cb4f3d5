// Which processes the environment names.
#include "model/parallel/world.h"

#include <map>
#include <string>

#include "labelprobe/core/error.h"

#include "support/catch.h"

namespace labelprobe::model {
namespace {

std::optional<World> world_of(const std::map<std::string, std::string>& variables) {
  return read_world([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

}  // namespace

TEST_CASE("torchrun's variables name a process among others", "[unit]") {
  const auto world = world_of({{"RANK", "3"},
                               {"WORLD_SIZE", "8"},
                               {"LOCAL_RANK", "1"},
                               {"MASTER_ADDR", "node7"},
                               {"MASTER_PORT", "29500"},
                               {"TORCHELASTIC_USE_AGENT_STORE", "True"}});
  REQUIRE(world);
  CHECK(world->rank == 3);
  CHECK(world->size == 8);
  CHECK(world->local_rank == 1);
  CHECK(world->address == "node7");
  CHECK(world->port == 29500);
  CHECK(world->has_store);
}

TEST_CASE("Slurm's variables stand in where the others are missing", "[unit]") {
  std::map<std::string, std::string> variables = {
      {"SLURM_PROCID", "1"}, {"SLURM_NTASKS", "2"}, {"SLURM_LOCALID", "1"}};
  CHECK_FALSE(world_of(variables));  // tasks that have nothing to do with one another
  variables.insert({{"MASTER_ADDR", "node1"}, {"MASTER_PORT", "30000"}});
  const auto world = world_of(variables);
  REQUIRE(world);
  CHECK(world->rank == 1);
  CHECK(world->size == 2);
  CHECK_FALSE(world->has_store);
}

TEST_CASE("A process alone has no others", "[unit]") {
  CHECK_FALSE(world_of({}));
  CHECK_FALSE(world_of({{"MASTER_ADDR", "node1"}, {"WORLD_SIZE", "1"}, {"RANK", "0"}}));
}

TEST_CASE("A variable that is missing or no number is named", "[unit]") {
  CHECK_THROWS_WITH(world_of({{"MASTER_ADDR", "a"}, {"WORLD_SIZE", "2"}, {"MASTER_PORT", "1"}}),
                    ContainsSubstring("expected RANK"));
  CHECK_THROWS_WITH(world_of({{"MASTER_ADDR", "a"}, {"WORLD_SIZE", "2"}, {"RANK", "0"}}),
                    ContainsSubstring("expected MASTER_PORT"));
  CHECK_THROWS_WITH(world_of({{"MASTER_ADDR", "a"}, {"WORLD_SIZE", "two"}}),
                    ContainsSubstring("WORLD_SIZE: expected a number"));
  CHECK_THROWS_AS(
      world_of({{"MASTER_ADDR", "a"}, {"WORLD_SIZE", "2"}, {"RANK", "2"}, {"MASTER_PORT", "1"}}),
      ConfigError);
}

}  // namespace labelprobe::model
