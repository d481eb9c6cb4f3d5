// What the stand-in for a GPU knows: memory that the host may not touch, streams whose work is put
// off as long as CUDA allows, and what went wrong. The files beside this one stand in for the
// functions of libcudart, libcublas, libcublasLt, libcuda and libnvidia-ml that libtorch and the
// program call.
//
// What can be set in the environment, and what holds where it is not:
// - STANDIN_GPUS (1): how many there are.
// - STANDIN_ARCHITECTURE (90): 80, 86, 89, 90, 100 or 120: shared memory and processors.
// - STANDIN_MEMORY_MIB (8192): memory of each; STANDIN_OTHERS_MIB (0): of it held by others.
// - STANDIN_FAIL_ALLOCATION, STANDIN_FAIL_GRAPH (none): which allocation of device memory fails,
//   counted from 1; which instantiation of a graph.
// - STANDIN_COUNT_ERROR (none): what counting the GPUs fails with, e.g. 35 (driver too old).
// - STANDIN_MEMORY_ERROR (none): what every allocation fails with, e.g. 46 (held by others).
// - STANDIN_NO_IMAGE (0): 1 = our kernels have no code for this GPU.
// - STANDIN_NUMBERS (1): 0 = nothing is computed, and every answer is made of one token: for what
//   large models do with memory and launches.
// - STANDIN_REPORT (none): a file for counts and complaints, as JSON, written at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <cuda_runtime_api.h>

namespace standin {

// A piece of device memory: the address that the program gets, where the host faults, and the same
// memory where the stand-in reads and writes it.
struct Allocation {
  char* address = nullptr;
  char* alias = nullptr;
  std::size_t n_bytes = 0;
  int device = 0;
};

using Work = std::function<void()>;

struct Graph {
  std::vector<Work> work;
  bool is_broken = false;
};

struct Stream {
  int device = 0;
  bool is_default = false;
  std::deque<Work> queue;
  std::uint64_t n_queued = 0;
  std::uint64_t n_done = 0;
  Graph* capture = nullptr;  // what is being recorded
  std::uint64_t capture_id = 0;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
};

struct Event {
  Stream* stream = nullptr;
  std::uint64_t position = 0;
  bool is_captured = false;
};

struct Kernel {
  std::string name;      // as a C++ declaration, without its arguments
  int n_shared = 49152;  // bytes that a launch may ask for
};

// How a kernel of ours is computed: takes its arguments, which are gone when the launch returns.
using HostKernel = std::function<std::function<void()>(void** arguments, dim3 grid)>;

class World {
 public:
  static World& get();

  std::recursive_mutex mutex;
  int n_gpus = 1;
  std::size_t n_bytes = 0;  // of each
  std::vector<std::size_t> n_used;
  std::vector<std::size_t> n_peak;
  cudaDeviceProp properties = {};
  std::map<std::uintptr_t, Allocation> allocations;
  std::map<std::uintptr_t, std::size_t> pinned;
  std::vector<Stream*> streams;
  std::vector<Stream*> default_streams;
  std::unordered_map<const void*, Kernel> kernels;
  std::uint64_t n_captures = 0;
  std::map<std::string, long> counts;
  std::map<std::string, long> launches;
  std::map<std::string, long> complaints;

 private:
  World();
};

using Lock = std::lock_guard<std::recursive_mutex>;

long setting(const char* name, long otherwise);
int current_device();
bool has_numbers();

// Something that is wrong, or would be on a GPU: told once on standard error, counted in the
// report.
void complain(const std::string& what);
void count(const std::string& what);
// The error that cudaGetLastError() reports next.
cudaError_t failed(cudaError_t error);

// Where the stand-in finds device memory; null for addresses of the host.
char* alias_of(const void* address);
const Allocation* allocation_of(const void* address);
bool is_pinned(const void* address);

Stream* stream_of(cudaStream_t stream);
void push(Stream* stream, Work work);
// Does the first `n` things that were put into the stream, as far as they are not done.
void work_off(Stream* stream, std::uint64_t n);
void work_off(Stream* stream);
// The same, because the host waits.
void wait_for(Stream* stream, std::uint64_t n);
bool is_capturing();  // in a mode that forbids what would make the host wait
// A call that no stream may see while it is recorded: the recording is spoilt.
cudaError_t refuse_in_capture(const char* what);

// The host's code for kernels and for libtorch's operators, loaded beside this library when
// libtorch has brought its own operators.
void load_host_code();
void set_host_kernel(const std::string& name, const HostKernel& kernel);
HostKernel host_kernel(const std::string& name);  // null where there is none

}  // namespace standin

// For the host's code, which is another library.
extern "C" {
void standin_set_kernel(const char* name, const standin::HostKernel* kernel);
char* standin_alias(const void* address);
void standin_push(cudaStream_t stream, const char* name, const std::function<void()>* run);
void standin_wait(cudaStream_t stream);
void standin_complain(const char* what);
}
