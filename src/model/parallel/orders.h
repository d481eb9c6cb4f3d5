// What the first process tells the others to do with it, as bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "labelprobe/core/error.h"

namespace labelprobe::model {

enum class Order : std::int64_t {
  Open,       // a model
  Close,      // it again
  TellFree,   // how much memory is free
  OpenArena,  // for keys and values
  Pack,       // of prompts: through the layers
  Step,       // of answers, likewise
  Logits,     // of hidden states that follow
  HeadRows,   // of the output head
  End,        // the process
};

// All processes run the same program on machines of one kind: numbers go as they lie in memory.
class Parcel {
 public:
  // model: the one that it is about, as its opening numbered it.
  explicit Parcel(Order order, std::int64_t model = 0) { put(order).put(model); }
  explicit Parcel(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}

  std::span<const std::byte> bytes() const { return bytes_; }

  template <class T>
  Parcel& put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    put_bytes(&value, sizeof(T));
    return *this;
  }
  template <class T>
  Parcel& put(const std::vector<T>& values) {
    static_assert(std::is_trivially_copyable_v<T>);
    put(values.size());
    put_bytes(values.data(), values.size() * sizeof(T));
    return *this;
  }
  Parcel& put(const std::string& text) { return put(std::vector<char>(text.begin(), text.end())); }

  // In the order in which they were put.
  template <class T>
  T take() {
    T value;
    take_bytes(&value, sizeof(T));
    return value;
  }
  template <class T>
  std::vector<T> take_all() {
    std::vector<T> values(take<std::size_t>());
    take_bytes(values.data(), values.size() * sizeof(T));
    return values;
  }
  std::string take_text() {
    const std::vector<char> text = take_all<char>();
    return {text.begin(), text.end()};
  }

 private:
  void put_bytes(const void* from, std::size_t n) {
    const std::size_t n_before = bytes_.size();
    bytes_.resize(n_before + n);
    if (n > 0) std::memcpy(bytes_.data() + n_before, from, n);
  }
  void take_bytes(void* to, std::size_t n) {
    LABELPROBE_CHECK(n <= bytes_.size() - n_taken_);
    if (n > 0) std::memcpy(to, bytes_.data() + n_taken_, n);
    n_taken_ += n;
  }

  std::vector<std::byte> bytes_;
  std::size_t n_taken_ = 0;
};

}  // namespace labelprobe::model
