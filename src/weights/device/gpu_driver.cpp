#include "weights/device/gpu_driver.h"

#include <array>
#include <fstream>

#include <dlfcn.h>
#include <fmt/format.h>

namespace labelprobe::weights {
namespace {

// Numbers of cuda_runtime_api.h.
constexpr int kNoDevice = 100;
constexpr int kDriverTooOld = 35;

// A function of a library that may not be there; null if it is not.
template <typename Function>
Function* find(void* library, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(library, name));
}

// libcudart came with libtorch; we do not link one.
template <typename Function>
Function* find_in_runtime(const char* name) {
  return find<Function>(RTLD_DEFAULT, name);
}

std::string words_of(int error) {
  const auto describe = find_in_runtime<const char*(int)>("cudaGetErrorString");
  return describe ? describe(error) : fmt::format("error {}", error);
}

// "12.4" of 12040.
std::string version_text(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

int version_of(const char* function) {
  const auto ask = find_in_runtime<int(int*)>(function);
  int version = 0;
  return ask && ask(&version) == 0 ? version : 0;
}

std::string process_name(unsigned id) {
  std::ifstream file(fmt::format("/proc/{}/comm", id));
  std::string name;
  std::getline(file, name);
  return fmt::format("{}{}process {}{}", name, name.empty() ? "" : " (", id,
                     name.empty() ? "" : ")");
}

// As in nvml.h.
struct NvmlProcess {
  unsigned id;
  unsigned long long n_bytes;
  unsigned gpu_instance;
  unsigned compute_instance;
};

}  // namespace

std::vector<std::string> gpu_names() {
  void* driver = ::dlopen("libcuda.so.1", RTLD_LAZY);
  if (!driver) return {};
  const auto start = find<int(unsigned)>(driver, "cuInit");
  const auto count = find<int(int*)>(driver, "cuDeviceGetCount");
  const auto get = find<int(int*, int)>(driver, "cuDeviceGet");
  const auto get_name = find<int(char*, int, int)>(driver, "cuDeviceGetName");
  int n = 0;
  if (!start || !count || !get || !get_name || start(0) != 0 || count(&n) != 0) return {};
  std::vector<std::string> names;
  for (int i = 0; i < n; ++i) {
    int handle = 0;
    std::array<char, 256> name = {};
    const bool is_known = get(&handle, i) == 0 &&
                          get_name(name.data(), static_cast<int>(name.size() - 1), handle) == 0;
    names.emplace_back(is_known ? name.data() : "GPU");
  }
  return names;
}

// The number in "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.124.06  Wed Feb 26 ...".
std::string driver_version() {
  std::ifstream file("/proc/driver/nvidia/version");
  std::string line;
  std::getline(file, line);
  const std::size_t begin = line.find_first_of("0123456789", line.find("Module"));
  if (line.find("Module") == std::string::npos || begin == std::string::npos) return {};
  return line.substr(begin, line.find(' ', begin) - begin);
}

std::string why_no_gpu() {
  const auto count = find_in_runtime<int(int*)>("cudaGetDeviceCount");
  if (!count) return "libtorch's GPU half has brought no CUDA run-time library";
  int n = 0;
  const int error = count(&n);
  if (error == kDriverTooOld) {
    return fmt::format(
        "the NVIDIA driver is too old: it knows CUDA up to {}, and this libtorch was built for "
        "CUDA "
        "{}; update the driver, or install a torch wheel for an older CUDA",
        version_text(version_of("cudaDriverGetVersion")),
        version_text(version_of("cudaRuntimeGetVersion")));
  }
  if (error == kNoDevice || (error == 0 && n == 0)) return "the driver reports no GPU";
  return error == 0 ? "" : fmt::format("CUDA says: {}", words_of(error));
}

std::optional<GpuMemory> gpu_memory(std::string* why_not) {
  const auto query = find_in_runtime<int(std::size_t*, std::size_t*)>("cudaMemGetInfo");
  GpuMemory memory;
  const int error = query ? query(&memory.n_free, &memory.n_all) : kNoDevice;
  if (error == 0) return memory;
  // Or the next call would report it again.
  if (const auto forget = find_in_runtime<int()>("cudaGetLastError")) forget();
  if (why_not) *why_not = words_of(error);
  return {};
}

std::vector<std::string> gpu_users(int index) {
  const auto get_bus = find_in_runtime<int(char*, int, int)>("cudaDeviceGetPCIBusId");
  void* management = ::dlopen("libnvidia-ml.so.1", RTLD_LAZY);
  std::array<char, 64> bus = {};
  if (!management || !get_bus || get_bus(bus.data(), static_cast<int>(bus.size()), index) != 0) {
    return {};
  }
  const auto start = find<int()>(management, "nvmlInit_v2");
  const auto get = find<int(const char*, void**)>(management, "nvmlDeviceGetHandleByPciBusId_v2");
  const auto list = find<int(void*, unsigned*, NvmlProcess*)>(
      management, "nvmlDeviceGetComputeRunningProcesses_v3");
  void* device = nullptr;
  std::array<NvmlProcess, 16> processes = {};
  auto n = static_cast<unsigned>(processes.size());
  if (!start || !get || !list || start() != 0 || get(bus.data(), &device) != 0 ||
      list(device, &n, processes.data()) != 0) {
    return {};
  }
  std::vector<std::string> users;
  for (unsigned i = 0; i < n && i < processes.size(); ++i) {
    users.push_back(process_name(processes[i].id));
  }
  return users;
}

}  // namespace labelprobe::weights
