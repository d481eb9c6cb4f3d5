#include "world.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>

namespace standin {
namespace {

// What the architectures differ in, as the CUDA programming guide lists it.
struct Architecture {
  int number;
  int n_processors;
  std::size_t n_shared;  // bytes that a block may ask for
};
constexpr Architecture kArchitectures[] = {{80, 108, 166912},  {86, 84, 101376},
                                           {89, 142, 101376},  {90, 132, 232448},
                                           {100, 148, 232448}, {120, 188, 101376}};

const Architecture& chosen_architecture() {
  const long wanted = setting("STANDIN_ARCHITECTURE", 90);
  for (const Architecture& architecture : kArchitectures) {
    if (architecture.number == wanted) return architecture;
  }
  std::fprintf(stderr, "stand-in: unknown architecture %ld\n", wanted);
  std::abort();
}

std::unordered_map<std::string, HostKernel>& host_kernels() {
  static std::unordered_map<std::string, HostKernel> kernels;
  return kernels;
}

}  // namespace

World& World::get() {
  static auto* world = new World;  // never destroyed: libtorch's own statics end after ours
  return *world;
}

World::World() {
  n_gpus = static_cast<int>(setting("STANDIN_GPUS", 1));
  n_bytes = static_cast<std::size_t>(setting("STANDIN_MEMORY_MIB", 8192)) << 20;
  n_used.assign(n_gpus, static_cast<std::size_t>(setting("STANDIN_OTHERS_MIB", 0)) << 20);
  n_peak = n_used;
  for (int device = 0; device < n_gpus; ++device) {
    auto* stream = new Stream;
    stream->device = device;
    stream->is_default = true;
    default_streams.push_back(stream);
    streams.push_back(stream);
  }
  const Architecture& architecture = chosen_architecture();
  std::strcpy(properties.name, "Stand-in GPU");
  properties.major = architecture.number / 10;
  properties.minor = architecture.number % 10;
  properties.totalGlobalMem = n_bytes;
  properties.sharedMemPerBlock = 49152;
  properties.sharedMemPerBlockOptin = architecture.n_shared;
  properties.sharedMemPerMultiprocessor = architecture.n_shared + 1024;
  properties.reservedSharedMemPerBlock = 1024;
  properties.regsPerBlock = 65536;
  properties.regsPerMultiprocessor = 65536;
  properties.warpSize = 32;
  properties.maxThreadsPerBlock = 1024;
  properties.maxThreadsDim[0] = properties.maxThreadsDim[1] = 1024;
  properties.maxThreadsDim[2] = 64;
  properties.maxGridSize[0] = 2147483647;
  properties.maxGridSize[1] = properties.maxGridSize[2] = 65535;
  properties.multiProcessorCount = architecture.n_processors;
  properties.maxThreadsPerMultiProcessor = 2048;
  properties.maxBlocksPerMultiProcessor = 32;
  properties.l2CacheSize = 50 << 20;
  properties.unifiedAddressing = 1;
  properties.textureAlignment = 512;
  properties.concurrentKernels = 1;
  properties.canMapHostMemory = 1;
}

long setting(const char* name, long otherwise) {
  const char* value = std::getenv(name);
  return value ? std::atol(value) : otherwise;
}

bool has_numbers() {
  static const bool has = setting("STANDIN_NUMBERS", 1) != 0;
  return has;
}

void complain(const std::string& what) {
  const Lock lock(World::get().mutex);
  if (World::get().complaints[what]++ == 0) {
    std::fprintf(stderr, "stand-in: COMPLAINT: %s\n", what.c_str());
  }
}

void count(const std::string& what) {
  const Lock lock(World::get().mutex);
  ++World::get().counts[what];
}

void load_host_code() {
  static const bool is_loaded = [] {
    if (!::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_NOLOAD)) return false;
    Dl_info own;
    ::dladdr(reinterpret_cast<void*>(&load_host_code), &own);
    const std::string path(own.dli_fname);
    const std::string beside = path.substr(0, path.rfind('/')) + "/libstandin_host_code.so";
    if (::dlopen(beside.c_str(), RTLD_NOW | RTLD_GLOBAL)) return true;
    std::fprintf(stderr, "stand-in: %s\n", ::dlerror());
    std::abort();
  }();
  static_cast<void>(is_loaded);
}

void set_host_kernel(const std::string& name, const HostKernel& kernel) {
  host_kernels()[name] = kernel;
}

HostKernel host_kernel(const std::string& name) {
  const auto found = host_kernels().find(name);
  return found == host_kernels().end() ? nullptr : found->second;
}

}  // namespace standin

void standin_set_kernel(const char* name, const standin::HostKernel* kernel) {
  standin::set_host_kernel(name, *kernel);
}

char* standin_alias(const void* address) {
  const standin::Lock lock(standin::World::get().mutex);
  return standin::alias_of(address);
}

void standin_push(cudaStream_t stream, const char* name, const std::function<void()>* run) {
  const standin::Lock lock(standin::World::get().mutex);
  const std::string counted = std::string("operator ") + name;
  standin::push(standin::stream_of(stream), [counted, run = *run] {
    ++standin::World::get().launches[counted];
    if (standin::has_numbers()) run();
  });
}

void standin_wait(cudaStream_t stream) {
  static_cast<void>(cudaStreamSynchronize(stream));
}

void standin_complain(const char* what) {
  standin::complain(what);
}
