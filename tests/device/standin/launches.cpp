// Kernels: registered by the libraries that have them, checked against the limits of the GPU, and
// computed by the host's code where there is some.
#include <algorithm>
#include <cstdlib>

#include <cxxabi.h>

#include "world.h"

namespace standin {
namespace {

// "labelprobe::model::cuda::gate_rows<float>" of a mangled name with a return type.
std::string readable(const char* mangled) {
  int status = 0;
  char* text = abi::__cxa_demangle(mangled, nullptr, nullptr, &status);
  std::string name = text ? text : mangled;
  std::free(text);
  if (name.rfind("void ", 0) == 0) name = name.substr(5);
  // Up to the arguments: the first "(" outside of template brackets.
  int depth = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '<') ++depth;
    if (name[i] == '>') --depth;
    if (name[i] == '(' && depth == 0 && name.compare(i, 11, "(anonymous ") != 0) {
      return name.substr(0, i);
    }
  }
  return name;
}

std::string text_of(dim3 size) {
  return std::to_string(size.x) + " x " + std::to_string(size.y) + " x " + std::to_string(size.z);
}

struct Configuration {
  dim3 grid;
  dim3 block;
  std::size_t n_shared;
  void* stream;
};
thread_local std::vector<Configuration> configurations;

bool fits(const Kernel& kernel, dim3 grid, dim3 block, std::size_t n_shared) {
  const cudaDeviceProp& limits = World::get().properties;
  const auto n_threads = std::size_t{block.x} * block.y * block.z;
  return grid.x > 0 && grid.y > 0 && grid.z > 0 && grid.x <= unsigned(limits.maxGridSize[0]) &&
         grid.y <= unsigned(limits.maxGridSize[1]) && grid.z <= unsigned(limits.maxGridSize[2]) &&
         n_threads > 0 && n_threads <= unsigned(limits.maxThreadsPerBlock) &&
         n_shared <= std::size_t(kernel.n_shared) && n_shared <= limits.sharedMemPerBlockOptin;
}

}  // namespace
}  // namespace standin

using namespace standin;

extern "C" {

void** __cudaRegisterFatBinary(void*) {
  static void* handle = nullptr;
  return &handle;
}

void __cudaRegisterFatBinaryEnd(void**) {}

void __cudaUnregisterFatBinary(void**) {}

void __cudaRegisterVar(void**, char*, char*, const char*, int, std::size_t, int, int) {}

void __cudaRegisterFunction(void**,
                            const char* function,
                            char*,
                            const char* name,
                            int,
                            uint3*,
                            uint3*,
                            dim3*,
                            dim3*,
                            int*) {
  const Lock lock(World::get().mutex);
  World::get().kernels[function].name = name;
}

unsigned __cudaPushCallConfiguration(dim3 grid,
                                     dim3 block,
                                     std::size_t n_shared,
                                     CUstream_st* stream) {
  configurations.push_back({grid, block, n_shared, stream});
  return 0;
}

cudaError_t __cudaPopCallConfiguration(dim3* grid,
                                       dim3* block,
                                       std::size_t* n_shared,
                                       void* stream) {
  const Configuration last = configurations.back();
  configurations.pop_back();
  *grid = last.grid;
  *block = last.block;
  *n_shared = last.n_shared;
  *static_cast<void**>(stream) = last.stream;
  return cudaSuccess;
}

cudaError_t cudaLaunchKernel(const void* function,
                             dim3 grid,
                             dim3 block,
                             void** arguments,
                             std::size_t n_shared,
                             cudaStream_t handle) {
  World& world = World::get();
  const Lock lock(world.mutex);
  Kernel& kernel = world.kernels[function];
  if (kernel.name.rfind("_Z", 0) == 0) kernel.name = readable(kernel.name.c_str());
  Stream* stream = stream_of(handle);
  if (stream->device != current_device()) {
    complain("a kernel on another GPU's stream: " + kernel.name);
  }
  if (!fits(kernel, grid, block, n_shared)) {
    complain("a launch that no GPU takes: " + kernel.name + ", grid " + text_of(grid) + ", block " +
             text_of(block) + ", " + std::to_string(n_shared) + " bytes of shared memory");
    return failed(cudaErrorInvalidConfiguration);
  }
  if (setting("STANDIN_NO_IMAGE", 0) != 0 && kernel.name.rfind("labelprobe::", 0) == 0) {
    return failed(cudaErrorNoKernelImageForDevice);
  }
  std::function<void()> run;
  if (const HostKernel host = host_kernel(kernel.name)) {
    run = host(arguments, grid);
  } else {
    complain("a kernel that the host has no code for: " + kernel.name);
  }
  push(stream, [n = &world.launches[kernel.name], run = std::move(run)] {
    ++*n;
    if (run) run();
  });
  return cudaSuccess;
}

cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* function) {
  *kernel = reinterpret_cast<cudaKernel_t>(const_cast<void*>(function));
  return cudaSuccess;
}

cudaError_t __cudaLaunchKernel(cudaKernel_t kernel,
                               dim3 grid,
                               dim3 block,
                               void** arguments,
                               std::size_t n_shared,
                               cudaStream_t stream) {
  return cudaLaunchKernel(kernel, grid, block, arguments, n_shared, stream);
}

cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* launch,
                                const void* function,
                                void** arguments) {
  return cudaLaunchKernel(function, launch->gridDim, launch->blockDim, arguments,
                          launch->dynamicSmemBytes, launch->stream);
}

cudaError_t cudaLaunchCooperativeKernel(const void* function,
                                        dim3 grid,
                                        dim3 block,
                                        void** arguments,
                                        std::size_t n_shared,
                                        cudaStream_t stream) {
  return cudaLaunchKernel(function, grid, block, arguments, n_shared, stream);
}

cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value) {
  World& world = World::get();
  const Lock lock(world.mutex);
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
  if (std::size_t(value) > world.properties.sharedMemPerBlockOptin) {
    complain("more shared memory than this GPU has: " + std::to_string(value) + " bytes for " +
             readable(world.kernels[function].name.c_str()));
    return failed(cudaErrorInvalidValue);
  }
  world.kernels[function].n_shared = std::max(value, 49152);
  return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void*) {
  *attributes = {};
  attributes->maxThreadsPerBlock = 1024;
  attributes->numRegs = 32;
  attributes->binaryVersion = attributes->ptxVersion = 90;
  attributes->maxDynamicSharedSizeBytes = 49152;
  return cudaSuccess;
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* n, const void*, int, std::size_t) {
  *n = 2;
  return cudaSuccess;
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int* n, const void*, int, std::size_t, unsigned) {
  *n = 2;
  return cudaSuccess;
}

}  // extern "C"
