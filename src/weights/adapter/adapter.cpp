#include "weights/adapter/adapter.h"

#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/files/json.h"
#include "labelprobe/files/safetensors.h"

namespace labelprobe::weights {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "base_model.model.";

at::Tensor float_tensor(const files::SafetensorsTensor& stored, const fs::path& path) {
  const auto type = stored.type == "F32"    ? std::optional(at::kFloat)
                    : stored.type == "BF16" ? std::optional(at::kBFloat16)
                    : stored.type == "F16"  ? std::optional(at::kHalf)
                                            : std::nullopt;
  if (!type) {
    throw ModelError(fmt::format("{}: tensor {}: expected F32, BF16 or F16, found {}",
                                 path.string(), stored.name, stored.type));
  }
  const at::Tensor raw = at::empty(stored.shape, *type);
  std::memcpy(raw.mutable_data_ptr(), stored.bytes.data(), stored.bytes.size());
  return raw.to(at::kFloat);
}

void check_shapes(const fs::path& path, const Parameter& parameter, const LoraUpdate& update) {
  const auto fail = [&](char matrix, const std::string& expected, const at::Tensor& found) {
    throw ModelError(
        fmt::format("{}: tensor {}: expected {} as the base has {} in {}, found {}; is the adapter "
                    "for another base?",
                    path.string(), lora_name(parameter.name, matrix), expected, parameter.name,
                    files::describe_shape(parameter.shape), files::describe_shape(found.sizes())));
  };
  if (update.a.dim() != 2 || update.a.size(1) != parameter.shape[1]) {
    fail('A', fmt::format("[r, {}]", parameter.shape[1]), update.a);
  }
  const std::int64_t r = update.a.size(0);
  if (update.b.dim() != 2 || update.b.size(0) != parameter.shape[0] || update.b.size(1) != r) {
    fail('B', fmt::format("[{}, {}]", parameter.shape[0], r), update.b);
  }
}

// The linear layers that an adapter may change: those of the blocks but for experts, and a head of
// its own.
bool can_be_changed(const Parameter& parameter, const DecoderConfig& config) {
  return (parameter.is_block_linear() && !is_of_expert(parameter.role)) ||
         (parameter.role == Role::Head && !config.tie_word_embeddings);
}

}  // namespace

std::string lora_name(const std::string& parameter, char matrix) {
  LABELPROBE_CHECK(parameter.ends_with(".weight"));
  return fmt::format("{}{}.lora_{}.weight", kPrefix, parameter.substr(0, parameter.size() - 7),
                     matrix);
}

Adapter Adapter::open(const fs::path& folder, const DecoderConfig& config) {
  const fs::path path = folder / kAdapterFile;
  if (!fs::exists(folder / kAdapterConfigFile) || !fs::exists(path)) {
    throw ModelError(
        fmt::format("{}: expected a LoRA adapter as peft writes it, {} and {}, found {}",
                    folder.string(), kAdapterConfigFile, kAdapterFile,
                    !fs::exists(folder)                        ? "no such folder"
                    : !fs::exists(folder / kAdapterConfigFile) ? "no configuration"
                                                               : "no weights"));
  }
  const auto [alpha, is_rslora] = read_adapter_settings(folder);
  const auto file = files::SafetensorsFile::open(path, ErrorKind::Model);
  std::map<std::string, const files::SafetensorsTensor*> stored;
  for (const files::SafetensorsTensor& tensor : file.tensors()) stored[tensor.name] = &tensor;

  Adapter adapter;
  for (const Parameter& parameter : parameters_of(config)) {
    if (!can_be_changed(parameter, config) || !parameter.name.ends_with(".weight")) continue;
    const auto a = stored.find(lora_name(parameter.name, 'A'));
    const auto b = stored.find(lora_name(parameter.name, 'B'));
    if (a == stored.end() || b == stored.end()) continue;
    LoraUpdate update{float_tensor(*a->second, path), float_tensor(*b->second, path), 1.0};
    check_shapes(path, parameter, update);
    const auto r = static_cast<double>(update.a.size(0));
    update.scale = alpha / (is_rslora ? std::sqrt(r) : r);
    adapter.updates_.emplace(parameter.name, std::move(update));
    stored.erase(a);
    stored.erase(b);
  }
  if (!stored.empty() || adapter.updates_.empty()) {
    throw ModelError(fmt::format(
        "{}: expected pairs of LoRA matrices of linear layers of a {} with {} layers, found {}; is "
        "the adapter for another base?",
        path.string(), config.family->architecture, config.n_layers,
        stored.empty()
            ? "none"
            : fmt::format("{} other tensors, as {}", stored.size(), stored.begin()->first)));
  }
  Fingerprint print;
  print.add(file.bytes());
  print.add(fmt::format("{} {}", alpha, is_rslora));
  adapter.fingerprint_ = print.hex();
  if (fs::exists(folder / kAdapterNoteFile)) {
    adapter.base_fingerprint_ = files::load_json_object(folder / kAdapterNoteFile, ErrorKind::Model)
                                    .at("base_fingerprint")
                                    .string();
  }
  return adapter;
}

void Adapter::add_to(const Parameter& parameter, at::Tensor& weight) const {
  const LoraUpdate& update = updates_.find(parameter.name)->second;
  weight.add_(at::mm(update.b, update.a), update.scale);
}

}  // namespace labelprobe::weights
