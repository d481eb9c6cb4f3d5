#include "model/products/add_rows.h"

#include <cstdint>

#include <ATen/Parallel.h>
#include <ATen/record_function.h>

#include "model/products/vector_code.h"

namespace labelprobe::model {
namespace {

LABELPROBE_FOR_EACH_PROCESSOR
void add_row(float* sum, const std::uint16_t* part, std::int64_t n) {
  by_steps(n, [&](std::int64_t first, std::int64_t n_step) LABELPROBE_PART {
    float wide[kStep];
    convert(part + first, wide, n_step);
    for (std::int64_t i = 0; i < n_step; ++i) sum[first + i] += wide[i];
  });
}

}  // namespace

void add_rows(at::Tensor& sum, const at::Tensor& part) {
  if (!is_plain(sum, at::kFloat) || !is_plain(part, at::kBFloat16)) {
    sum.add_(part);
    return;
  }
  RECORD_FUNCTION("labelprobe::add_rows", {});
  float* to = sum.mutable_data_ptr<float>();
  const auto* from = static_cast<const std::uint16_t*>(part.const_data_ptr());
  at::parallel_for(0, sum.size(0), kRowGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      add_row(to + row * sum.stride(0), from + row * part.stride(0), sum.size(1));
    }
  });
}

}  // namespace labelprobe::model
