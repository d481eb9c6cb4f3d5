// Rows of a packed weight, put in the order in which packed_product.cpp multiplies them.
#pragma once

#include <cstdint>
#include <vector>

#include "weights/packed/block_codes.h"
#include "weights/packed/packed_weight.h"

namespace labelprobe::model {

// kRows rows of a weight, of at most kColumns columns: what the second-level cache holds beside the
// rows that they are multiplied with.
class PackedPanel {
 public:
  static constexpr std::int64_t kRows = 32;
  static constexpr std::int64_t kColumns = 2048;  // a multiple of every block's elements

  PackedPanel();

  // Rows from `first_row` on and `n_columns` columns from `first_column` on. Where the weight has
  // fewer rows left, the others have scales and offsets of 0.
  void unpack(const weights::PackedWeight& weight,
              std::int64_t first_row,
              std::int64_t first_column,
              std::int64_t n_columns);

  // [n_columns / 4, kRows, 4]: of each row four columns' codes side by side, each with 128 added.
  const std::uint8_t* codes() const { return fours_.data(); }
  const float* scales() const { return scales_.data(); }    // [groups, kRows]
  const float* offsets() const { return offsets_.data(); }  // the same
  const weights::GroupForm& form() const { return form_; }

 private:
  weights::GroupForm form_;
  std::vector<std::int8_t> row_codes_;  // [kRows, kColumns]
  std::vector<float> row_numbers_;      // scales and offsets of one row
  std::vector<std::uint8_t> fours_;
  std::vector<float> scales_;
  std::vector<float> offsets_;
};

}  // namespace labelprobe::model
