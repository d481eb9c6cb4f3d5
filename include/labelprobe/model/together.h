// Several processes that compute one model together, each a part of every layer: started by
// torchrun, srun or scripts/launch.sh, which name them in the environment (model/parallel/world.h).
// The first one runs the program as if it were alone; open() gives it a model that all of them
// compute. The others do nothing but that. Caller: app.
#pragma once

#include <functional>
#include <memory>
#include <string>

namespace labelprobe::model {

class Together {
 public:
  virtual ~Together() = default;
  virtual int n_processes() const = 0;
  virtual bool is_first() const = 0;
  // All but the first: works until the first one ends. Returns the exit code that it tells. Throws
  // ModelError if it cannot be reached any more.
  virtual int follow() = 0;
  // The first one: the last thing of all, ends the others with this exit code.
  virtual void end(int exit_code) = 0;
};

// The processes that the environment names, whether they have joined or not: how many, and whether
// this is the first of them. One where this process is alone. Throws ConfigError as below.
int n_named_processes();
bool is_first_named_process();

// Null where this process is alone. on_lost: told, on a thread of its own, that another process has
// ended or stands still, while this one waits for it; it is to end this process at once. Throws
// ConfigError for an environment that makes no sense, ModelError if the processes do not find one
// another.
std::unique_ptr<Together> join_processes(std::function<void(const std::string&)> on_lost);

}  // namespace labelprobe::model
