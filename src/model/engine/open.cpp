#include "labelprobe/model/open.h"

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"

#include "model/engine/backend.h"
#include "model/engine/engine.h"
#include "model/engine/free_memory.h"
#include "model/engine/loading.h"
#include "model/engine/model_info.h"
#include "weights/device/device.h"
#include "weights/device/processor.h"

namespace labelprobe::model {

namespace {

std::string list_devices(std::span<const c10::Device> devices) {
  std::vector<std::string> names;
  for (const c10::Device device : devices) names.push_back(device.str());
  return fmt::format("{}", fmt::join(names, ","));
}

}  // namespace

ModelInfo inspect(const std::filesystem::path& model, const OpenOptions& options) {
  const weights::Checkpoint checkpoint = open_checkpoint(model, options.adapter);
  return describe(checkpoint, options.dtype, choose_quantization(checkpoint, model, options));
}

std::unique_ptr<LanguageModel> open(const std::filesystem::path& model,
                                    const OpenOptions& options) {
  const c10::InferenceMode no_gradients;
  Team* const team = Team::current();
  LoadedModel loaded = [&] {
    if (team == nullptr) return load_model(model, options, nullptr);
    OpenOptions for_all = options;
    if (options.device == "auto") {
      for_all.device = weights::open_device("auto").is_cpu() ? "cpu" : "cuda";
    }
    static std::int64_t n_opened = 0;
    const std::int64_t number = ++n_opened;
    team->tell(open_parcel(model, for_all, number).bytes());
    return load_together(model, for_all, *team, number);
  }();
  const c10::Device device = loaded.decoder.device();
  const c10::DeviceGuard on_device(device);
  try {
    return std::make_unique<Engine>(std::move(loaded.decoder), std::move(loaded.info),
                                    limits_of(device));
  } catch (const c10::Error& error) {
    throw_failure(error, model, device, device.str());
  }
}

std::vector<std::pair<std::string, std::string>> describe_platform() {
  const c10::Device cpu(c10::kCPU);
  std::string gpu;
  try {
    const c10::Device device = weights::open_device("cuda");
    gpu = weights::describe_device(device);
    if (!weights::why_no_kernels().empty()) {
      gpu += fmt::format("; no own kernels: {}", weights::why_no_kernels());
    }
  } catch (const ConfigError& error) {
    gpu = fmt::format("none: {}", error.what());
  }
  return {
      {"libtorch", describe_libtorch().substr(std::string_view("libtorch ").size())},
      {"processor", fmt::format("{}; libtorch uses {}, own code {}", weights::describe_device(cpu),
                                at::get_cpu_capability(), weights::processor_generation())},
      {"CUDA", gpu}};
}

std::string resolve_device(const std::string& device) {
  return list_devices(weights::open_devices(device));
}

std::size_t free_device_bytes(const std::string& name) {
  std::size_t n_all = 0;
  for (const c10::Device& device : weights::open_devices(name)) {
    const std::size_t n = free_bytes_on(device);
    if (n == 0) return 0;
    n_all += n;
  }
  return n_all;
}

}  // namespace labelprobe::model
