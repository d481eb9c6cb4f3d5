// The turns of a decoder's rotary embeddings by position: computed once, for layers may turn by
// different ones, and texts by their length.
//   T  rows (tokens)   R  numbers of a head that are turned
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "weights/families/rope.h"

namespace labelprobe::model {

// float32; undefined in layers that turn nothing.
struct Turns {
  at::Tensor cosines;  // [T, R / 2]
  at::Tensor sines;
};

class Rotations {
 public:
  Rotations() = default;
  Rotations(const weights::DecoderConfig& config, std::span<const c10::Device> devices);

  // Texts from now on.
  void turn_for(weights::TextLength length) { length_ = length; }
  weights::TextLength text_length() const { return length_; }

  // What one pass turns by, at positions [T].
  class Pass {
   public:
    Pass(const Rotations& all, at::Tensor positions);
    // The turns of a layer that is on the device of this number.
    const Turns& of(int layer, std::size_t device);

   private:
    const Rotations& all_;
    at::Tensor positions_;
    std::size_t device_ = 0;
    std::vector<std::optional<Turns>> by_kind_;
  };

 private:
  // What layers of one kind turn by, by device: positions [P, R / 2] from 0 on.
  struct Kind {
    std::vector<Turns> original;
    std::vector<Turns> beyond;  // empty where that is the same
  };

  std::vector<Kind> kinds_;
  std::vector<int> kind_of_layer_;  // -1: turns nothing
  weights::TextLength length_ = weights::TextLength::Original;
};

}  // namespace labelprobe::model
