#include "model/engine/loading.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"

#include "model/engine/backend.h"
#include "model/engine/free_memory.h"
#include "model/engine/model_info.h"
#include "model/products/packed_product.h"
#include "weights/device/device.h"
#include "weights/device/dtype.h"
#include "weights/device/host_memory.h"
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

// The system would end this process without a word. Beside the weights there is a second copy of
// the embedding, as the head or on the way to its place, and little room to work in.
//   n_weights  bytes of this process, as n_processes of the machine have each
void check_weights_fit(const ModelInfo& info,
                       std::size_t n_weights,
                       int n_processes,
                       const c10::Device& device,
                       const std::filesystem::path& model,
                       std::string_view remedies) {
  if (!device.is_cpu()) return;
  const weights::HostMemory memory = weights::host_memory();
  constexpr std::size_t kRoomToWork = std::size_t{64} << 20;
  // Packed weights are embedding and head at once.
  const std::size_t n_embedding = info.quantization == Quantization::Gguf
                                      ? 0
                                      : static_cast<std::size_t>(info.vocab_size) *
                                            static_cast<std::size_t>(info.hidden_size) *
                                            c10::elementSize(weights::scalar_type(info.dtype));
  const auto n_here = static_cast<std::size_t>(n_processes);
  const std::size_t n_needed = n_here * (n_weights + kRoomToWork) + n_embedding;
  if (memory.n_free == 0 || n_needed < memory.n_free) return;
  constexpr double kMebi = 1024 * 1024;
  throw ModelError(fmt::format(
      "{}: expected at least {:.0f} MiB of memory for its weights as {}, found {:.0f} MiB that {} "
      "leaves; use {}",
      model.string(), static_cast<double>(n_needed) / kMebi,
      info.quantization == Quantization::None ? weights::dtype_name(info.dtype)
                                              : weights::quantization_name(info.quantization),
      static_cast<double>(memory.n_free) / kMebi, memory.limit, remedies));
}

// Which device is this process's of those that its team computes on: each has one GPU, in the order
// of the processes on a machine.
std::string own_device(const std::string& asked, const Team& team) {
  if (asked == "cpu") return asked;
  if (asked != "cuda") {
    throw ConfigError(
        fmt::format("device is '{}'; expected auto, cpu or cuda, as each of {} processes takes a "
                    "GPU of its own",
                    asked, team.size()));
  }
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  if (visible == nullptr || *visible == '\0') return fmt::format("cuda:{}", team.local_rank());
  const std::string_view list(visible);
  const auto n_visible = static_cast<int>(std::count(list.begin(), list.end(), ',')) + 1;
  return fmt::format("cuda:{}", team.local_rank() % n_visible);
}

int n_threads_of(int asked, const Team* team) {
  if (asked < 0) {
    throw ConfigError(
        fmt::format("threads is {}; expected 0 (one per physical core) or more", asked));
  }
  if (asked > 0 || team == nullptr) return weights::n_threads_of(asked);
  return std::max(1, weights::n_physical_cores() / team->n_on_host());
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
  if (Team::current() != nullptr) return "several processes share unpacked weights";
  return is_cpu(options.device) ? "" : "only a CPU multiplies with them so far";
}

}  // namespace

weights::Checkpoint open_checkpoint(const std::filesystem::path& model,
                                    const std::filesystem::path& adapter) {
  weights::Checkpoint checkpoint = weights::Checkpoint::open(model);
  if (!adapter.empty()) checkpoint.add_adapter(adapter);
  return checkpoint;
}

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
  if (options.dtype == DType::Float32 && is_packed_faster()) return Quantization::Gguf;
  // By what the memory is, not by what is free of it now: the same command has to go on with the
  // same numbers.
  const std::size_t n_memory = weights::host_memory().n_total;
  const std::size_t n_unpacked =
      describe(checkpoint, options.dtype, options.quantization).weight_bytes;
  return n_memory == 0 || n_unpacked <= n_memory / 2 ? options.quantization : Quantization::Gguf;
}

