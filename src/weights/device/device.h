// Where tensors live: the CPU, or a GPU whose half of libtorch is loaded when it is asked for. The
// program itself links the CPU half only, so that it starts fast and builds without CUDA.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <c10/core/Device.h>
#include <c10/core/Stream.h>
#include <c10/util/Exception.h>

namespace labelprobe::weights {

// The device of "auto", "cpu", "cuda" or "cuda:N". "auto" is the first GPU if this machine and this
// libtorch can use one, else the CPU. Throws ConfigError for another word, and for a GPU that
// cannot be used, saying what is missing; ModelError for one that another process holds.
c10::Device open_device(std::string_view name);

// Several GPUs with commas between them, "cuda:0,cuda:1", for one model whose layers they share; or
// the device of open_device() alone. Throws as that, and ConfigError if one is named twice or is no
// GPU.
std::vector<c10::Device> open_devices(std::string_view names);

// What its user should know about the device that was opened last, in sentences: that a GPU is
// there and is not used, or that it has to do without our kernels.
std::vector<std::string> device_warnings(const c10::Device& device);

// For people: that a GPU failed with what CUDA or libtorch said (of which the first line is told),
// and what can be done where that is known: who holds it, or that our kernels do not fit it.
std::string describe_failure(const c10::Device& device, std::string_view what);

// For people: the GPU's model, or "2 CPU threads".
std::string describe_device(const c10::Device& device);

// Memory that can still be allocated; of the machine, or of the current GPU. 0 if that is not
// known.
std::size_t free_bytes(const c10::Device& device);

// When it goes, memory of a GPU that nobody uses is given back, which libtorch would keep for
// later: the next model's pieces are of other sizes, and other processes wait for it.
class GivenBack {
 public:
  explicit GivenBack(const c10::Device& device) : device_(device) {}
  ~GivenBack();
  GivenBack(const GivenBack&) = delete;
  GivenBack& operator=(const GivenBack&) = delete;

 private:
  c10::Device device_;
};

// A queue of work on a GPU beside the default one, which cannot be recorded.
c10::Stream open_stream(const c10::Device& gpu);

// What is queued on it from now on comes after all that the current one has. Returns it.
c10::Stream follow_current_stream(c10::Stream stream);

// Whether libtorch failed for want of memory, on any device.
bool is_out_of_memory(const c10::Error& error);

// Cores of this process's affinity mask, hyperthreads of one core counted once.
int n_physical_cores();

// Whether float32 matrix products on a GPU may round their factors to TF32; off unless asked for.
void allow_tf32(bool is_allowed);

// Why libtorch's operators compute on GPUs what kernels of ours could; empty if these are there.
// Ask after open_device().
const std::string& why_no_kernels();

}  // namespace labelprobe::weights
