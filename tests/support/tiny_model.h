// Tiny checkpoints whose weights follow from the rule of scripts/fixtures/tiny_model.py, which says
// what transformers computes with them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "support/files.h"
#include "support/weight_files.h"

namespace labelprobe::support {

// From -1 on, below 1.
inline double tiny_unit(std::uint64_t start, std::uint64_t i) {
  std::uint64_t z = start + i + 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  z = z ^ (z >> 31U);
  return 2 * (static_cast<double>(z >> 40U) / (1 << 24)) - 1;
}

inline std::string tiny_tensor_bytes(const std::string& name, std::uint64_t n) {
  std::uint64_t start = 0xCBF29CE484222325U;
  for (const char byte : name) start = (start ^ static_cast<unsigned char>(byte)) * 0x100000001B3U;
  std::string bytes;
  for (std::uint64_t i = 0; i < n; ++i) {
    const double u = tiny_unit(start, i);
    if (name.ends_with("_scales")) {
      bytes += static_cast<char>(124 + (u > 0 ? 1 : 0));
    } else if (name.ends_with("_blocks")) {
      bytes += static_cast<char>(static_cast<unsigned char>(std::floor(128 * (u + 1))));
    } else {
      const auto number = static_cast<float>(u);
      const bool is_norm = name.find("norm") != name.npos;
      bytes += bytes_of(is_norm ? 1.0F + 0.2F * number : 0.4F * number);
    }
  }
  return bytes;
}

// The names, shapes and bytes of some of a model's tensors as one safetensors file.
inline std::string tiny_weights(const nlohmann::json& shapes) {
  nlohmann::json header = nlohmann::json::object();
  std::string bytes;
  for (const auto& [name, shape] : shapes.items()) {
    std::uint64_t n = 1;
    for (const nlohmann::json& size : shape) n *= size.get<std::uint64_t>();
    const std::size_t first = bytes.size();
    bytes += tiny_tensor_bytes(name, n);
    const bool is_byte = name.ends_with("_scales") || name.ends_with("_blocks");
    header[name] = {{"dtype", is_byte ? "U8" : "F32"},
                    {"shape", shape},
                    {"data_offsets", {first, bytes.size()}}};
  }
  return safetensors_bytes(header.dump(), bytes);
}

// A model of a fixture, its weights in so many files.
inline void write_tiny_model(const nlohmann::json& model,
                             const std::filesystem::path& folder,
                             int n_shards = 1) {
  write_file(folder / "config.json", model["config"].dump());
  if (n_shards == 1) {
    write_file(folder / "model.safetensors", tiny_weights(model["tensors"]));
    return;
  }
  std::vector<nlohmann::json> shards(n_shards, nlohmann::json::object());
  nlohmann::json index = {{"metadata", nlohmann::json::object()}};
  int next = 0;
  for (const auto& [name, shape] : model["tensors"].items()) {
    const int shard = next++ % n_shards;
    shards[shard][name] = shape;
    index["weight_map"][name] =
        fmt::format("model-{:05}-of-{:05}.safetensors", shard + 1, n_shards);
  }
  for (int i = 0; i < n_shards; ++i) {
    write_file(folder / fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, n_shards),
               tiny_weights(shards[i]));
  }
  write_file(folder / "model.safetensors.index.json", index.dump());
}

}  // namespace labelprobe::support
