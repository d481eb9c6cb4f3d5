// Which GPUs there are, what they can do, and errors; and functions of the driver and of NVML,
// which lists the processes on a GPU.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include <dlfcn.h>

#include "report.h"
#include "world.h"

namespace standin {
namespace {

thread_local int device = 0;
thread_local cudaError_t last_error = cudaSuccess;

constexpr std::pair<cudaError_t, const char*> kErrors[] = {
    {cudaSuccess, "no error"},
    {cudaErrorInvalidValue, "invalid argument"},
    {cudaErrorMemoryAllocation, "out of memory"},
    {cudaErrorInvalidConfiguration, "invalid configuration argument"},
    {cudaErrorInsufficientDriver, "CUDA driver version is insufficient for CUDA runtime version"},
    {cudaErrorDevicesUnavailable, "CUDA-capable device(s) is/are busy or unavailable"},
    {cudaErrorNoDevice, "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "invalid device ordinal"},
    {cudaErrorNoKernelImageForDevice, "no kernel image is available for execution on the device"},
    {cudaErrorStreamCaptureUnsupported, "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "operation failed due to a previous error during capture"},
};

void missing_driver_function() {
  standin_missing("a function of the driver");
}

}  // namespace

int current_device() {
  return device;
}

cudaError_t failed(cudaError_t error) {
  last_error = error;
  return error;
}

}  // namespace standin

using namespace standin;

extern "C" {

cudaError_t cudaGetDeviceCount(int* n) {
  load_host_code();
  *n = 0;
  if (const long error = setting("STANDIN_COUNT_ERROR", 0)) {
    return failed(static_cast<cudaError_t>(error));
  }
  *n = World::get().n_gpus;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* result) {
  *result = device;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int wanted) {
  if (wanted < 0 || wanted >= World::get().n_gpus) return failed(cudaErrorInvalidDevice);
  device = wanted;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = World::get().properties;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  const cudaDeviceProp& of = World::get().properties;
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
    case cudaDevAttrMaxBlockDimX:
    case cudaDevAttrMaxBlockDimY:
      *value = of.maxThreadsPerBlock;
      break;
    case cudaDevAttrMaxBlockDimZ:
      *value = of.maxThreadsDim[2];
      break;
    case cudaDevAttrMaxGridDimX:
      *value = of.maxGridSize[0];
      break;
    case cudaDevAttrMaxGridDimY:
    case cudaDevAttrMaxGridDimZ:
      *value = of.maxGridSize[1];
      break;
    case cudaDevAttrMultiProcessorCount:
      *value = of.multiProcessorCount;
      break;
    case cudaDevAttrComputeCapabilityMajor:
      *value = of.major;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      *value = of.minor;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      *value = static_cast<int>(of.sharedMemPerBlock);
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = static_cast<int>(of.sharedMemPerBlockOptin);
      break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *value = static_cast<int>(of.sharedMemPerMultiprocessor);
      break;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      *value = of.maxThreadsPerMultiProcessor;
      break;
    case cudaDevAttrWarpSize:
      *value = of.warpSize;
      break;
    case cudaDevAttrUnifiedAddressing:
      *value = 1;
      break;
    default:
      *value = 0;
  }
  return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char* text, int n, int which) {
  std::snprintf(text, static_cast<std::size_t>(n), "0000:%02x:00.0", which);
  return cudaSuccess;
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  *least = 0;
  *greatest = -5;
  return cudaSuccess;
}

cudaError_t cudaDeviceCanAccessPeer(int* can, int, int) {
  *can = 0;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaGetLastError() {
  return std::exchange(last_error, cudaSuccess);
}

cudaError_t cudaPeekAtLastError() {
  return last_error;
}

const char* cudaGetErrorString(cudaError_t error) {
  for (const auto& [known, text] : kErrors) {
    if (known == error) return text;
  }
  return "an error of the stand-in";
}

const char* cudaGetErrorName(cudaError_t error) {
  return cudaGetErrorString(error);
}

// libtorch asks for many of the driver's functions by name, and calls few.
cudaError_t cudaGetDriverEntryPointByVersion(const char* name,
                                             void** function,
                                             unsigned,
                                             unsigned long long,
                                             cudaDriverEntryPointQueryResult* result) {
  *function = ::dlsym(RTLD_DEFAULT, name);
  if (!*function) *function = reinterpret_cast<void*>(&missing_driver_function);
  if (result) *result = cudaDriverEntryPointSuccess;
  return cudaSuccess;
}

int cuInit(unsigned) {
  return 0;
}

int cuDeviceGetCount(int* n) {
  *n = World::get().n_gpus;
  return 0;
}

int cuDeviceGet(int* which, int index) {
  *which = index;
  return 0;
}

int cuDeviceGetName(char* text, int n, int) {
  std::strncpy(text, World::get().properties.name, static_cast<std::size_t>(n));
  return 0;
}

int cuCtxGetCurrent(void** context) {
  static int one = 0;
  *context = &one;
  return 0;
}

int cuDevicePrimaryCtxGetState(int, unsigned* flags, int* is_active) {
  if (flags) *flags = 0;
  *is_active = 1;
  return 0;
}

int nvmlInit_v2() {
  return 0;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char*, void** device) {
  *device = &World::get();
  return 0;
}

int nvmlDeviceGetComputeRunningProcesses(void*, unsigned* n, void*) {
  *n = 0;
  return 0;
}

// As in nvml.h: the first process of the machine, where another one is said to hold the GPU.
int nvmlDeviceGetComputeRunningProcesses_v3(void*, unsigned* n, unsigned* processes) {
  const bool is_held = setting("STANDIN_MEMORY_ERROR", 0) == cudaErrorDevicesUnavailable;
  *n = is_held ? 1 : 0;
  if (is_held) processes[0] = 1;
  return 0;
}

}  // extern "C"
