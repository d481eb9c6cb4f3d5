// Rows of a packed weight, put in the order in which packed_product.cpp multiplies them.
#pragma once

#include <cstdint>
#include <vector>

#include "weights/packed/block_codes.h"
#include "weights/packed/packed_weight.h"

namespace labelprobe::model {

class PackedPanel {
 public:
  static constexpr std::int64_t kRows = 32;

  // Rows from `first_row` on. Where the weight has fewer left, the others have scales and offsets
  // of 0.
  void unpack(const weights::PackedWeight& weight, std::int64_t first_row);

  // An element is scale * code + offset.
  const weights::GroupForm& form() const { return form_; }
  std::int64_t n_groups() const { return n_groups_; }  // of a row
  // [width / 4, kRows, 4]: of each row four columns' codes side by side.
  const std::int8_t* codes() const { return fours_.data(); }
  const float* scales() const { return scales_.data(); }    // [groups, kRows]
  const float* offsets() const { return offsets_.data(); }  // the same
  // [groups, kRows]: -2^7 times what a group's codes add up to.
  const std::int32_t* bases() const { return bases_.data(); }
  // Whether the sum of a group's codes times whole numbers below 2^23 always fits 32 bits.
  bool is_narrow() const { return is_narrow_; }

 private:
  weights::GroupForm form_;
  std::int64_t n_groups_ = 0;
  bool is_narrow_ = false;
  std::vector<std::int8_t> row_codes_;  // [kRows, width rounded up]
  std::vector<float> row_numbers_;      // scales and offsets of one row
  std::vector<std::int8_t> fours_;
  std::vector<float> scales_;
  std::vector<float> offsets_;
  std::vector<std::int32_t> bases_;
};

}  // namespace labelprobe::model
