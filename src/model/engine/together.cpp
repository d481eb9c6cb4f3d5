#include "labelprobe/model/together.h"

#include <cstdlib>
#include <exception>
#include <optional>
#include <utility>

#include "model/engine/follow.h"
#include "model/parallel/orders.h"
#include "model/parallel/team.h"
#include "model/parallel/world.h"

namespace labelprobe::model {
namespace {

std::optional<World> named_world() {
  return read_world([](const char* name) -> const char* { return std::getenv(name); });
}

class Processes : public Together {
 public:
  Processes(const World& world, std::function<void(const std::string&)> on_lost)
      : team_(world, std::move(on_lost)) {}

  int n_processes() const override { return team_.size(); }
  bool is_first() const override { return team_.is_first(); }

  int follow() override {
    const int exit_code = model::follow(team_);
    team_.leave();
    return exit_code;
  }

  void end(int exit_code) override {
    // In the midst of something they would not hear it.
    if (!team_.is_idle()) return;
    try {
      team_.tell(Parcel(Order::End).put(exit_code).bytes());
    } catch (const std::exception&) {
      return;  // the work is done, whatever has become of them
    }
    team_.leave();
  }

 private:
  Team team_;
};

}  // namespace

int n_named_processes() {
  const std::optional<World> world = named_world();
  return world ? world->size : 1;
}

bool is_first_named_process() {
  const std::optional<World> world = named_world();
  return !world || world->rank == 0;
}

std::unique_ptr<Together> join_processes(std::function<void(const std::string&)> on_lost) {
  const std::optional<World> world = named_world();
  if (!world) return nullptr;
  return std::make_unique<Processes>(*world, std::move(on_lost));
}

}  // namespace labelprobe::model
