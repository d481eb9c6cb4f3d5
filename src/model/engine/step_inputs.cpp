#include "model/engine/step_inputs.h"

#include <algorithm>

#include <ATen/Functions.h>

#include "model/engine/pass.h"
#include "weights/device/cuda_operators.h"

namespace labelprobe::model {
namespace {

// A row has its token, position and arena row, and the largest that the last two grow to.
constexpr std::int64_t kNumbersPerRow = 5;

}  // namespace

void StepInputs::resize(std::int64_t n_rows) {
  n_rows_ = n_rows;
  if (n_rows <= n_allocated_) return;
  n_allocated_ = n_rows;
  const auto options = at::TensorOptions().dtype(at::kLong);
  on_host_ = at::empty({kNumbersPerRow, n_rows}, options.pinned_memory(!device_.is_cpu()));
  on_device_ =
      device_.is_cpu() ? on_host_ : at::empty({kNumbersPerRow, n_rows}, options.device(device_));
}

void StepInputs::set(std::int64_t row,
                     TokenId token,
                     std::int64_t position,
                     std::int64_t arena_row,
                     std::int64_t n_more) {
  auto* inputs = on_host_.mutable_data_ptr<std::int64_t>() + row;
  inputs[0] = token;
  inputs[n_allocated_] = position;
  inputs[2 * n_allocated_] = arena_row;
  inputs[3 * n_allocated_] = position + n_more;
  inputs[4 * n_allocated_] = arena_row + n_more;
}

void StepInputs::send() {
  attention_.plan(n_rows_, segments_);
  if (!device_.is_cpu()) on_device_.copy_(on_host_, /*non_blocking=*/true);
}

Parcel StepInputs::parcel(const Decoder& decoder) const {
  Parcel parcel(Order::Step, decoder.number());
  parcel.put(decoder.text_length()).put(n_rows_);
  const auto* inputs = on_host_.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < kNumbersPerRow; ++i) {
    parcel.put(
        std::vector<std::int64_t>(inputs + i * n_allocated_, inputs + i * n_allocated_ + n_rows_));
  }
  return parcel.put(segments_);
}

void StepInputs::set_all(Parcel& parcel) {
  resize(parcel.take<std::int64_t>());
  auto* inputs = on_host_.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < kNumbersPerRow; ++i) {
    const std::vector<std::int64_t> numbers = parcel.take_all<std::int64_t>();
    std::copy(numbers.begin(), numbers.end(), inputs + i * n_allocated_);
  }
  segments_ = parcel.take_all<KeySegment>();
}

void StepInputs::follow(const at::Tensor& tokens) {
  on_device_[0].narrow(0, 0, n_rows_).copy_(tokens, /*non_blocking=*/true);
  const at::Tensor rows = on_device_.narrow(1, 0, n_rows_);
  rows.narrow(0, 1, 2).add_(1).clamp_max_(rows.narrow(0, 3, 2));
  attention_.grow();
}

class StepInputs::StepAttention : public Attention {
 public:
  StepAttention(const Decoder& decoder,
                KvArena& arena,
                const StepInputs& inputs,
                LayerWatcher* watcher)
      : decoder_(decoder), arena_(arena), inputs_(inputs), watcher_(watcher) {}

  void rotate(int layer,
              const at::Tensor& heads,
              std::int64_t n_queries,
              std::int64_t n_keys,
              const at::Tensor& cosines,
              const at::Tensor& sines) override {
    is_written_ = heads.is_cuda() && weights::cuda_operators() && cosines.defined() &&
                  2 * cosines.size(1) == heads.size(2);
    if (!is_written_) return Attention::rotate(layer, heads, n_queries, n_keys, cosines, sines);
    weights::cuda_operators()->rotate_heads.call(heads, cosines, sines, n_queries, n_keys,
                                                 arena_.keys(layer), arena_.values(layer),
                                                 rows_on(heads.device()));
  }

  at::Tensor attend(int layer,
                    const at::Tensor& queries,
                    const at::Tensor& keys,
                    const at::Tensor& values) override {
    if (!is_written_) arena_.write(layer, rows_on(keys.device()), keys, values);
    at::Tensor attended = inputs_.attention().attend(
        queries, arena_.keys(layer), arena_.values(layer), decoder_.attention_form(layer));
    if (watcher_ != nullptr) {
      watcher_->attend(layer, queries, arena_.keys(layer), arena_.values(layer), attended);
    }
    return attended;
  }

 private:
  // Where the arena takes the rows, known to the device that the layers are on.
  const at::Tensor& rows_on(c10::Device device) {
    if (!rows_.defined() || rows_.device() != device) rows_ = inputs_.arena_rows().to(device);
    return rows_;
  }

  const Decoder& decoder_;
  KvArena& arena_;
  const StepInputs& inputs_;
  LayerWatcher* watcher_;
  at::Tensor rows_;
  bool is_written_ = false;  // keys and values of the layer, by rotate()
};

at::Tensor StepInputs::forward(const Decoder& decoder,
                               KvArena& arena,
                               LayerWatcher* watcher) const {
  JointPass together(decoder, [&] { return parcel(decoder); });
  StepAttention attention(decoder, arena, *this, watcher);
  const at::Tensor hidden = decoder.forward(tokens(), positions(), attention, {}, watcher);
  together.end();
  return hidden;
}

}  // namespace labelprobe::model
