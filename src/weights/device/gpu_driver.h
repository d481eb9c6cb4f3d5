// What NVIDIA's libraries say about the GPUs of this machine. They are asked by name, so that the
// program builds and starts without them, and they answer also where libtorch cannot use a GPU.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace labelprobe::weights {

// "NVIDIA A40" of each GPU that this process may see, in the order of CUDA's numbers; empty where
// there is no driver.
std::vector<std::string> gpu_names();

// The driver's number, "570.124.06"; empty if it does not say.
std::string driver_version();

// Why CUDA's run-time library, which libtorch has brought, finds no GPU; empty if it finds some.
// Ask when libtorch's GPU half is loaded.
std::string why_no_gpu();

struct GpuMemory {
  std::size_t n_free = 0;
  std::size_t n_all = 0;
};

// Memory of the current GPU; nothing where it cannot be used. `why_not` then says why, e.g.
// "CUDA-capable device(s) is/are busy or unavailable".
std::optional<GpuMemory> gpu_memory(std::string* why_not = nullptr);

// Processes that compute on a GPU, "python3 (process 4711)" each; empty if nobody knows.
std::vector<std::string> gpu_users(int index);

}  // namespace labelprobe::weights
