#include "labelprobe/model/open.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "model/decoder/decoder.h"
#include "model/engine/backend.h"
#include "model/engine/engine.h"
#include "model/engine/model_info.h"
#include "weights/checkpoint/checkpoint.h"
#include "weights/device/device.h"
#include "weights/device/dtype.h"
#include "weights/device/processor.h"

namespace labelprobe::model {

ModelInfo inspect(const std::filesystem::path& model, DType dtype, Quantization quantization) {
  return describe(weights::Checkpoint::open(model), dtype, quantization);
}

std::unique_ptr<LanguageModel> open(const std::filesystem::path& model,
                                    const OpenOptions& options) {
  if (options.n_threads < 0) {
    throw ConfigError(fmt::format("threads is {}; expected 0 (one per physical core) or more",
                                  options.n_threads));
  }
  at::set_num_threads(options.n_threads > 0 ? options.n_threads : weights::n_physical_cores());
  const c10::InferenceMode no_gradients;
  const c10::Device device = weights::open_device(options.device);
  const c10::DeviceGuard on_device(device);
  weights::allow_tf32(options.allows_tf32);
  weights::Checkpoint checkpoint = weights::Checkpoint::open(model);
  ModelInfo info = describe(checkpoint, options.dtype, options.quantization);
  info.cache_bytes_per_token = info.cache_bytes_per_token /
                               c10::elementSize(weights::scalar_type(options.dtype)) *
                               c10::elementSize(activation_type(options.dtype, device));
  info.device_warnings = weights::device_warnings(device);
  info.device = device.str();
  info.device_name = weights::describe_device(device);
  info.backend =
      describe_backend(checkpoint.config(), info.dtype, info.quantization, device, options.is_fast);
  try {
    return std::make_unique<Engine>(
        Decoder(checkpoint, options.dtype, device, options.quantization, options.is_fast),
        std::move(info), limits_of(device));
  } catch (const c10::Error& error) {
    if (!weights::is_out_of_memory(error)) {
      if (device.is_cpu()) throw;
      throw ModelError(weights::describe_failure(device, error.what_without_backtrace()));
    }
    throw ModelError(
        fmt::format("{}: its weights do not fit the memory of {}; use --model-dtype bfloat16 or a "
                    "smaller model",
                    model.string(), device.str()));
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
  return weights::open_device(device).str();
}

std::size_t free_device_bytes(const std::string& name) {
  const c10::Device device = weights::open_device(name);
  const c10::DeviceGuard on_device(device);
  return weights::free_bytes(device);
}

}  // namespace labelprobe::model
