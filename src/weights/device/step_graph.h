// A step that is recorded once and then queued as one piece of work: hundreds of kernels take the
// host longer to queue one by one than the device to run. libtorch's recording is in its CUDA half,
// so the loadable module implements it.
#pragma once

#include <functional>

namespace labelprobe::weights {

class StepGraph {
 public:
  virtual ~StepGraph() = default;

  // Calls `work`, and keeps what it queues on the current stream instead of running it; tensors
  // that it makes keep their memory until the next recording. It must not wait for the device, and
  // the stream must not be the default one. False where libtorch failed: nothing was kept or run,
  // and no further try is made; for want of memory none before try_again().
  virtual bool record(const std::function<void()>& work) = 0;

  // Queues what was recorded last, on the current stream.
  virtual void replay() = 0;

  // Gives back its memory, which else the next recording takes.
  virtual void forget() = 0;

  // Memory may be there by now that a recording lacked.
  virtual void try_again() = 0;
};

}  // namespace labelprobe::weights
