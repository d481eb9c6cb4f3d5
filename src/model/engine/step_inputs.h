// What a step holds of its rows: tokens, positions, and where the arena takes their keys and
// values. Memory that stays where it is from step to step, as long as a step has no more rows than
// any before.
//   R  rows of the step   C  hidden size
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "labelprobe/core/token.h"

#include "model/attention/segment_attention.h"
#include "model/decoder/decoder.h"
#include "model/engine/kv_arena.h"

namespace labelprobe::model {

class Parcel;

class StepInputs {
 public:
  StepInputs(c10::Device device, bool is_fast) : device_(device), attention_(device, is_fast) {}

  void resize(std::int64_t n_rows);
  // At most `n_more` tokens follow this one.
  void set(std::int64_t row,
           TokenId token,
           std::int64_t position,
           std::int64_t arena_row,
           std::int64_t n_more);
  // Makes what was set known to the device. Not before the device has finished the last step.
  void send();
  // Each row goes on with a token of [R], of any type, on the device, where all of this happens:
  // the host waits for nothing. A row that has no room for another one repeats its last place: its
  // results mean nothing, and touch no other row.
  void follow(const at::Tensor& tokens);

  at::Tensor tokens() const { return on_device_[0].narrow(0, 0, n_rows_); }
  at::Tensor positions() const { return on_device_[1].narrow(0, 0, n_rows_); }
  at::Tensor arena_rows() const { return on_device_[2].narrow(0, 0, n_rows_); }
  std::vector<KeySegment>& segments() { return segments_; }
  const SegmentAttention& attention() const { return attention_; }

  // What was set, told to other processes; and told by the first one, to be sent.
  Parcel parcel(const Decoder& decoder) const;
  void set_all(Parcel& parcel);

  // The hidden states [n_rows, C] of what was sent; keys and values are put into the arena. Where
  // several processes compute the model, the first one tells the others of it.
  at::Tensor forward(const Decoder& decoder, KvArena& arena, LayerWatcher* watcher = nullptr) const;

 private:
  class StepAttention;
  c10::Device device_;
  std::int64_t n_rows_ = 0;
  std::int64_t n_allocated_ = 0;
  at::Tensor on_host_;    // [5, n_allocated], int64, pinned where a GPU reads it
  at::Tensor on_device_;  // the same; on the CPU the same memory
  std::vector<KeySegment> segments_;
  SegmentAttention attention_;
};

}  // namespace labelprobe::model
