#include "weights/device/device.h"

#include <algorithm>
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
#include <c10/core/DeviceGuard.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Exception.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>

#include "labelprobe/core/error.h"

#include "weights/device/cuda_operators.h"
#include "weights/device/gpu_driver.h"
#include "weights/device/host_memory.h"
#include "weights/device/processor_name.h"

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
  if (std::string reason = why_no_gpu(); !reason.empty()) return reason;
  if (!at::hasCUDA()) return "libtorch finds no GPU";
  // Partial sums of a product are added in float32, whatever its type.
  at::globalContext().setAllowBF16ReductionCuBLAS(false);
  at::globalContext().setAllowFP16ReductionCuBLAS(false);
  kernel_problem() = load_cuda_operators();
  return {};
}

int n_gpus() {
  return static_cast<int>(at::getNumGPUs());
}

std::size_t free_gpu_bytes(c10::DeviceIndex index) {
  const std::optional<GpuMemory> memory = gpu_memory();
  if (!memory) return 0;
  auto* allocator = at::getDeviceAllocator(c10::DeviceType::CUDA);
  if (!allocator->initialized()) return memory->n_free;  // nothing was put on a GPU yet
  // What libtorch keeps for later is free too: it gives it back before it says that memory is out.
  const auto stats = allocator->getDeviceStats(index);
  const std::int64_t n_kept = stats.reserved_bytes[0].current - stats.allocated_bytes[0].current;
  return memory->n_free + static_cast<std::size_t>(std::max<std::int64_t>(0, n_kept));
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

// A GPU is not used before its memory is asked for: only then another process's claim is noticed.
void check_is_free(const c10::Device& gpu) {
  const c10::DeviceGuard on_device(gpu);
  std::string reason;
  if (!gpu_memory(&reason)) throw ModelError(describe_failure(gpu, reason));
}

std::string& unused_gpu() {
  static std::string warning;
  return warning;
}

// "auto": the first GPU, or the CPU with a word why a GPU that is there is not used.
c10::Device choose_device() {
  const std::string reason = load_cuda();
  if (reason.empty() && n_gpus() > 0) return c10::Device(c10::DeviceType::CUDA, 0);
  const std::vector<std::string> names = gpu_names();
  if (!names.empty()) {
    unused_gpu() = fmt::format("there is a GPU ({}), but the CPU computes: {}", joined(names),
                               reason.empty() ? "libtorch counts none" : reason);
  }
  return c10::Device(c10::DeviceType::CPU);
}

}  // namespace

c10::Device open_device(std::string_view name) {
  unused_gpu().clear();
  if (name == "cpu") return c10::Device(c10::DeviceType::CPU);
  if (name == "auto") {
    const c10::Device chosen = choose_device();
    if (chosen.is_cuda()) check_is_free(chosen);
    return chosen;
  }
  int index = 0;
  bool is_cuda = name == "cuda";
  if (name.starts_with("cuda:")) {
    const std::string_view digits = name.substr(5);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    is_cuda = error == std::errc() && end == digits.data() + digits.size() && index >= 0;
  }
  if (!is_cuda) {
    throw ConfigError(
        fmt::format("unknown device '{}' (known: auto, cpu, cuda, cuda:N with N = 0, 1, ...; "
                    "several GPUs for one model: "
                    "cuda:0,cuda:1)",
                    name));
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
  const c10::Device gpu(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index));
  check_is_free(gpu);
  return gpu;
}

std::vector<c10::Device> open_devices(std::string_view names) {
  std::vector<c10::Device> devices;
  for (std::size_t begin = 0; begin <= names.size();) {
    const std::size_t end = std::min(names.find(',', begin), names.size());
    const c10::Device device = open_device(names.substr(begin, end - begin));
    if (std::find(devices.begin(), devices.end(), device) != devices.end()) {
      throw ConfigError(fmt::format("device '{}': {} is named twice", names, device.str()));
    }
    devices.push_back(device);
    begin = end + 1;
  }
  const bool has_others = std::any_of(devices.begin(), devices.end(),
                                      [](const c10::Device& one) { return !one.is_cuda(); });
  if (devices.size() > 1 && has_others) {
    throw ConfigError(fmt::format(
        "device '{}': expected GPUs alone where a model is divided, such as cuda:0,cuda:1", names));
  }
  return devices;
}

std::string describe_failure(const c10::Device& device, std::string_view what) {
  const std::string text = fmt::format("{} ({}) cannot be used: {}", device.str(),
                                       describe_device(device), what.substr(0, what.find('\n')));
  if (what.find("busy or unavailable") != std::string_view::npos) {
    const std::vector<std::string> users = gpu_users(device.index());
    const int other = device.index() == 0 ? 1 : 0;
    return fmt::format("{}; {}; wait for it, or use --device {}", text,
                       users.empty() ? "another process may hold it alone (nvidia-smi shows which)"
                                     : fmt::format("used by {}", joined(users)),
                       other < n_gpus() ? fmt::format("cuda:{}", other) : "cpu");
  }
  if (what.find("no kernel image") != std::string_view::npos) {
    return fmt::format(
        "{}; our kernels were built for other GPUs: build them on this machine with cmake "
        "-DCMAKE_CUDA_ARCHITECTURES=native, or set LABELPROBE_CUDA_KERNELS=0",
        text);
  }
  return text;
}

std::vector<std::string> device_warnings(const c10::Device& device) {
  std::vector<std::string> warnings;
  if (!unused_gpu().empty()) warnings.push_back(unused_gpu());
  if (device.is_cuda() && !kernel_problem().empty()) {
    warnings.push_back(fmt::format(
        "the GPU computes without kernels of our own ({}): slower, with "
        "about five times as many launches; scripts/build.sh builds them where it finds nvcc",
        kernel_problem()));
  }
  return warnings;
}

std::string describe_device(const c10::Device& device) {
  if (device.is_cpu()) {
    const std::string processor = processor_name();
    return fmt::format("{}{}{} CPU threads", processor, processor.empty() ? "" : ", ",
                       at::get_num_threads());
  }
  const std::vector<std::string> names = gpu_names();
  const auto index = static_cast<std::size_t>(device.index());
  const std::string version = driver_version();
  return fmt::format("{}{}", index < names.size() ? names[index] : "GPU",
                     version.empty() ? "" : fmt::format(", driver {}", version));
}

std::size_t free_bytes(const c10::Device& device) {
  if (!device.is_cpu()) return free_gpu_bytes(device.index());
  return host_memory().n_free;
}

GivenBack::~GivenBack() {
  if (device_.is_cpu()) return;
  try {
    at::getDeviceAllocator(device_.type())->emptyCache();
  } catch (const c10::Error&) {
    // A device that has failed gives nothing back.
  }
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
