#include "model/cost/memory.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "model/engine/limits.h"
#include "weights/device/dtype.h"
#include "weights/families/parameters.h"
#include "weights/quantized/quantized_weight.h"

namespace labelprobe::model::cost {
namespace {

// cuBLAS has a workspace for each stream that multiplies, of the size that the program asks for
// (CUBLAS_WORKSPACE_CONFIG=:4096:8); cuBLASLt one more of 32 MiB on Hopper. The engine has two
// streams.
constexpr double kWorkspaceBytes = 2 * 2 * 32.0 * 1024 * 1024;

// libtorch rounds what it takes, and keeps pieces that nothing fits into.
constexpr double kUnusedShare = 0.03;

// The widest pass: its rows, and the parts of their attention.
struct Widest {
  double n_rows = 0;
  double n_parts = 0;
};

Widest widest(const std::vector<Pass>& passes) {
  Widest all;
  for (const Pass& pass : passes) {
    all.n_rows = std::max(all.n_rows, static_cast<double>(pass.n_rows));
    all.n_parts = std::max(all.n_parts, static_cast<double>(pass.attention.n_parts));
  }
  return all;
}

// What is alive at the end of a layer: Decoder::forward() keeps the layer's tensors until then.
double activation_bytes(const CardSetting& setting, const Widest& pass) {
  const weights::DecoderConfig& config = setting.config;
  const double n_query = static_cast<double>(config.n_heads) * config.head_dim;
  const double n_key = static_cast<double>(config.n_kv_heads) * config.head_dim;
  const double numbers =
      4.0 * config.hidden_size + n_query + (n_query + 2 * n_key) + 3.0 * config.intermediate_size;
  // Cosines, sines, the parts of attention and their logarithms are float32.
  const double wide = pass.n_rows * config.head_dim + pass.n_parts * (n_query + config.n_heads);
  return pass.n_rows * numbers * static_cast<double>(weights::dtype_bytes(setting.options.dtype)) +
         wide * sizeof(float);
}

// Logits as they are multiplied, and widened.
double logit_bytes(const CardSetting& setting) {
  const double n_bytes = static_cast<double>(weights::dtype_bytes(setting.options.dtype));
  const double widened = setting.options.dtype == DType::Float32 ? 0 : sizeof(float);
  return static_cast<double>(kRowsPerHead) * setting.config.vocab_size * (n_bytes + widened);
}

// The largest matrix in the type that is computed in.
double unpacked_bytes(const CardSetting& setting) {
  if (setting.quantization == Quantization::None) return 0;
  return 2.0 * setting.config.intermediate_size * setting.config.hidden_size *
         static_cast<double>(weights::dtype_bytes(setting.options.dtype));
}

double rotation_bytes(const weights::DecoderConfig& config) {
  return static_cast<double>(config.n_positions()) * config.head_dim * sizeof(float);
}

// What does not shrink where memory is short, beside the weights.
double fixed_bytes(const CardSetting& setting, const weights::DecoderConfig& config) {
  return kContextBytes + kWorkspaceBytes + rotation_bytes(config) + logit_bytes(setting) +
         unpacked_bytes(setting);
}

// Bytes of the weights, were the linear layers in 4 bits.
double packed_bytes(const CardSetting& setting, const weights::DecoderConfig& config) {
  double sum = 0;
  for (const weights::Parameter& parameter : weights::parameters_of(config)) {
    sum += parameter.is_block_linear()
               ? static_cast<double>(weights::quantized_bytes(
                     parameter.shape[0], parameter.shape[1], Quantization::Fp4))
               : static_cast<double>(parameter.n_elements()) *
                     static_cast<double>(weights::dtype_bytes(setting.options.dtype));
  }
  return sum;
}

}  // namespace

double bytes_of(const Card& card) {
  return card.memory_mib * 1024 * 1024;
}

double free_beside_weights(const Card& card, const PlannedModel& model) {
  const double bytes = bytes_of(card) - kContextBytes -
                       static_cast<double>(model.info.weight_bytes) - rotation_bytes(model.config);
  return std::max(0.0, bytes);
}

std::vector<MemoryLine> memory_of(const CardSetting& setting,
                                  const PlannedModel& model,
                                  const Workload& workload) {
  const bool is_recorded = std::any_of(workload.steps.begin(), workload.steps.end(),
                                       [](const Pass& step) { return step.is_recorded; });
  std::vector<MemoryLine> lines = {
      {"context and kernels of the libraries", kContextBytes},
      {"weights", static_cast<double>(model.info.weight_bytes)},
      {"angles of positions", rotation_bytes(model.config)},
      {"keys and values", static_cast<double>(workload.n_arena_rows) *
                              static_cast<double>(model.info.cache_bytes_per_token)},
      {"activations of a pack", std::max(activation_bytes(setting, widest(workload.packs)),
                                         activation_bytes(setting, widest(workload.explored)))},
      {"logits", logit_bytes(setting)},
      {"one matrix, unpacked", unpacked_bytes(setting)},
      {"graph of a step", is_recorded ? activation_bytes(setting, widest(workload.steps)) +
                                            logit_bytes(setting) + unpacked_bytes(setting)
                                      : 0},
      {"workspaces of the libraries", kWorkspaceBytes},
  };
  double sum = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) sum += lines[i].bytes;
  lines.push_back({"rounding of libtorch", (sum - lines[1].bytes) * kUnusedShare});
  std::erase_if(lines, [](const MemoryLine& line) { return line.bytes == 0; });
  return lines;
}

std::string advise(const CardSetting& setting,
                   const PlannedModel& model,
                   const std::vector<MemoryLine>& memory) {
  double needed = 0;
  for (const MemoryLine& line : memory) needed += line.bytes;
  if (needed <= bytes_of(setting.card)) return {};
  const auto fits = [&](const Card& card, double weight_bytes) {
    return fixed_bytes(setting, model.config) + weight_bytes <= bytes_of(card);
  };
  const auto weight_bytes = static_cast<double>(model.info.weight_bytes);
  if (fits(setting.card, weight_bytes)) {
    return "this does not fit at once: the engine would halve packs and chunks until it does, "
           "which takes longer than told here";
  }
  std::vector<std::string_view> larger;
  for (const Card& card : cards()) {
    if (fits(card, weight_bytes)) larger.push_back(card.name);
  }
  std::string advice = "the weights do not fit; ";
  advice += larger.empty() ? "no known card holds them"
                           : fmt::format("they fit {}", fmt::join(larger, ", "));
  advice += fmt::format(
      "; cards that share the layers are named with commas: --device {0},{0}; or processes "
      "share all of them: --tensor-parallel",
      setting.card.name);
  if (model.info.quantization == Quantization::None) {
    const double packed = packed_bytes(setting, model.config);
    advice += fmt::format("; with --quant fp4 they take {:.1f} GB, which {} {}", packed / 1e9,
                          fits(setting.card, packed) ? "fit" : "do not fit", setting.card.name);
  }
  return advice;
}

}  // namespace labelprobe::model::cost
