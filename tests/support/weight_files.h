// Weight files written byte by byte, well-formed or broken on purpose.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "support/files.h"

namespace labelprobe::support {

// The bytes of a number as they lie in memory (little-endian machines).
template <class Number>
std::string bytes_of(Number number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

// A safetensors file of this header and these tensor bytes.
inline std::string safetensors_bytes(std::string_view header, std::string_view tensor_bytes) {
  return bytes_of(std::uint64_t{header.size()}) + std::string(header) + std::string(tensor_bytes);
}

// GGUF version 3 with what is added, in the order in which it is added.
class GgufBytes {
 public:
  GgufBytes& text(const std::string& key, const std::string& held) {
    return pair(key, 8, string(held));
  }
  GgufBytes& integer(const std::string& key, std::uint32_t held) {
    return pair(key, 4, bytes_of(held));
  }
  GgufBytes& number(const std::string& key, float held) { return pair(key, 6, bytes_of(held)); }
  GgufBytes& integers(const std::string& key, const std::vector<std::uint32_t>& held) {
    std::string array = bytes_of(std::uint32_t{4}) + bytes_of(std::uint64_t{held.size()});
    for (const std::uint32_t one : held) {
      array += bytes_of(one);
    }
    return pair(key, 9, array);
  }

  GgufBytes& numbers(const std::string& key, const std::vector<float>& held) {
    std::string array = bytes_of(std::uint32_t{6}) + bytes_of(std::uint64_t{held.size()});
    for (const float one : held) {
      array += bytes_of(one);
    }
    return pair(key, 9, array);
  }
  GgufBytes& texts(const std::string& key, const std::vector<std::string>& held) {
    std::string array = bytes_of(std::uint32_t{8}) + bytes_of(std::uint64_t{held.size()});
    for (const std::string& one : held) {
      array += string(one);
    }
    return pair(key, 9, array);
  }

  // `shape` as torch counts; `bytes` are the tensor's own.
  GgufBytes& tensor(const std::string& name,
                    std::vector<std::uint64_t> shape,
                    std::uint32_t type,
                    const std::string& bytes) {
    tensors_ += string(name) + bytes_of(static_cast<std::uint32_t>(shape.size()));
    for (auto size = shape.rbegin(); size != shape.rend(); ++size) {
      tensors_ += bytes_of(*size);
    }
    tensors_ += bytes_of(type) + bytes_of(std::uint64_t{data_.size()});
    data_ += bytes;
    data_.resize((data_.size() + 31) / 32 * 32);
    ++n_tensors_;
    return *this;
  }

  std::string bytes() const {
    std::string file = "GGUF" + bytes_of(std::uint32_t{3}) + bytes_of(n_tensors_) +
                       bytes_of(n_pairs_) + pairs_ + tensors_;
    file.resize((file.size() + 31) / 32 * 32);
    return file + data_;
  }

 private:
  static std::string string(const std::string& text) {
    return bytes_of(std::uint64_t{text.size()}) + text;
  }
  GgufBytes& pair(const std::string& key, std::uint32_t type, const std::string& held) {
    pairs_ += string(key) + bytes_of(type) + held;
    ++n_pairs_;
    return *this;
  }

  std::string pairs_;
  std::string tensors_;
  std::string data_;
  std::uint64_t n_pairs_ = 0;
  std::uint64_t n_tensors_ = 0;
};

}  // namespace labelprobe::support
