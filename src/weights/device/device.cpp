#include "weights/device/device.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <utility>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Exception.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <sched.h>

#include "labelprobe/core/error.h"

#include "weights/device/cuda_operators.h"

namespace labelprobe::weights {
namespace {

std::string& kernel_problem() {
  static std::string reason;
  return reason;
}

// Why no GPU can be used here; empty if one can. Loads the GPU half of libtorch on the way.
std::string load_cuda() {
  if (!std::filesystem::exists("/dev/nvidiactl") && !::dlopen("libcuda.so.1", RTLD_LAZY)) {
    return "there is no NVIDIA driver (/dev/nvidiactl and libcuda.so.1 are missing)";
  }
  // Equal runs add up in equal order; read when cuBLAS starts.
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  if (!::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL)) {
    const char* reason = ::dlerror();
    return fmt::format(
        "this libtorch has no usable CUDA half ({}); install a CUDA build of the torch wheel",
        reason ? reason : "dlopen");
  }
  if (!at::hasCUDA()) return "the driver reports no GPU, or is too old for this libtorch";
  // Partial sums of a product are added in float32, whatever its type.
  at::globalContext().setAllowBF16ReductionCuBLAS(false);
  at::globalContext().setAllowFP16ReductionCuBLAS(false);
  kernel_problem() = load_cuda_operators();
  return {};
}

int n_gpus() {
  return static_cast<int>(at::getNumGPUs());
}

std::string first_line_value(const std::filesystem::path& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(key, 0) == 0) {
      const std::size_t begin = line.find_first_not_of(" \t", key.size());
      return begin == std::string::npos ? std::string() : line.substr(begin);
    }
  }
  return {};
}

// The number in "NVIDIA UNIX x86_64 Kernel Module  570.124.06  Wed Feb 26 ...".
std::string driver_number(const std::string& version) {
  const std::size_t begin = version.find_first_of("0123456789", version.find("Module"));
  if (begin == std::string::npos) return version;
  return version.substr(begin, version.find(' ', begin) - begin);
}

std::size_t free_gpu_bytes(c10::DeviceIndex index) {
  using MemGetInfo = int (*)(std::size_t*, std::size_t*);
  // From the CUDA run-time library that came with libtorch; we do not link one.
  const auto query = reinterpret_cast<MemGetInfo>(::dlsym(RTLD_DEFAULT, "cudaMemGetInfo"));
  std::size_t n_free = 0;
  std::size_t n_total = 0;
  if (!query || query(&n_free, &n_total) != 0) return 0;
  auto* allocator = at::getDeviceAllocator(c10::DeviceType::CUDA);
  if (!allocator->initialized()) return n_free;  // nothing was put on a GPU yet
  // What libtorch keeps for later is free too: it gives it back before it says that memory is out.
  const auto stats = allocator->getDeviceStats(index);
  const std::int64_t n_kept = stats.reserved_bytes[0].current - stats.allocated_bytes[0].current;
  return n_free + static_cast<std::size_t>(std::max<std::int64_t>(0, n_kept));
}

}  // namespace

c10::Device open_device(std::string_view name) {
  const c10::Device cpu(c10::DeviceType::CPU);
  if (name == "cpu") return cpu;
  if (name == "auto") {
    return load_cuda().empty() && n_gpus() > 0 ? c10::Device(c10::DeviceType::CUDA, 0) : cpu;
  }
  int index = 0;
  bool is_cuda = name == "cuda";
  if (name.starts_with("cuda:")) {
    const std::string_view digits = name.substr(5);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    is_cuda = error == std::errc() && end == digits.data() + digits.size() && index >= 0;
  }
  if (!is_cuda) {
    throw ConfigError(fmt::format(
        "unknown device '{}' (known: auto, cpu, cuda, cuda:N with N = 0, 1, ...)", name));
  }
  const std::string missing = load_cuda();
  if (!missing.empty()) {
    throw ConfigError(
        fmt::format("device '{}' cannot be used: {}; use --device cpu", name, missing));
  }
  if (index >= n_gpus()) {
    throw ConfigError(fmt::format(
        "device '{}' is not there: this machine has {} GPU(s), counted from 0", name, n_gpus()));
  }
  return c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index));
}

std::string describe_device(const c10::Device& device) {
  if (device.is_cpu()) {
    const std::string processor = first_line_value("/proc/cpuinfo", "model name");
    return fmt::format(
        "{}{} CPU threads",
        processor.empty()
            ? ""
            : fmt::format("{}, ", processor.substr(processor.find_first_not_of(": "))),
        at::get_num_threads());
  }
  using GetDevice = int (*)(int*, int);
  using GetName = int (*)(char*, int, int);
  void* driver = ::dlopen("libcuda.so.1", RTLD_LAZY);
  if (!driver) return "GPU";
  // From the driver, which libtorch has started: it counts GPUs as libtorch does.
  const auto get_device = reinterpret_cast<GetDevice>(::dlsym(driver, "cuDeviceGet"));
  const auto get_name = reinterpret_cast<GetName>(::dlsym(driver, "cuDeviceGetName"));
  int handle = 0;
  std::array<char, 256> name = {};
  const bool is_known = get_device && get_name && get_device(&handle, device.index()) == 0 &&
                        get_name(name.data(), static_cast<int>(name.size()), handle) == 0;
  const std::string version = first_line_value("/proc/driver/nvidia/version", "NVRM version:");
  return (is_known ? name.data() : "GPU") +
         (version.empty() ? std::string() : fmt::format(", driver {}", driver_number(version)));
}

std::size_t free_bytes(const c10::Device& device) {
  if (!device.is_cpu()) return free_gpu_bytes(device.index());
  const std::string kibibytes = first_line_value("/proc/meminfo", "MemAvailable:");
  return kibibytes.empty() ? 0 : std::strtoull(kibibytes.c_str(), nullptr, 10) * 1024;
}

c10::Stream open_stream(const c10::Device& gpu) {
  return c10::impl::VirtualGuardImpl(gpu.type()).getStreamFromGlobalPool(gpu);
}

c10::Stream follow_current_stream(c10::Stream stream) {
  c10::Event event(stream.device_type());
  event.record(c10::impl::VirtualGuardImpl(stream.device_type()).getStream(stream.device()));
  event.block(stream);
  return stream;
}

int n_physical_cores() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(0, sizeof mask, &mask) != 0) return 1;
  std::set<std::pair<std::string, std::string>> cores;
  const auto read = [](const std::string& path) {
    std::ifstream file(path);
    std::string word;
    file >> word;
    return word;
  };
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &mask)) continue;
    const std::string topology = fmt::format("/sys/devices/system/cpu/cpu{}/topology/", cpu);
    const std::string core = read(fmt::format("{}core_id", topology));
    cores.emplace(read(fmt::format("{}physical_package_id", topology)),
                  core.empty() ? fmt::to_string(cpu) : core);
  }
  return std::max<int>(1, static_cast<int>(cores.size()));
}

const std::string& why_no_kernels() {
  return kernel_problem();
}

void allow_tf32(bool is_allowed) {
  at::globalContext().setAllowTF32CuBLAS(is_allowed);
}

// The CPU allocator and cuBLAS have no exception type of their own: the words tell.
bool is_out_of_memory(const c10::Error& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error)) return true;
  const std::string_view what = error.what_without_backtrace();
  return what.find("DefaultCPUAllocator") != std::string_view::npos ||
         what.find("CUDA error: out of memory") != std::string_view::npos ||
         what.find("CUBLAS_STATUS_ALLOC_FAILED") != std::string_view::npos;
}

}  // namespace labelprobe::weights
