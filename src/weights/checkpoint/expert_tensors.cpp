#include "weights/checkpoint/expert_tensors.h"

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/safetensors.h"

#include "weights/families/parameters.h"

namespace labelprobe::weights {
namespace {

constexpr std::string_view kEach = "{}";
constexpr std::string_view kBlocks = "_blocks";
constexpr std::string_view kScales = "_scales";
constexpr std::int64_t kCodesPerScale = 32;  // of MXFP4

enum class Half { Whole, First, Second, Even, Odd };  // rows of a tensor that belong together

[[noreturn]] void fail(const StoredTensor& tensor, const std::string& expected) {
  throw ModelError(fmt::format("{}: tensor {}: expected {}, found {} of shape {}",
                               tensor.file.string(), tensor.file_name, expected, tensor.type_name,
                               files::describe_shape(tensor.shape)));
}

// "model.layers.7.mlp.experts.down_proj" is layer 7, tail "down_proj"; no tail of a tensor that is
// one expert's, or nobody's.
struct FusedName {
  int layer = 0;
  std::string_view tail;
};

FusedName read_name(std::string_view name) {
  constexpr std::string_view kLayers = "model.layers.";
  constexpr std::string_view kExperts = ".experts.";
  const std::size_t place = name.find(kExperts);
  if (!name.starts_with(kLayers) || place == name.npos) {
    return {};
  }
  const std::string_view tail = name.substr(place + kExperts.size());
  if (!tail.starts_with("gate_up_proj") && !tail.starts_with("down_proj")) {
    return {};
  }
  FusedName read{0, tail};
  const char* const end = name.data() + place;
  const auto number = std::from_chars(name.data() + kLayers.size(), end, read.layer);
  return number.ec == std::errc() && number.ptr != end && *number.ptr == '.' ? read : FusedName();
}

// One expert's part of a tensor [E, ...].
StoredTensor slice(const StoredTensor& whole, int expert, int n_experts) {
  StoredTensor part = whole;
  part.shape.erase(part.shape.begin());
  const std::size_t n_bytes = whole.bytes.size() / static_cast<std::size_t>(n_experts);
  part.bytes = whole.bytes.subspan(static_cast<std::size_t>(expert) * n_bytes, n_bytes);
  return part;
}

// Some of the rows of a part whose rows are `row_bytes` apart.
void take_rows(StoredTensor& part, Half half, std::int64_t row_bytes) {
  if (half == Half::Whole) {
    return;
  }
  const std::int64_t n_rows = part.shape[0] / 2;
  const bool is_apart = half == Half::Even || half == Half::Odd;
  const bool is_second = half == Half::Second || half == Half::Odd;
  const std::int64_t first = !is_second ? 0 : is_apart ? 1 : n_rows;
  part.shape[0] = n_rows;
  part.bytes = part.bytes.subspan(static_cast<std::size_t>(first * row_bytes));
  if (is_apart) {
    part.row_stride = 2 * row_bytes;
  } else {
    part.bytes = part.bytes.first(static_cast<std::size_t>(n_rows * row_bytes));
  }
}

// A matrix [rows, columns], or the numbers of a bias.
StoredTensor plain_part(const StoredTensor& whole, int expert, int n_experts, Half half) {
  StoredTensor part = slice(whole, expert, n_experts);
  const auto layout = part.type ? files::block_layout(*part.type) : std::nullopt;
  if (!layout || layout->n_elements != 1) fail(whole, "plain numbers");
  const bool is_matrix = part.shape.size() == 2;
  take_rows(part, half, layout->n_bytes * (is_matrix ? part.shape[1] : 1));
  return part;
}

// The same of a matrix that is stored transposed: its rows are columns.
StoredTensor transposed_part(const StoredTensor& whole, int expert, int n_experts, Half half) {
  StoredTensor part = slice(whole, expert, n_experts);
  const auto layout = part.type ? files::block_layout(*part.type) : std::nullopt;
  if (!layout || layout->n_elements != 1) fail(whole, "plain numbers");
  std::swap(part.shape[0], part.shape[1]);
  const std::int64_t number_stride = part.shape[0] * layout->n_bytes;
  take_rows(part, half, layout->n_bytes);
  if (part.row_stride == 0) part.row_stride = layout->n_bytes;
  part.number_stride = number_stride;
  return part;
}

// Codes [rows, groups, 16 bytes] beside scales [rows, groups].
StoredTensor mxfp4_part(
    const StoredTensor& blocks, const StoredTensor& scales, int expert, int n_experts, Half half) {
  StoredTensor part = slice(blocks, expert, n_experts);
  StoredTensor beside = slice(scales, expert, n_experts);
  const std::int64_t n_groups = part.shape[1];
  part.shape = {part.shape[0], n_groups * kCodesPerScale};
  part.type = files::GgmlType::MXFP4;
  part.type_name = "MXFP4";
  const std::int64_t row_bytes = n_groups * kCodesPerScale / 2;
  take_rows(part, half, row_bytes);
  if (part.row_stride == 0) part.row_stride = row_bytes;
  take_rows(beside, half, n_groups);
  part.scales = beside.bytes;
  part.scale_stride = beside.row_stride == 0 ? n_groups : beside.row_stride;
  return part;
}

class Splitter {
 public:
  Splitter(WeightFiles& weights, const DecoderConfig& config)
      : weights_(weights), config_(config), n_(config.experts.n) {}

