// The c10d objects behind a team: the store of addresses, and the group that messages go through.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/util/intrusive_ptr.h>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "model/parallel/team.h"

namespace labelprobe::model {

class Team::Connections {
 public:
  // Throws ModelError as Team() does.
  explicit Connections(const World& world);

  c10d::Backend& group() { return *group_; }
  // That of GPUs, which speak to each other without the host; null where open_gpu_group() has not
  // found it.
  c10d::Backend* gpu_group() { return gpu_group_.get(); }
  // Whether the loaded module has it: NCCL was there when it was built.
  static bool has_gpu_group();
  void open_gpu_group();
  c10d::Store& store() { return *store_; }
  // Another connection to the store, for another thread.
  c10::intrusive_ptr<c10d::Store> open_store(std::chrono::milliseconds timeout) const;

 private:
  World world_;
  c10::intrusive_ptr<c10d::Store> server_;  // on the first process, where no launcher has one
  c10::intrusive_ptr<c10d::Store> store_;
  c10::intrusive_ptr<c10d::Backend> group_;
  c10::intrusive_ptr<c10d::Backend> gpu_group_;
};

// Says by the store, twice a second, that this process lives, and looks whether the others do.
class Team::Watch {
 public:
  Watch(const World& world,
        c10::intrusive_ptr<c10d::Store> store,
        std::function<void(const std::string&)> on_lost);
  ~Watch();

  // Once all processes have said that they live.
  void start();
  // Who has been silent the longest, and since when, in words; waits for some seconds to see it.
  std::string find_lost();
  // From now on nobody is missed.
  void stop();

 private:
  class State;
  std::shared_ptr<State> state_;
  std::thread watching_;
};

}  // namespace labelprobe::model
