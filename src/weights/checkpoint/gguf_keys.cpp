#include "weights/checkpoint/gguf_keys.h"

#include <algorithm>
#include <cmath>
#include <variant>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"

namespace labelprobe::weights {

void fail_key(const files::GgufFile& file,
              const std::string& key,
              const std::string& expected,
              const std::string& found) {
  throw ModelError(fmt::format("{}: key '{}': expected {}, found {}", file.path().string(), key,
                               expected, found));
}

const files::GgufTensor* find_tensor(const files::GgufFile& file, std::string_view name) {
  const auto& tensors = file.tensors();
  const auto found =
      std::find_if(tensors.begin(), tensors.end(),
                   [&](const files::GgufTensor& tensor) { return tensor.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

int GgufKeys::integer(const std::string& key, std::int64_t low, std::int64_t high) const {
  const std::int64_t held = file_.integer(full(key));
  if (held < low || held > high) {
    fail(key, fmt::format("an integer from {} to {}", low, high), fmt::to_string(held));
  }
  return static_cast<int>(held);
}

double GgufKeys::positive_number(const std::string& key) const {
  const double held = file_.number(full(key));
  if (!(held > 0.0) || !std::isfinite(held)) {
    fail(key, "a number above 0", fmt::to_string(held));
  }
  return held;
}

double GgufKeys::positive_or(const std::string& key, double otherwise) const {
  return has(key) ? positive_number(key) : otherwise;
}

const files::GgufFile::Value& GgufKeys::metadata(const std::string& key) const {
  return file_.metadata().find(full(key))->second;
}

int GgufKeys::integer_of_all_layers(const std::string& key) const {
  const files::GgufFile::Value& held = metadata(key);
  if (!std::holds_alternative<std::vector<std::uint64_t>>(held) &&
      !std::holds_alternative<std::vector<std::int64_t>>(held)) {
    return integer(key, 1, limits::kModelDimension);
  }
  const std::vector<std::int64_t> per_layer = file_.integers(full(key));
  if (per_layer.empty() || per_layer[0] < 1 || per_layer[0] > limits::kModelDimension ||
      std::any_of(per_layer.begin(), per_layer.end(),
                  [&](std::int64_t n) { return n != per_layer[0]; })) {
    fail(key, "the same positive number for every layer", "different ones");
  }
  return static_cast<int>(per_layer[0]);
}

void GgufKeys::fail(const std::string& key,
                    const std::string& expected,
                    const std::string& found) const {
  fail_key(file_, full(key), expected, found);
}

}  // namespace labelprobe::weights