  // A name of GGUF's modules, in which the expert's number is still to come.
  void split_each(const std::string& name) {
    const StoredTensor whole = of_all(name, 1);
    std::vector<StoredTensor> parts;
    for (int e = 0; e < n_; ++e) {
      parts.push_back(slice(whole, e, n_));
      parts.back().name =
          std::string(name).replace(name.find(kEach), kEach.size(), fmt::to_string(e));
    }
    weights_.replace({name}, std::move(parts));
  }

  void split_fused(const std::string& name, const FusedName& fused) {
    const bool is_down = fused.tail.starts_with("down_proj");
    const bool is_alternating = config_.family->experts->are_alternating;
    const std::vector<std::pair<Role, Half>> halves =
        is_down
            ? std::vector{std::pair{Role::ExpertDown, Half::Whole}}
            : std::vector{std::pair{Role::ExpertGate, is_alternating ? Half::Even : Half::First},
                          std::pair{Role::ExpertUp, is_alternating ? Half::Odd : Half::Second}};
    const bool is_bias = fused.tail.ends_with("_bias");
    const bool is_packed = fused.tail.ends_with(kBlocks);
    if (is_bias && !bias_of(config_, Role::ExpertDown)) return;
    const StoredTensor whole = of_all(name, is_bias ? 2 : is_packed ? 4 : 3);
    std::vector<std::string> names = {name};
    StoredTensor scales;
    if (is_packed) {
      names.push_back(name.substr(0, name.size() - kBlocks.size()) + std::string(kScales));
      scales = of_all(names.back(), 3);
      const std::vector<std::int64_t> expected(whole.shape.begin(), whole.shape.end() - 1);
      if (whole.shape.back() != kCodesPerScale / 2 || whole.type_name != "U8") {
        fail(whole, "bytes in groups of 16");
      }
      if (scales.shape != expected || scales.type_name != "U8") {
        fail(scales, fmt::format("bytes of shape {}", files::describe_shape(expected)));
      }
    }
    std::vector<StoredTensor> parts;
    for (int e = 0; e < n_; ++e) {
      for (const auto& [role, half] : halves) {
        StoredTensor part = is_packed                    ? mxfp4_part(whole, scales, e, n_, half)
                            : is_bias || !is_alternating ? plain_part(whole, e, n_, half)
                                                         : transposed_part(whole, e, n_, half);
        part.name = is_bias ? bias_of(config_, role, fused.layer, e)->name
                            : weight_of(config_, role, fused.layer, e).name;
        parts.push_back(std::move(part));
      }
    }
    weights_.replace(names, std::move(parts));
  }

 private:
  // A tensor whose first dimension counts experts.
  StoredTensor of_all(const std::string& name, std::size_t n_dims) const {
    const StoredTensor& tensor = weights_.find(name);
    const bool fits = n_dims == 1 ? tensor.shape.size() >= 2 : tensor.shape.size() == n_dims;
    if (!fits || tensor.shape[0] != n_) {
      fail(tensor, fmt::format("{} experts in the first of {} dimensions", n_,
                               n_dims == 1 ? std::string("two or three") : fmt::to_string(n_dims)));
    }
    return tensor;
  }

  WeightFiles& weights_;
  const DecoderConfig& config_;
  int n_;
};

}  // namespace

void split_experts(WeightFiles& weights, const DecoderConfig& config) {
  if (config.experts.n == 0) {
    return;
  }
  std::vector<std::string> names;
  for (const auto& [name, tensor] : weights.tensors()) names.push_back(name);
  Splitter splitter(weights, config);
  for (const std::string& name : names) {
    if (name.find(kEach) != name.npos) {
      splitter.split_each(name);
    } else if (const FusedName fused = read_name(name);
               !fused.tail.empty() && !fused.tail.ends_with(kScales)) {
      splitter.split_fused(name, fused);
    }
  }
}

}  // namespace labelprobe::weights
