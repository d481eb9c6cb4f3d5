// SegmentAttention on a GPU without our kernels: libtorch's operators compute all items of the same
// plan together, so that a layer takes a few launches, not a few for each segment.
//   T  rows   N  rows of the arena   K  key heads   G  query heads per key head   D  head size
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "model/attention/attention_form.h"
#include "model/attention/key_segment.h"

namespace labelprobe::model {

class BatchedAttention {
 public:
  // Keeps the segments of a pass; the tables are made for the first layer's queries.
  //   window  as of AttentionShape
  void plan(std::int64_t n_rows, std::span<const KeySegment> segments, std::int64_t window = 0);
  bool is_prepared() const { return tables_.has_value(); }

  // As SegmentAttention's, of any type and on any device. Sums are float32. The form's window is
  // that of the plan.
  at::Tensor attend(const at::Tensor& queries,
                    const at::Tensor& keys,
                    const at::Tensor& values,
                    const AttentionForm& form = {});

 private:
  // What is looked up where, on the device.
  //   I  items   R  rows of an item at most   S  keys of an item at most
  //   P  parts   M  parts of a row at most
  struct Tables {
    at::Tensor query_rows;    // [I, R]
    at::Tensor key_rows;      // [I, S], of the arena
    at::Tensor n_seen;        // [I, R] keys that a row sees
    at::Tensor part_places;   // [I, R]; P for rows that are not there
    at::Tensor parts_of_row;  // [T, M]; P where a row has fewer
    std::int64_t n_parts = 0;
  };
  Tables make_tables(const at::Tensor& queries) const;

  std::int64_t n_rows_ = 0;
  std::int64_t window_ = 0;
  std::vector<KeySegment> segments_;
  std::optional<Tables> tables_;
};

}  // namespace labelprobe::model
