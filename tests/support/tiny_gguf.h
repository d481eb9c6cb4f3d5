// Tiny models of tiny_model.h as GGUF files, byte by byte those that the gguf package wrote.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/files.h"
#include "support/tiny_model.h"

namespace labelprobe::support {

// The rows of each head in the order 0, half, 1, half + 1, ...
inline std::string interleaved_rows(const std::string& bytes,
                                    std::size_t n_heads,
                                    std::size_t height) {
  const std::size_t row_bytes = bytes.size() / height;
  const std::size_t n_rows = height / n_heads;
  std::string result;
  for (std::size_t row = 0; row < height; ++row) {
    const std::size_t in_head = row % n_rows;
    const std::size_t source = row - in_head + in_head / 2 + (in_head % 2) * (n_rows / 2);
    result += bytes.substr(source * row_bytes, row_bytes);
  }
  return result;
}

inline std::string with_added(const std::string& bytes, float added) {
  std::vector<float> numbers(bytes.size() / sizeof(float));
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  std::string result;
  for (const float number : numbers) result += bytes_of(number + added);
  return result;
}

// A model whose fixture has "gguf": its header in hexadecimal digits, its length, and of each
// tensor [source, or its numbers; heads whose rows are interleaved or 0; what is added; place].
inline void write_tiny_gguf(const nlohmann::json& model, const std::filesystem::path& path) {
  const nlohmann::json& stored = model["gguf"];
  const auto digits = stored["header"].get<std::string>();
  std::string file;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    file += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  }
  file.resize(stored["n_bytes"].get<std::size_t>());
  for (const nlohmann::json& tensor : stored["tensors"]) {
    if (tensor[0].is_array()) {
      std::string numbers;
      for (const nlohmann::json& number : tensor[0]) numbers += bytes_of(number.get<float>());
      file.replace(tensor[3].get<std::size_t>(), numbers.size(), numbers);
      continue;
    }
    const auto source = tensor[0].get<std::string>();
    const auto shape = model["tensors"][source].get<std::vector<std::size_t>>();
    std::string bytes =
        tiny_tensor_bytes(source, shape.size() == 1 ? shape[0] : shape[0] * shape[1]);
    if (const auto n_heads = tensor[1].get<std::size_t>(); n_heads > 0) {
      bytes = interleaved_rows(bytes, n_heads, shape[0]);
    }
    if (const auto added = tensor[2].get<float>(); added != 0) bytes = with_added(bytes, added);
    file.replace(tensor[3].get<std::size_t>(), bytes.size(), bytes);
  }
  write_file(path, file);
}

}  // namespace labelprobe::support