void throw_failure(const c10::Error& error,
                   const std::filesystem::path& model,
                   const c10::Device& device,
                   const std::string& devices) {
  if (!weights::is_out_of_memory(error)) {
    if (device.is_cpu()) throw error;
    throw ModelError(weights::describe_failure(device, error.what_without_backtrace()));
  }
  throw ModelError(
      fmt::format("{}: its weights do not fit the memory of {}; use --model-dtype bfloat16, a "
                  "smaller model or several GPUs (--device cuda:0,cuda:1)",
                  model.string(), devices));
}

LoadedModel load_model(const std::filesystem::path& model, const OpenOptions& options, Team* team) {
  const int n_threads = n_threads_of(options.n_threads, team);
  at::set_num_threads(n_threads);
  weights::keep_freed_memory();
  const c10::InferenceMode no_gradients;
  const std::vector<c10::Device> devices =
      weights::open_devices(team == nullptr ? options.device : own_device(options.device, *team));
  const c10::Device device = devices.front();
  const c10::DeviceGuard on_device(device);
  weights::allow_tf32(options.allows_tf32);
  weights::Checkpoint checkpoint = open_checkpoint(model, options.adapter);
  const weights::DecoderConfig& config = checkpoint.config();
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
  info.backend = describe_backend(config, info.dtype, info.quantization, device, options.is_fast);
  std::size_t n_weights = info.weight_bytes;
  if (team != nullptr) {
    const Share share = divide_model(config, team->size())[static_cast<std::size_t>(team->rank())];
    n_weights = share_bytes(checkpoint, options.dtype, kept_as, share);
    info.cache_bytes_per_token = info.cache_bytes_per_token /
                                 static_cast<std::size_t>(config.n_kv_heads) *
                                 static_cast<std::size_t>(share.key_heads.n);
    info.backend += fmt::format(", {} processes", team->size());
  }
  const bool could_be_packed =
      kept_as == Quantization::None && why_not_packed(checkpoint, options).empty();
  check_weights_fit(info, n_weights, team == nullptr ? 1 : team->n_on_host(), device, model,
                    could_be_packed ? "--weights packed, --model-dtype bfloat16 or a smaller model"
                                    : "--model-dtype bfloat16, --quant nf4 or a smaller model");
  try {
    Decoder decoder(checkpoint, options.dtype, place_layers(devices, config, options.dtype),
                    kept_as, options.is_fast, team);
    return {std::move(info), std::move(decoder)};
  } catch (const c10::Error& error) {
    throw_failure(error, model, device, join(devices));
  }
}

Parcel open_parcel(const std::filesystem::path& model,
                   const OpenOptions& options,
                   std::int64_t number) {
  Parcel parcel(Order::Open, number);
  parcel.put(model.string()).put(options.adapter.string()).put(options.device);
  parcel.put(options.dtype).put(options.n_threads).put(options.quantization);
  parcel.put(options.allows_tf32).put(options.is_fast);
  return parcel;
}

std::pair<std::filesystem::path, OpenOptions> opening_of(Parcel& parcel) {
  const std::filesystem::path model = parcel.take_text();
  OpenOptions options;
  options.adapter = parcel.take_text();
  options.device = parcel.take_text();
  options.dtype = parcel.take<DType>();
  options.n_threads = parcel.take<int>();
  options.quantization = parcel.take<Quantization>();
  options.allows_tf32 = parcel.take<bool>();
  options.is_fast = parcel.take<bool>();
  return {model, options};
}

LoadedModel load_together(const std::filesystem::path& model,
                          const OpenOptions& options,
                          Team& team,
                          std::int64_t number) {
  std::optional<LoadedModel> loaded;
  std::exception_ptr failure;
  std::string obstacle;
  try {
    loaded.emplace(load_model(model, options, &team));
    loaded->decoder.set_number(number);
  } catch (const std::exception& error) {
    failure = std::current_exception();
    obstacle = error.what();
  }
  const std::vector<std::string> obstacles = team.collect(obstacle);
  if (failure) std::rethrow_exception(failure);
  for (std::size_t rank = 0; rank < obstacles.size(); ++rank) {
    if (obstacles[rank].empty()) continue;
    throw ModelError(fmt::format("process {} of {}: {}", rank + 1, team.size(), obstacles[rank]));
  }
  return std::move(*loaded);
}

}  // namespace labelprobe::model
