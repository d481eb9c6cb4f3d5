// What the layers hold of the rows of a step that somebody looks at: hidden states, logits behind
// each layer, what each part of a layer adds to them, where attention goes; and rows whose
// attention does without some positions.
//   T  rows of the step   R  of them, looked at   C  hidden size   L  layers   H  query heads
//   V  vocabulary
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "labelprobe/model/explorer.h"

#include "model/attention/row_attention.h"
#include "model/decoder/decoder.h"
#include "model/products/linear.h"

namespace labelprobe::model {

// The output head's rows of the watched tokens, times the final norm's weight: what turns a
// normalised state into these tokens' logits. In float32, so that parts add up.
Linear make_label_head(const Decoder& decoder, const TokenIds& watched);

class InnerView final : public LayerWatcher {
 public:
  struct Row {
    std::int64_t row = 0;  // of the step
    const Look* look = nullptr;
    std::vector<KeySpan> keys;  // that it sees, its own included
  };

  // All must outlive it. At least one row. The label head is used for lens and parts alone, of
  // which there are none without watched tokens. Throws ConfigError for a layer that is not there.
  InnerView(const Decoder& decoder,
            const Observe& observe,
            const Linear& label_head,
            std::vector<Row> rows);

  void attend(int layer,
              const at::Tensor& queries,
              const at::Tensor& keys,
              const at::Tensor& values,
              at::Tensor& attended) override;
  void see(int stage, const at::Tensor& x) override;

  // After the pass: of the rows, in their order.
  std::vector<Inside> take();

 private:
  void keep_hidden(int stage, const at::Tensor& x);
  void rank_watched(const at::Tensor& all_rows);
  void attend_row(std::size_t r,
                  int layer,
                  const at::Tensor& queries,
                  const at::Tensor& keys,
                  const at::Tensor& values,
                  at::Tensor& attended);
  at::Tensor label_numbers(const at::Tensor& x) const;
  bool shows_lens() const { return observe_.shows_lens && !observe_.watched.empty(); }
  bool shows_parts() const { return observe_.shows_parts && !observe_.watched.empty(); }

  const Decoder& decoder_;
  const Observe& observe_;
  const Linear& label_head_;
  std::vector<Row> rows_;
  at::Tensor index_;  // [R], of the step's rows
  std::vector<Inside> inside_;
  at::Tensor before_;               // [R, C]: x of the stage before
  at::Tensor scale_;                // [R, 1]: one over the root mean square of x, newest
  std::vector<at::Tensor> hidden_;  // [R, C] each
  std::vector<at::Tensor> lens_;    // [R, n_watched] each
  std::vector<at::Tensor> parts_;   // likewise, without the scale and before a cap
  std::vector<std::vector<at::Tensor>> added_;     // by row: [H * D] each, by layer and group
  std::vector<std::vector<at::Tensor>> attended_;  // by row: [H * D] each, by layer
};

}  // namespace labelprobe::model
