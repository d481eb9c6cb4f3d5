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

#include "model/decoder/decoder.h"
#include "model/decoder/placement.h"
#include "model/engine/backend.h"
#include "model/engine/engine.h"
#include "model/engine/model_info.h"
#include "weights/checkpoint/checkpoint.h"
#include "weights/device/device.h"
#include "weights/device/dtype.h"
#include "weights/device/host_memory.h"
#include "weights/device/processor.h"
#include "weights/device/threads.h"

namespace labelprobe::model {

namespace {

std::string join(std::span<const c10::Device> devices) {
  std::vector<std::string> names;
  for (const c10::Device device : devices) names.push_back(device.str());
  return fmt::format("{}", fmt::join(names, ","));
}

// "2 x NVIDIA A100, driver 570", where all are alike.
std::string describe_devices(std::span<const c10::Device> devices) {
  std::vector<std::string> names;
  for (const c10::Device device : devices) names.push_back(weights::describe_device(device));
  if (names.size() == 1) return names.front();
  const bool are_alike = std::all_of(names.begin(), names.end(),
                                     [&](const auto& name) { return name == names.front(); });
  return are_alike ? fmt::format("{} x {}", names.size(), names.front())
                   : fmt::format("{}", fmt::join(names, " + "));
}

std::size_t free_bytes_on(const c10::Device& device) {
  const c10::DeviceGuard on_device(device);
  return weights::free_bytes(device);
}

// By the memory that is free beside embedding and output head.
Placement place_layers(const std::vector<c10::Device>& devices,
                       const weights::DecoderConfig& config,
                       DType dtype) {
  if (devices.size() == 1) return devices.front();
  std::vector<std::size_t> n_free;
  for (const c10::Device& device : devices) n_free.push_back(free_bytes_on(device));
  const std::size_t n_matrix = static_cast<std::size_t>(config.vocab_size) *
                               static_cast<std::size_t>(config.hidden_size) *
                               c10::elementSize(weights::scalar_type(dtype));
  const std::size_t n_first = config.tie_word_embeddings ? n_matrix : 2 * n_matrix;
  return {devices, divide_layers(config.n_layers, n_free, n_first)};
}

weights::Checkpoint open_checkpoint(const std::filesystem::path& model,
                                    const std::filesystem::path& adapter) {
  weights::Checkpoint checkpoint = weights::Checkpoint::open(model);
  if (!adapter.empty()) checkpoint.add_adapter(adapter);
  return checkpoint;
}

bool is_cpu(const std::string& device) {
  // A card that is planned for need not be here.
  return device == "cpu" || (device == "auto" && weights::open_devices(device).front().is_cpu());
}

// Why weights cannot stay in the blocks of their file; empty if they can.
std::string why_not_packed(const weights::Checkpoint& checkpoint, const OpenOptions& options) {
  if (!checkpoint.can_stay_packed()) return "the model's files hold no blocks of a GGUF type";
  if (options.quantization != Quantization::None) {
    return fmt::format("--quant {} makes other ones of them",
                       weights::quantization_name(options.quantization));
  }
  return is_cpu(options.device) ? "" : "only a CPU multiplies with them so far";
}

// How the weights are kept: as asked for, or in the blocks of their file.
Quantization choose_quantization(const weights::Checkpoint& checkpoint,
                                 const std::filesystem::path& model,
                                 const OpenOptions& options) {
  const std::string why_not = why_not_packed(checkpoint, options);
  if (options.weights == WeightForm::Packed && !why_not.empty()) {
    throw ConfigError(fmt::format("{}: --weights packed: expected weights that can stay packed; {}",
                                  model.string(), why_not));
  }
  if (!why_not.empty() || options.weights == WeightForm::Unpacked) return options.quantization;
  if (options.weights == WeightForm::Packed) return Quantization::Gguf;
  const std::size_t n_free = weights::host_memory().n_free;
  const std::size_t n_unpacked =
      describe(checkpoint, options.dtype, options.quantization).weight_bytes;
  return n_free == 0 || n_unpacked <= n_free / 2 ? options.quantization : Quantization::Gguf;
}

// The system would end this process without a word. Beside the weights there is a second copy of
// the embedding, as the head or on the way to its place, and little room to work in.
void check_weights_fit(const ModelInfo& info,
                       const c10::Device& device,
                       const std::filesystem::path& model) {
  if (!device.is_cpu()) return;
  const weights::HostMemory memory = weights::host_memory();
  constexpr std::size_t kRoomToWork = std::size_t{64} << 20;
  const std::size_t n_needed = info.weight_bytes + kRoomToWork +
                               static_cast<std::size_t>(info.vocab_size) *
                                   static_cast<std::size_t>(info.hidden_size) *
                                   c10::elementSize(weights::scalar_type(info.dtype));
  if (memory.n_free == 0 || n_needed < memory.n_free) return;
  constexpr double kMebi = 1024 * 1024;
  throw ModelError(fmt::format(
      "{}: expected at least {:.0f} MiB of memory for its weights as {}, found {:.0f} MiB that {} "
      "leaves; use --model-dtype bfloat16, --quant nf4 or a smaller model",
      model.string(), static_cast<double>(n_needed) / kMebi,
      info.quantization == Quantization::None ? weights::dtype_name(info.dtype)
                                              : weights::quantization_name(info.quantization),
      static_cast<double>(memory.n_free) / kMebi, memory.limit));
}

}  // namespace

ModelInfo inspect(const std::filesystem::path& model, const OpenOptions& options) {
  const weights::Checkpoint checkpoint = open_checkpoint(model, options.adapter);
  return describe(checkpoint, options.dtype, choose_quantization(checkpoint, model, options));
}

std::unique_ptr<LanguageModel> open(const std::filesystem::path& model,
                                    const OpenOptions& options) {
  if (options.n_threads < 0) {
    throw ConfigError(fmt::format("threads is {}; expected 0 (one per physical core) or more",
                                  options.n_threads));
  }
  const int n_threads = weights::n_threads_of(options.n_threads);
  at::set_num_threads(n_threads);
  const c10::InferenceMode no_gradients;
  const std::vector<c10::Device> devices = weights::open_devices(options.device);
  const c10::Device device = devices.front();
  const c10::DeviceGuard on_device(device);
  weights::allow_tf32(options.allows_tf32);
  weights::Checkpoint checkpoint = open_checkpoint(model, options.adapter);
  const Quantization kept_as = choose_quantization(checkpoint, model, options);
  ModelInfo info = describe(checkpoint, options.dtype, kept_as);
  info.cache_bytes_per_token = info.cache_bytes_per_token /
                               c10::elementSize(weights::scalar_type(options.dtype)) *
                               c10::elementSize(activation_type(options.dtype, device));
  info.device_warnings = weights::device_warnings(device);
  if (n_threads < options.n_threads) {
    info.device_warnings.push_back(
        fmt::format("threads is {}, and {} are used: more only get in each other's way here",
                    options.n_threads, n_threads));
  }
  info.device = join(devices);
  info.device_name = describe_devices(devices);
  info.backend =
      describe_backend(checkpoint.config(), info.dtype, info.quantization, device, options.is_fast);
  check_weights_fit(info, device, model);
  try {
    return std::make_unique<Engine>(
        Decoder(checkpoint, options.dtype,
                place_layers(devices, checkpoint.config(), options.dtype), kept_as,
                options.is_fast),
        std::move(info), limits_of(device));
  } catch (const c10::Error& error) {
    if (!weights::is_out_of_memory(error)) {
      if (device.is_cpu()) throw;
      throw ModelError(weights::describe_failure(device, error.what_without_backtrace()));
    }
    throw ModelError(
        fmt::format("{}: its weights do not fit the memory of {}; use --model-dtype bfloat16, a "
                    "smaller model or several GPUs (--device cuda:0,cuda:1)",
                    model.string(), join(devices)));
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
  return join(weights::open_devices(device));
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
